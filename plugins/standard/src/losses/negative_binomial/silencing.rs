//! The probability that a count is zero.

use anyhow::{Result, ensure};
use tch::{Kind, Tensor};

/// Added to r + m, as in the likelihood.
const TINY: f64 = 1e-10;

/// The mean of one feature of each cell: the cell's total times the feature's share by softmax, [n_cells].
///
/// # Errors
/// When there is not one feature and one total per row of the prediction, or a feature is out of range.
pub(in crate::losses) fn means(prediction: &Tensor, features: &Tensor, totals: &Tensor) -> Result<Tensor> {
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

/// −ln of the probability that a negative binomial count of mean m and dispersion r is zero: −r ln(r / (r + m)).
///
/// # Errors
/// When the shapes differ.
pub(super) fn cost(means: &Tensor, dispersions: &Tensor) -> Result<Tensor> {
    let spread = dispersions.f_add(means)?.f_add_scalar(TINY)?;
    Ok(dispersions.f_div(&spread)?.f_log()?.f_mul(dispersions)?.f_neg()?)
}
