//! Principal components from the whole covariance.

use anyhow::Result;
use tch::{Device, Kind, Tensor};

use super::{Centred, Found, largest};
use crate::matrix::block_rows;

/// Adds up (A − 1 μ)ᵀ (A − 1 μ) a block of rows at a time and decomposes it.
pub(super) fn find(centred: &Centred, n_components: usize) -> Result<Found> {
    let n_features = centred.matrix.n_columns();
    let mut squares = Tensor::zeros([n_features as i64, n_features as i64], (Kind::Double, Device::Cpu));
    for rows in centred.rows.chunks(block_rows(n_features)) {
        let block = centred.matrix.rows(rows)?.to_kind(Kind::Double) - centred.mean;
        squares = squares.f_addmm(&block.tr(), &block)?;
    }
    let (eigenvalues, vectors) = squares.f_linalg_eigh("L")?;
    let (squares, directions) = largest(&eigenvalues, &vectors, n_components)?;
    Ok(Found { directions, squares, converged: true })
}
