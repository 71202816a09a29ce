//! Dense arrays: read piece by piece into sparse rows, or whole where they are small (`obsm`).

use std::ops::Range;

use anyhow::{Result, bail};
use hdf5::{Dataset, Selection};
use hdf5_metno as hdf5;

use super::extent::n_values;
use super::matrix::Naming;
use super::place::label;
use super::values::Numbers;
use crate::csr::ensure_columns_fit;
use crate::{Csr, Dense};

/// Rows of a dense matrix as sparse rows; memory follows the values that are not zero.
pub(crate) fn read_sparse(dataset: Dataset, naming: &Naming, rows: Range<usize>) -> Result<Csr> {
    naming.check_shape(&dataset.shape())?;
    let n_columns = naming.features.len();
    ensure_columns_fit(n_columns)?;
    let numbers = Numbers::new(dataset)?;
    let mut matrix = Csr::zeros(0, n_columns);
    for piece in numbers.pieces(rows) {
        let slice = numbers.read(Selection::from((piece.clone(), ..)))?;
        if let Some((place, value)) = slice.misfit {
            return Err(naming.misfit(piece.start + place / n_columns, place % n_columns, value));
        }
        matrix.append_dense_rows(piece.len(), &slice.values);
    }
    Ok(matrix)
}

/// A whole array of one or two dimensions; values that are not finite are kept as they are.
pub(crate) fn read(dataset: Dataset) -> Result<Dense> {
    n_values(&dataset)?;
    let shape = dataset.shape();
    let (n_rows, n_columns) = match shape[..] {
        [n_rows] => (n_rows, 1),
        [n_rows, n_columns] => (n_rows, n_columns),
        _ => bail!("{} has {} dimensions, expected two", label(&dataset), shape.len()),
    };
    let values = Numbers::new(dataset)?.read(Selection::from(..))?.values;
    Dense::new(n_rows, n_columns, values)
}
