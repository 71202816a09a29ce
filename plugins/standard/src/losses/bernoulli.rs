//! Loss `bernoulli`: whether a count is above 0, as a Bernoulli variable.

use super::logistic::cross_entropy;
use super::stored::Stored;
use anyhow::Result;
use framework::component::Spec;
use framework::{Loss, LossContext, LossSpec, Target, TargetValues, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Negative log-likelihood of "the count is above 0" with probability sigmoid(prediction), mean over the features of a
/// cell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BernoulliSpec {}

impl Spec for BernoulliSpec {}

#[typetag::serialize(name = "bernoulli")]
impl LossSpec for BernoulliSpec {
    fn build(&self, _context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        Ok(Box::new(Bernoulli))
    }
}

/// The loss of a [`BernoulliSpec`].
#[derive(Debug)]
pub struct Bernoulli;

impl Loss for Bernoulli {
    fn target(&self) -> TargetValues {
        TargetValues::Presence
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let stored = Stored::new(prediction, target)?;
        cross_entropy(&stored, &stored.values, 1.0)
    }

    fn expectation(&self, prediction: &Tensor, _totals: Option<&Tensor>) -> Result<Tensor> {
        Ok(prediction.f_sigmoid()?)
    }
}

component! {
    role: Loss,
    name: "bernoulli",
    spec: BernoulliSpec,
    summary: "whether a count is above 0, from logits",
    source: "the Bernoulli likelihood; Ashuach et al. 2022 (PeakVI) use it for accessibility",
    example: "",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::{bce_by_formula, close, context, logits, sparse_target};

    #[test]
    fn counts_above_zero_are_ones() {
        let loss = BernoulliSpec {}.build(&context(&tch::nn::VarStore::new(tch::Device::Cpu))).unwrap();
        let seen = sparse_target().dense().gt(0.0).to_kind(tch::Kind::Float);
        let target = Target::new(framework::Features::Dense(seen.shallow_clone()));
        let expected = bce_by_formula(&logits(), &seen, 1.0);
        assert!(close(&loss.per_cell(&logits(), &target).unwrap(), &expected));
        assert_eq!(loss.target(), TargetValues::Presence);
    }
}
