//! Loss `zinb`: a negative binomial with more zeros.

use super::negative_binomial::{Dispersion, of_features, terms};
use super::shares::expectation;
use super::stored::sum_features;
use anyhow::{Result, ensure};
use framework::component::{Problem, Spec, require};
use framework::{Loss, LossContext, LossSpec, Target, TargetValues, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Init;

/// Negative log-likelihood of the raw counts as zero-inflated negative binomial variables, mean over the features of a
/// cell.
///
/// A count is 0 with probability πⱼ, which is learned and the same in every cell, and else follows the loss
/// `negative_binomial`: p(0) = π + (1 − π) NB(0), p(k) = (1 − π) NB(k).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ZinbSpec {
    /// How the dispersion follows from the learned `log_r`, which starts at 0: `one_plus_exp` (r = 1 + exp(log_r)) or
    /// `exp` (r = exp(log_r)).
    pub dispersion: Dispersion,
    /// The probability π of a zero more that learning starts from, above 0 and below 1.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub initial_inflation: f64,
}

impl Default for ZinbSpec {
    fn default() -> Self {
        ZinbSpec { dispersion: Dispersion::default(), initial_inflation: 0.1 }
    }
}

impl Spec for ZinbSpec {
    fn validate(&self) -> Vec<Problem> {
        let (mut problems, share) = (Vec::new(), self.initial_inflation);
        let message = format!("is {share}, but must be above 0 and below 1");
        require(&mut problems, share > 0.0 && share < 1.0, "initial_inflation", message);
        problems
    }
}

#[typetag::serialize(name = "zinb")]
impl LossSpec for ZinbSpec {
    fn build(&self, context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        let size = [1, context.output.n_features()];
        let logit = (self.initial_inflation / (1.0 - self.initial_inflation)).ln();
        Ok(Box::new(Zinb {
            log_r: context.vars.f_var("log_r", &size, Init::Const(0.0))?,
            inflation: context.vars.f_var("inflation", &size, Init::Const(logit))?,
            dispersion: self.dispersion,
        }))
    }
}

/// The loss of a [`ZinbSpec`].
#[derive(Debug)]
pub struct Zinb {
    /// 1 × n_features.
    log_r: Tensor,
    /// Logits of π: 1 × n_features.
    inflation: Tensor,
    dispersion: Dispersion,
}

impl Loss for Zinb {
    fn target(&self) -> TargetValues {
        TargetValues::Counts
    }

    /// With z = −ln NB(0) and the logit ξ of π, −ln p(0) = ln(1 + e^ξ) − ln(e^ξ + e^−z): summed over all features as if
    /// every count were zero, then put right at the stored counts.
    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let n_features = self.log_r.size()[1];
        ensure!(
            target.features().n_features() == n_features,
            "the target has {} features, but the loss was made for {n_features}",
            target.features().n_features()
        );
        let flat = prediction.f_flatten(1, -1)?;
        let terms = terms(&flat, target, &self.dispersion.of(&self.log_r)?)?;
        let (zeros, here) = (&terms.zeros, of_features(&self.inflation, target)?);
        let as_if_zero = sum_features(&self.inflation.f_logaddexp(&zeros.prediction.f_neg()?)?)?;
        let predicted = zeros.predicted()?;
        let above = predicted.f_add(&terms.corrections)?.f_add(&here.f_logaddexp(&predicted.f_neg()?)?)?;
        let above = above.f_where_self(&zeros.values.f_gt(0.0)?, &above.f_zeros_like()?)?;
        let share = self.inflation.f_softplus()?.f_sum(None::<tch::Kind>)?;
        let summed = zeros.sum_entries(&above)?.f_sub(&as_if_zero)?.f_add(&share)?;
        Ok(summed.f_div_scalar(zeros.n_features())?)
    }

    /// (1 − π) m.
    fn expectation(&self, prediction: &Tensor, totals: Option<&Tensor>) -> Result<Tensor> {
        let kept = self.inflation.f_neg()?.f_sigmoid()?;
        let means = expectation(prediction, totals)?;
        Ok(means.f_flatten(1, -1)?.f_mul(&kept)?.f_view(prediction.size().as_slice())?)
    }
}

component! {
    role: Loss,
    name: "zinb",
    spec: ZinbSpec,
    summary: "zero-inflated negative binomial likelihood of raw counts",
    source: "Lopez et al. 2018 (scVI); here inflation and dispersion are one number per feature",
    example: "initial_inflation = 0.2",
}

#[cfg(test)]
mod tests;
