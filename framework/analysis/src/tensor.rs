//! The seam between plain numbers and torch: shapes are checked here so that torch never panics further in.

use anyhow::{Result, bail, ensure};
use tch::{Device, Kind, Tensor};

/// Rows and columns of a two-dimensional floating-point tensor.
pub(crate) fn shape(tensor: &Tensor, what: &str) -> Result<(usize, usize)> {
    let kind = tensor.kind();
    ensure!(
        matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16),
        "{what} holds {kind:?} numbers; expected floating-point numbers: convert it first"
    );
    match tensor.size()[..] {
        [n_rows, n_columns] => Ok((n_rows as usize, n_columns as usize)),
        ref size => bail!("{what} has shape {size:?}; expected two dimensions, cells × columns"),
    }
}

/// The tensor as 64-bit numbers on the host, refused when a number is not finite.
pub(crate) fn host(tensor: &Tensor, what: &str) -> Result<Tensor> {
    shape(tensor, what)?;
    let tensor = tensor.detach().to_device(Device::Cpu).to_kind(Kind::Double).contiguous();
    check_finite(&tensor, what)?;
    Ok(tensor)
}

/// Refuses a tensor that holds NaN or an infinity.
pub(crate) fn check_finite(tensor: &Tensor, what: &str) -> Result<()> {
    let all = tensor.isfinite().all().int64_value(&[]) != 0;
    ensure!(all, "{what} holds numbers that are not finite; look for the step that made them");
    Ok(())
}

/// Every number of a tensor, row by row, as 64-bit.
pub(crate) fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    let flat = tensor.to_device(Device::Cpu).to_kind(Kind::Double).contiguous().view(-1);
    Ok(Vec::try_from(flat)?)
}

/// An n × m tensor from numbers laid out row by row.
pub(crate) fn from_rows(numbers: &[f64], n_columns: usize) -> Tensor {
    Tensor::from_slice(numbers).view([-1, n_columns as i64])
}

/// Row or column ids as torch wants them.
pub(crate) fn ids(ids: &[usize]) -> Tensor {
    let ids: Vec<i64> = ids.iter().map(|&id| id as i64).collect();
    Tensor::from_slice(&ids)
}

/// Refuses row ids outside the matrix and an empty list.
pub(crate) fn check_rows(rows: &[usize], n_rows: usize, what: &str) -> Result<()> {
    ensure!(!rows.is_empty(), "{what} names no cell; expected at least one");
    if let Some(row) = rows.iter().find(|&&row| row >= n_rows) {
        bail!("{what} names cell {row}, but the matrix has {n_rows} cells, counted from 0");
    }
    Ok(())
}

/// Mean over rows as a 1 × m tensor.
pub(crate) fn row_mean(tensor: &Tensor) -> Tensor {
    tensor.mean_dim([0i64].as_slice(), true, Kind::Double)
}

/// Sum over one dimension, kept as a dimension of size 1.
pub(crate) fn sum_over(tensor: &Tensor, dimension: i64) -> Tensor {
    tensor.sum_dim_intlist([dimension].as_slice(), true, Kind::Double)
}
