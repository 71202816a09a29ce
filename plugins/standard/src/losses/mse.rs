//! Loss `mse`: mean squared error of the values after the steps.

use super::stored::{Stored, sum_features};
use anyhow::Result;
use framework::component::Spec;
use framework::{Loss, LossContext, LossSpec, Target, TargetValues, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Squared difference between the prediction and the value after the steps, mean over the features of a cell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MseSpec {}

impl Spec for MseSpec {}

#[typetag::serialize(name = "mse")]
impl LossSpec for MseSpec {
    fn build(&self, _context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        Ok(Box::new(Mse))
    }
}

/// The loss of an [`MseSpec`].
#[derive(Debug)]
pub struct Mse;

impl Loss for Mse {
    fn target(&self) -> TargetValues {
        TargetValues::Processed
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let stored = Stored::new(prediction, target)?;
        let predicted = stored.predicted()?;
        let errors = predicted.f_sub(&stored.values)?.f_square()?;
        let total = match stored.is_dense() {
            // As if zero and corrected, sums of squares would cancel where predictions are good.
            true => sum_features(&errors)?,
            false => {
                let correction = errors.f_sub(&predicted.f_square()?)?;
                sum_features(&stored.prediction.f_square()?)?.f_add(&stored.sum_entries(&correction)?)?
            }
        };
        Ok(total.f_div_scalar(stored.n_features())?)
    }

    fn expectation(&self, prediction: &Tensor, _totals: Option<&Tensor>) -> Result<Tensor> {
        Ok(prediction.shallow_clone())
    }
}

component! {
    role: Loss,
    name: "mse",
    spec: MseSpec,
    summary: "mean squared error of the values after the steps",
    source: "Zhang et al. 2026, Methods (simulations, images)",
    example: "",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::{close, context, dense_target, gradient_error, logits, sparse_target};
    use tch::Kind;

    #[test]
    fn small_differences_of_images_keep_their_digits() {
        let loss = MseSpec {}.build(&context(&tch::nn::VarStore::new(tch::Device::Cpu))).unwrap();
        let images = Tensor::rand([4, 1, 64, 64], (Kind::Float, tch::Device::Cpu));
        let prediction = &images + images.randn_like() * 0.01;
        let expected = (prediction.to_kind(Kind::Double) - images.to_kind(Kind::Double)).square();
        let expected = expected.mean_dim([1i64, 2, 3].as_slice(), false, Kind::Double);
        let found = loss.per_cell(&prediction, &Target::new(framework::Features::Dense(images))).unwrap();
        assert!(found.to_kind(Kind::Double).allclose(&expected, 1e-6, 0.0, false), "{found} instead of {expected}");
    }

    #[test]
    fn squared_differences_are_averaged_over_features() {
        let loss = MseSpec {}.build(&context(&tch::nn::VarStore::new(tch::Device::Cpu))).unwrap();
        for target in [sparse_target(), dense_target()] {
            let expected = (logits() - target.dense()).square().mean_dim([1i64].as_slice(), false, Kind::Float);
            assert!(close(&loss.per_cell(&logits(), &target).unwrap(), &expected));
            assert!(gradient_error(loss.as_ref(), &target) < 1e-7);
        }
    }
}
