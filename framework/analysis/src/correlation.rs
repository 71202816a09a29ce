//! Pearson correlations of many pairs of variables at once, and what is done with variables that do not vary.

use anyhow::Result;
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::tensor::{numbers, sum_over};

/// Pearson correlations, one per feature or one per cell.
///
/// r = Σ (p − p̄)(o − ō) / √(Σ (p − p̄)² Σ (o − ō)²). Where the *observed* values are all the same r is undefined for
/// every predictor: such entries are `None` and left out of mean and median. Where only the *predicted* values are all
/// the same r is set to 0 and counted, so that a model gains nothing by predicting constants for what it finds hard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correlations {
    /// One per feature or cell; `None` where the observed values are constant.
    pub values: Vec<Option<f64>>,
    /// Mean over defined values; `None` when there is none.
    pub mean: Option<f64>,
    /// Median over defined values; `None` when there is none.
    pub median: Option<f64>,
    /// How many were left out because the observed values are constant.
    pub n_skipped: usize,
    /// How many count as 0 because the predicted values are constant.
    pub n_constant_predicted: usize,
}

impl Correlations {
    pub(crate) fn new(values: Vec<Option<f64>>, n_constant_predicted: usize) -> Self {
        let mut defined: Vec<f64> = values.iter().flatten().copied().collect();
        let mean = (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64);
        let n_skipped = values.len() - defined.len();
        Self { mean, median: median(&mut defined), n_skipped, n_constant_predicted, values }
    }
}

/// Middle value, or the mean of the two middle values.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// Centred sums of pairs of variables (each a vector over variables, 64-bit).
#[derive(Debug)]
pub(crate) struct PairedSums {
    n: f64,
    predicted: Spread,
    observed: Spread,
    product: Tensor,
}

/// Mean, sum of squares about it, and range of each variable.
#[derive(Debug)]
struct Spread {
    mean: Tensor,
    squares: Tensor,
    smallest: Tensor,
    largest: Tensor,
}

impl PairedSums {
    /// Sums over one dimension of two matrices of the same shape.
    pub(crate) fn over(predicted: &Tensor, observed: &Tensor, dimension: i64) -> Result<Self> {
        let (p, p_centred) = Spread::over(predicted, dimension);
        let (o, o_centred) = Spread::over(observed, dimension);
        let product = sum_over(&(p_centred * o_centred), dimension).view(-1);
        Ok(Self { n: predicted.size()[dimension as usize] as f64, predicted: p, observed: o, product })
    }

    /// Sums over both sets of observations.
    pub(crate) fn joined(self, other: &Self) -> Self {
        let n = self.n + other.n;
        let weight = self.n * other.n / n;
        let p_shift = &other.predicted.mean - &self.predicted.mean;
        let o_shift = &other.observed.mean - &self.observed.mean;
        let product = self.product + &other.product + &p_shift * &o_shift * weight;
        let share = other.n / n;
        Self {
            n,
            predicted: self.predicted.joined(&other.predicted, &p_shift, (share, weight)),
            observed: self.observed.joined(&other.observed, &o_shift, (share, weight)),
            product,
        }
    }

    pub(crate) fn correlations(&self) -> Result<Correlations> {
        let (predicted_varies, observed_varies) = (self.predicted.varies()?, self.observed.varies()?);
        let scale = self.predicted.squares.sqrt() * self.observed.squares.sqrt();
        let r = numbers(&(&self.product / scale))?;
        let mut n_constant_predicted = 0;
        let values = (0..r.len()).map(|at| match (observed_varies[at], predicted_varies[at]) {
            (false, _) => None,
            (true, true) if r[at].is_finite() => Some(r[at].clamp(-1.0, 1.0)),
            (true, _) => {
                n_constant_predicted += 1;
                Some(0.0)
            }
        });
        let values = values.collect();
        Ok(Correlations::new(values, n_constant_predicted))
    }
}

impl Spread {
    fn over(values: &Tensor, dimension: i64) -> (Self, Tensor) {
        let mean = values.mean_dim([dimension].as_slice(), true, Kind::Double);
        let centred = values - &mean;
        let spread = Self {
            mean: mean.view(-1),
            squares: sum_over(&(&centred * &centred), dimension).view(-1),
            smallest: values.amin([dimension].as_slice(), false),
            largest: values.amax([dimension].as_slice(), false),
        };
        (spread, centred)
    }

    /// `share` is n₂ / (n₁ + n₂), `weight` is n₁ n₂ / (n₁ + n₂).
    fn joined(self, other: &Self, shift: &Tensor, (share, weight): (f64, f64)) -> Self {
        Self {
            mean: self.mean + shift * share,
            squares: self.squares + &other.squares + shift * shift * weight,
            smallest: self.smallest.minimum(&other.smallest),
            largest: self.largest.maximum(&other.largest),
        }
    }

    fn varies(&self) -> Result<Vec<bool>> {
        Ok(Vec::try_from(self.smallest.less_tensor(&self.largest).to_device(tch::Device::Cpu))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_even_odd_and_nothing() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
    }
}
