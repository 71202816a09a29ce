//! Binary cross-entropy of logits, which the losses `bce` and `bernoulli` share.

mod cells;
mod row;

use super::by_row::{is_tracked, with_gradient_of};
use super::number::Number;
use super::stored::{Places, Stored, sum_features};
use anyhow::Result;
use tch::{Device, Kind, Tensor, no_grad};

/// Mean over features of the cross-entropy of sigmoid(x) and targets y in [0, 1], those of ones weighted by w:
/// [n_cells].
///
/// ℓ(x, y) = −w y ln σ(x) − (1 − y) ln(1 − σ(x)) = s(x) − y x + (w − 1) y s(−x), with s(x) = ln(1 + eˣ).
///
/// `y` holds the targets of the stored entries. In the processor's memory sparse targets are compared row by row, with the
/// slopes found in the same pass.
///
/// # Errors
/// When there is not one target per entry.
pub fn cross_entropy(stored: &Stored, y: &Tensor, weight: f64) -> Result<Tensor> {
    let summed = match (stored.places(), stored.prediction.device(), stored.prediction.kind()) {
        (Some(places), Device::Cpu, Kind::Float) => by_row::<f32>(stored, places, y, weight)?,
        (Some(places), Device::Cpu, Kind::Double) => by_row::<f64>(stored, places, y, weight)?,
        _ => summed(stored, y, weight)?,
    };
    Ok(summed.f_div_scalar(stored.n_features())?)
}

/// The sum over features in libtorch's operations.
fn summed(stored: &Stored, y: &Tensor, weight: f64) -> Result<Tensor> {
    let (all, x) = (&stored.prediction, &stored.predicted()?);
    let as_if_zero = sum_features(&all.f_softplus()?)?;
    let mut correction = -y.f_mul(x)?;
    if weight != 1.0 {
        correction = correction.f_add(&(y.f_mul(&x.f_neg()?.f_softplus()?)? * (weight - 1.0)))?;
    }
    Ok(as_if_zero.f_add(&stored.sum_entries(&correction)?)?)
}

/// The sum over features, row by row; autograd is given the slopes as constants.
fn by_row<T: Number>(stored: &Stored, places: &Places, y: &Tensor, weight: f64) -> Result<Tensor> {
    let wants_slopes = is_tracked(&stored.prediction)?;
    let found = no_grad(|| cells::slopes::<T>(&stored.prediction, places, (y, weight), wants_slopes))?;
    match &found.by_prediction {
        None => Ok(found.loss),
        Some(slope) => with_gradient_of(&found.loss, &sum_features(&stored.prediction.f_mul(slope)?)?),
    }
}

#[cfg(test)]
mod tests;
