//! Pearson correlations of many pairs of variables at once, and what is done with variables that do not vary.

use anyhow::Result;
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::tensor::{numbers, sum_over};

/// Pearson correlations, one per feature or one per cell.
///
/// r = Σ (p − p̄)(o − ō) / √(Σ (p − p̄)² Σ (o − ō)²). Where the *observed* values are all the same r is undefined for
/// every predictor: such entries are `None` and left out of mean and median. So are those of which fewer than 3 pairs were
/// measured, where not all were. Where only the *predicted* values are all
/// the same r is set to 0 and counted, so that a model gains nothing by predicting constants for what it finds hard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correlations {
    /// One per feature or cell; `None` where the observed values are constant or too few.
    pub values: Vec<Option<f64>>,
    /// Mean over defined values; `None` when there is none.
    pub mean: Option<f64>,
    /// Median over defined values; `None` when there is none.
    pub median: Option<f64>,
    /// How many were left out because the observed values are constant or too few.
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

/// Predicted and observed values of one block, 64-bit, cells × features.
pub(crate) struct Paired {
    predicted: Tensor,
    observed: Tensor,
    /// 1 where something was measured, else 0 (and then 0 in both others, too); `None` where everything was.
    measured: Option<Tensor>,
}

impl Paired {
    /// Values that all count.
    pub(crate) fn complete(predicted: Tensor, observed: Tensor) -> Self {
        Self { predicted, observed, measured: None }
    }

    /// Values of which those count whose observation is not NaN.
    pub(crate) fn measured(predicted: &Tensor, observed: &Tensor) -> Self {
        let missing = observed.isnan();
        Self {
            predicted: predicted.masked_fill(&missing, 0.0),
            observed: observed.masked_fill(&missing, 0.0),
            measured: Some(missing.logical_not().to_kind(Kind::Double)),
        }
    }

    /// The observed values, 0 where nothing was measured.
    pub(crate) fn observed(&self) -> &Tensor {
        &self.observed
    }

    /// Σ (predicted − observed)² over one dimension.
    pub(crate) fn squared_errors(&self, dimension: i64) -> Tensor {
        let difference = &self.predicted - &self.observed;
        sum_over(&(&difference * &difference), dimension).view(-1)
    }

    /// Centred sums over one dimension.
    pub(crate) fn sums(&self, dimension: i64) -> PairedSums {
        let n = match &self.measured {
            Some(measured) => sum_over(measured, dimension),
            None => {
                let (n, n_variables) =
                    (self.observed.size()[dimension as usize], self.observed.size()[1 - dimension as usize]);
                Tensor::full([n_variables], n as f64, (Kind::Double, self.observed.device()))
            }
        };
        let (predicted, p_centred) = self.spread(&self.predicted, &n, dimension);
        let (observed, o_centred) = self.spread(&self.observed, &n, dimension);
        let product = sum_over(&(p_centred * o_centred), dimension).view(-1);
        PairedSums { n: n.view(-1), predicted, observed, product }
    }

    fn spread(&self, values: &Tensor, n: &Tensor, dimension: i64) -> (Spread, Tensor) {
        match &self.measured {
            None => Spread::over(values, dimension),
            Some(measured) => Spread::over_measured(values, (measured, n), dimension),
        }
    }
}

/// Centred sums of pairs of variables (each a vector over variables, 64-bit).
#[derive(Debug)]
pub(crate) struct PairedSums {
    /// Pairs that count.
    n: Tensor,
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
    /// Pairs that count, one number per variable.
    pub(crate) fn counts(&self) -> Result<Vec<f64>> {
        numbers(&self.n)
    }

    /// Sums over both sets of observations.
    pub(crate) fn joined(self, other: &Self) -> Self {
        let n = &self.n + &other.n;
        let at_least_one = n.clamp_min(1.0);
        let weight = self.n * &other.n / &at_least_one;
        let p_shift = &other.predicted.mean - &self.predicted.mean;
        let o_shift = &other.observed.mean - &self.observed.mean;
        let product = self.product + &other.product + &p_shift * &o_shift * &weight;
        let share = &other.n / at_least_one;
        Self {
            n,
            predicted: self.predicted.joined(&other.predicted, &p_shift, (&share, &weight)),
            observed: self.observed.joined(&other.observed, &o_shift, (&share, &weight)),
            product,
        }
    }

    /// Correlations of the variables of which at least `n_needed` pairs count.
    pub(crate) fn correlations(&self, n_needed: f64) -> Result<Correlations> {
        let counts = self.counts()?;
        let (predicted_varies, observed_varies) = (self.predicted.varies()?, self.observed.varies()?);
        let scale = self.predicted.squares.sqrt() * self.observed.squares.sqrt();
        let r = numbers(&(&self.product / scale))?;
        let mut n_constant_predicted = 0;
        let values =
            (0..r.len()).map(|at| match (observed_varies[at] && counts[at] >= n_needed, predicted_varies[at]) {
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

    /// Of the values that count; `n` is how many those are, and each other value is 0.
    fn over_measured(values: &Tensor, (measured, n): (&Tensor, &Tensor), dimension: i64) -> (Self, Tensor) {
        let mean = sum_over(values, dimension) / n.clamp_min(1.0);
        let centred = (values - &mean) * measured;
        let missing = measured.eq(0.0);
        let among_measured = |elsewhere: f64| values.masked_fill(&missing, elsewhere);
        let spread = Self {
            mean: mean.view(-1),
            squares: sum_over(&(&centred * &centred), dimension).view(-1),
            smallest: among_measured(f64::INFINITY).amin([dimension].as_slice(), false),
            largest: among_measured(f64::NEG_INFINITY).amax([dimension].as_slice(), false),
        };
        (spread, centred)
    }

    /// `share` is n₂ / (n₁ + n₂), `weight` is n₁ n₂ / (n₁ + n₂).
    fn joined(self, other: &Self, shift: &Tensor, (share, weight): (&Tensor, &Tensor)) -> Self {
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
