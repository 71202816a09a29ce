//! Numbers out of tensors.

use anyhow::Result;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Kind, Tensor};

/// Every number of a tensor, row by row.
pub(super) fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(Vec::try_from(tensor.to_device(Device::Cpu).to_kind(Kind::Double).contiguous().view(-1))?)
}

/// Places as a tensor that selects rows or columns.
pub(crate) fn ids(places: &[usize]) -> Tensor {
    Tensor::from_slice(&places.iter().map(|&place| place as i64).collect::<Vec<_>>())
}

/// Rows of a tensor on the host.
pub(crate) fn select(rows: &Tensor, places: &[usize]) -> Tensor {
    rows.index_select(0, &ids(places).to_device(rows.device()))
}

/// Numbers that know nothing: n_cells × dim, standard normal.
pub(crate) fn random_rows(n_cells: usize, dim: usize, seed: u64) -> Tensor {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let numbers: Vec<f64> = (0..n_cells * dim).map(|_| StandardNormal.sample(&mut generator)).collect();
    Tensor::from_slice(&numbers).view([n_cells as i64, dim as i64])
}
