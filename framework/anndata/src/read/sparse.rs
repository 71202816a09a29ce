//! The `csr_matrix` and `csc_matrix` encodings: a group of `data`, `indices` and `indptr` with a `shape` attribute.

use std::fmt::Display;
use std::ops::Range;

use anyhow::{Context, Result, anyhow, ensure};
use hdf5::types::{IntSize, TypeDescriptor};
use hdf5::{Group, H5Type, Selection};
use hdf5_metno as hdf5;

use super::matrix::Naming;
use super::values::{Numbers, Slice};
use super::{array, place};
use crate::Csr;
use crate::csr::ensure_columns_fit;

/// Rows of a matrix kept row by row; only their values are read.
pub(crate) fn read_rows(group: &Group, naming: &Naming, rows: Range<usize>) -> Result<Csr> {
    naming.check_shape(&shape(group)?)?;
    read_rows_of_known_shape(group, naming, rows)
}

/// Rows of a matrix kept row by row whose shape is not an attribute and was compared with the names before.
pub(crate) fn read_rows_of_known_shape(group: &Group, naming: &Naming, rows: Range<usize>) -> Result<Csr> {
    let name = |row: usize, column: usize, value: f64| naming.misfit(row, column, value);
    let stored = Stored { group, n_minor: naming.features.len(), misfit: &name };
    let first = rows.start;
    canonical(stored.read(naming.cells.len(), rows)?, naming, first)
}

/// All rows of a matrix kept row by row, as many at a time as hold `most` values (but at least one row).
pub(crate) fn read_row_blocks(
    group: &Group,
    naming: &Naming,
    most: u64,
    each: &mut dyn FnMut(Csr) -> Result<()>,
) -> Result<()> {
    naming.check_shape(&shape(group)?)?;
    let name = |row: usize, column: usize, value: f64| naming.misfit(row, column, value);
    let stored = Stored { group, n_minor: naming.features.len(), misfit: &name };
    ensure_columns_fit(stored.n_minor)?;
    let starts = stored.starts(naming.cells.len())?;
    let mut row = 0;
    while row < naming.cells.len() {
        let n_rows = starts[row + 1..].partition_point(|end| end - starts[row] <= most).max(1);
        each(canonical(stored.read_between(&starts, row..row + n_rows)?, naming, row)?)?;
        row += n_rows;
    }
    Ok(())
}

/// The number of stored values.
pub(crate) fn n_stored(group: &Group) -> Result<u64> {
    Ok(place::dataset(group, "indices")?.size() as u64)
}

/// Rows of a matrix kept column by column; all of it has to be read to know any row.
pub(crate) fn read_columns(group: &Group, naming: &Naming, rows: Range<usize>) -> Result<Csr> {
    naming.check_shape(&shape(group)?)?;
    let name = |column: usize, row: usize, value: f64| naming.misfit(row, column, value);
    let stored = Stored { group, n_minor: naming.cells.len(), misfit: &name };
    let n_features = naming.features.len();
    let matrix = canonical(stored.read(n_features, 0..n_features)?.transpose()?, naming, 0)?;
    if rows.len() == matrix.n_rows {
        return Ok(matrix);
    }
    matrix.select_rows(&rows.collect::<Vec<_>>())
}

/// Sorts rows and sums values of one place, which may be too large together.
fn canonical(mut matrix: Csr, naming: &Naming, first_row: usize) -> Result<Csr> {
    let n_found = matrix.n_stored();
    matrix.canonicalise();
    let is_same = matrix.n_stored() == n_found;
    let misfit = if is_same { None } else { matrix.values.iter().position(|value| !value.is_finite()) };
    let Some(place) = misfit else { return Ok(matrix) };
    let row = matrix.indptr.partition_point(|start| *start <= place as u64) - 1;
    Err(naming.misfit(first_row + row, matrix.indices[place] as usize, f64::from(matrix.values[place])))
}

fn shape(group: &Group) -> Result<Vec<usize>> {
    let attribute = group.attr("shape").with_context(|| {
        format!("{} has no attribute `shape`; write the file again with a newer anndata", place::label(group))
    })?;
    Ok(array::integers(&attribute)?.into_iter().map(|length| length as usize).collect())
}

