//! The probability that a count is zero.

use super::entry::EPSILON;
use anyhow::Result;
use tch::Tensor;

/// −ln of the probability that a negative binomial count of mean m and dispersion r is zero: −r ln(r / (r + m)).
///
/// # Errors
/// When the shapes differ.
pub(super) fn cost(means: &Tensor, dispersions: &Tensor) -> Result<Tensor> {
    let spread = dispersions.f_add(means)?.f_add_scalar(EPSILON)?;
    Ok(dispersions.f_div(&spread)?.f_log()?.f_mul(dispersions)?.f_neg()?)
}
