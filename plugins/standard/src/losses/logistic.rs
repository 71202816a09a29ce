//! Binary cross-entropy of logits, which the losses `bce` and `bernoulli` share.

use super::stored::{Stored, sum_features};
use anyhow::Result;
use tch::Tensor;

/// Mean over features of the cross-entropy of sigmoid(x) and targets y in [0, 1], those of ones weighted by w:
/// [n_cells].
///
/// ℓ(x, y) = −w y ln σ(x) − (1 − y) ln(1 − σ(x)) = s(x) − y x + (w − 1) y s(−x), with s(x) = ln(1 + eˣ).
///
/// `y` holds the targets of the stored entries.
///
/// # Errors
/// When there is not one target per entry.
pub fn cross_entropy(stored: &Stored, y: &Tensor, weight: f64) -> Result<Tensor> {
    let (all, x) = (&stored.prediction, &stored.predicted);
    let as_if_zero = sum_features(&all.f_softplus()?)?;
    let mut correction = -y.f_mul(x)?;
    if weight != 1.0 {
        correction = correction.f_add(&(y.f_mul(&x.f_neg()?.f_softplus()?)? * (weight - 1.0)))?;
    }
    Ok(as_if_zero.f_add(&stored.sum_entries(&correction)?)?.f_div_scalar(stored.n_features())?)
}