/// The three arrays, without knowing whether the major axis is cells or features.
struct Stored<'a> {
    group: &'a Group,
    n_minor: usize,
    /// Makes the message about the value at (major, minor).
    misfit: &'a dyn Fn(usize, usize, f64) -> anyhow::Error,
}

impl Stored<'_> {
    /// Reads a range of the major axis as the rows of a matrix, not yet sorted.
    fn read(&self, n_major: usize, range: Range<usize>) -> Result<Csr> {
        ensure_columns_fit(self.n_minor)?;
        self.read_between(&self.starts(n_major)?, range)
    }

    /// The same, where each row starts being known.
    fn read_between(&self, starts: &[u64], range: Range<usize>) -> Result<Csr> {
        let stored = starts[range.start] as usize..starts[range.end] as usize;
        let mut matrix = Csr {
            n_rows: range.len(),
            n_columns: self.n_minor,
            indptr: starts[range.start..=range.end].iter().map(|start| start - stored.start as u64).collect(),
            indices: self.indices(stored.clone())?,
            values: Vec::new(),
        };
        matrix.values = self.values(stored, |place, value| self.explain(&matrix, range.start, (place, value)))?;
        Ok(matrix)
    }

    fn starts(&self, n_major: usize) -> Result<Vec<u64>> {
        let dataset = place::dataset(self.group, "indptr")?;
        let starts = array::integers(&dataset)?;
        let n_stored = place::dataset(self.group, "indices")?.size() as i64;
        let whole = starts.first() == Some(&0) && starts.last() == Some(&n_stored) && starts.is_sorted();
        ensure!(
            starts.len() == n_major + 1 && whole,
            "{} is damaged: expected {} entries that never decrease, from 0 to {n_stored}",
            place::label(&dataset),
            n_major + 1
        );
        Ok(starts.into_iter().map(|start| start as u64).collect())
    }

    fn indices(&self, stored: Range<usize>) -> Result<Vec<u32>> {
        let numbers = Numbers::new(place::dataset(self.group, "indices")?)?;
        match numbers.dataset().dtype()?.to_descriptor()? {
            // as SciPy writes them: nothing to convert
            TypeDescriptor::Integer(IntSize::U4) => self.indices_as::<i32>(&numbers, stored),
            _ => self.indices_as::<i64>(&numbers, stored),
        }
    }

    fn indices_as<T>(&self, numbers: &Numbers, stored: Range<usize>) -> Result<Vec<u32>>
    where
        T: H5Type + Copy + Display + TryInto<u32>,
    {
        let dataset = numbers.dataset();
        let fit = |index: T| index.try_into().ok().filter(|index: &u32| (*index as usize) < self.n_minor);
        let mut indices = Vec::with_capacity(stored.len());
        for piece in numbers.pieces(stored) {
            let read = dataset.read_slice_1d::<T, _>(piece).map_err(|error| place::explain(dataset, error))?;
            for index in read {
                indices.push(fit(index).ok_or_else(|| {
                    anyhow!("{} holds {index}, expected 0 to {}", place::label(dataset), self.n_minor.saturating_sub(1))
                })?);
            }
        }
        Ok(indices)
    }

    fn values(&self, stored: Range<usize>, misfit: impl Fn(usize, f64) -> anyhow::Error) -> Result<Vec<f32>> {
        let numbers = Numbers::new(place::dataset(self.group, "data")?)?;
        let n_indices = place::dataset(self.group, "indices")?.size();
        ensure!(
            numbers.dataset().size() == n_indices,
            "{} is damaged: {} values for {n_indices} indices",
            place::label(self.group),
            numbers.dataset().size()
        );
        let mut values = Vec::with_capacity(stored.len());
        for piece in numbers.pieces(stored.clone()) {
            let slice: Slice = numbers.read(Selection::from(piece.clone()))?;
            if let Some((place, value)) = slice.misfit {
                return Err(misfit(piece.start - stored.start + place, value));
            }
            values.extend_from_slice(&slice.values);
        }
        Ok(values)
    }

    /// Finds whose value stands at a place of the data array.
    fn explain(&self, read: &Csr, first_major: usize, (place, value): (usize, f64)) -> anyhow::Error {
        let major = read.indptr.partition_point(|start| *start <= place as u64) - 1;
        (self.misfit)(first_major + major, read.indices[place] as usize, value)
    }
}
