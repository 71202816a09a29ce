//! Numbers out of tensors.

use anyhow::Result;
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
