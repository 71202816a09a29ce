//! Loss `bce`: binary cross-entropy of logits and values in [0, 1].

use super::logistic::cross_entropy;
use super::stored::Stored;
use crate::range;
use anyhow::{Result, ensure};
use framework::component::{Problem, Spec};
use framework::{Loss, LossContext, LossSpec, Target, TargetValues, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// The named rules for the weight of ones: (N − S)/S, with N entries and S as named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PosWeightRule {
    /// Weight 1.
    None,
    /// S is the sum of the raw values over all cells (as published for SHARE-seq).
    RawSumAll,
    /// S is the sum of the raw values over the training cells (as published for the RNA of CITE-seq).
    RawSumTraining,
    /// S is the number of raw values that are not zero in the training cells (as published for the proteins of
    /// CITE-seq).
    NonzeroTraining,
}

/// The weight of ones: a rule or a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected `none`, `raw_sum_all`, `raw_sum_training`, `nonzero_training` or a number above 0"
)]
pub enum PosWeight {
    /// A named rule.
    Rule(PosWeightRule),
    /// That weight.
    Number(#[schemars(extend("exclusiveMinimum" = 0))] f64),
}

/// Binary cross-entropy between the sigmoid of the prediction and values in [0, 1], mean over the features of a cell.
///
/// For each feature −w y ln σ(x) − (1 − y) ln(1 − σ(x)), with prediction x, value y and one weight w for all features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BceSpec {
    /// The weight w of ones: a number above 0, `none` (1), or (N − S)/S with N entries and S named by the rule:
    /// `raw_sum_all` (sum of raw values, all cells), `raw_sum_training` (the same, training cells) or
    /// `nonzero_training` (values that are not zero, training cells).
    pub pos_weight: PosWeight,
    /// Whether predictions undo the weight: where ones weigh w, the loss is least at w y / (w y + 1 − y), not at y, so
    /// the expected value is σ(x − ln w). `false` gives σ(x), as published.
    pub undo_pos_weight: bool,
    /// The least weight that a rule may give, above 0: (N − S)/S is negative where the mean raw value is above 1.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub pos_weight_floor: f64,
}

impl Default for BceSpec {
    fn default() -> Self {
        BceSpec { pos_weight: PosWeight::Rule(PosWeightRule::None), undo_pos_weight: true, pos_weight_floor: 0.1 }
    }
}

impl Spec for BceSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let PosWeight::Number(weight) = self.pos_weight {
            range::positive(&mut problems, "pos_weight", weight);
        }
        range::positive(&mut problems, "pos_weight_floor", self.pos_weight_floor);
        problems
    }
}

impl BceSpec {
    /// The weight of ones for these data.
    ///
    /// # Errors
    /// When a rule has nothing to divide by.
    pub fn weight(&self, context: &LossContext<'_>) -> Result<f64> {
        let (n_entries, sum) = match self.pos_weight {
            PosWeight::Number(weight) => return Ok(weight),
            PosWeight::Rule(PosWeightRule::None) => return Ok(1.0),
            PosWeight::Rule(PosWeightRule::RawSumAll) => (context.all.n_entries, context.all.raw_sum),
            PosWeight::Rule(PosWeightRule::RawSumTraining) => (context.training.n_entries, context.training.raw_sum),
            PosWeight::Rule(PosWeightRule::NonzeroTraining) => (context.training.n_entries, context.training.n_nonzero),
        };
        ensure!(
            sum > 0.0,
            "no value is above 0, so the rule of `pos_weight` has nothing to divide by; set it to a number"
        );
        Ok(((n_entries - sum) / sum).max(self.pos_weight_floor))
    }
}

#[typetag::serialize(name = "bce")]
impl LossSpec for BceSpec {
    fn build(&self, context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        Ok(Box::new(Bce { weight: self.weight(context)?, undo_weight: self.undo_pos_weight }))
    }
}

/// The loss of a [`BceSpec`].
#[derive(Debug)]
pub struct Bce {
    weight: f64,
    undo_weight: bool,
}

impl Loss for Bce {
    fn target(&self) -> TargetValues {
        TargetValues::UnitInterval
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let stored = Stored::new(prediction, target)?;
        cross_entropy(&stored, &stored.values, self.weight)
    }

    fn expectation(&self, prediction: &Tensor, _totals: Option<&Tensor>) -> Result<Tensor> {
        let shift = if self.undo_weight { self.weight.ln() } else { 0.0 };
        Ok((prediction - shift).f_sigmoid()?)
    }
}

component! {
    role: Loss,
    name: "bce",
    spec: BceSpec,
    summary: "binary cross-entropy of logits and values in [0, 1]",
    source: "Zhang et al. 2026, Methods (loss for sequencing data) and its code",
    example: "pos_weight = \"raw_sum_all\"",
}

#[cfg(test)]
mod tests;
