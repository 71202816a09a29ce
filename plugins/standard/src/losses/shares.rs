//! Means of counts as shares of the cell's total, by softmax: what the count losses have in common.

use anyhow::{Result, ensure};
use tch::{Kind, Tensor};

/// Shares of the cell's total by softmax, or counts where totals ([n_cells]) are given; of the prediction's shape.
pub(super) fn expectation(prediction: &Tensor, totals: Option<&Tensor>) -> Result<Tensor> {
    let shares = prediction.f_flatten(1, -1)?.f_softmax(1, None::<Kind>)?;
    let expected = match totals {
        Some(totals) => shares.f_mul(&totals.f_view([-1, 1])?)?,
        None => shares,
    };
    Ok(expected.f_view(prediction.size().as_slice())?)
}

/// The mean of one feature of each cell: the cell's total times the feature's share by softmax, [n_cells].
///
/// # Errors
/// When there is not one feature and one total per row of the prediction, or a feature is out of range.
pub(super) fn means_of(prediction: &Tensor, features: &Tensor, totals: &Tensor) -> Result<Tensor> {
    let flat = prediction.f_flatten(1, -1)?;
    let n_cells = flat.size()[0];
    ensure!(
        features.size() == [n_cells] && totals.size() == [n_cells],
        "{n_cells} cells need one feature and one total each, but there are {:?} features and {:?} totals",
        features.size(),
        totals.size()
    );
    let log_shares = flat.f_log_softmax(1, None::<Kind>)?;
    let own = log_shares.f_gather(1, &features.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?;
    Ok(own.f_exp()?.f_mul(totals)?)
}
