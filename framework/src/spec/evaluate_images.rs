//! `[evaluate.images]`: how predicted images are judged.

use crate::component::{Problem, Spec, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Over what the most frequent brightness is taken, before it is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdOver {
    /// All images of a minibatch together, and divided by the largest value of them all (as the published code).
    #[default]
    Minibatch,
    /// Each image.
    Image,
}

/// Which images lose their most frequent brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdOf {
    /// Predicted ones only, real ones stay as they are (as the published code).
    #[default]
    Prediction,
    /// Predicted and real ones.
    Both,
}

/// How predicted images are judged beside real ones, for modalities whose measurements are images.
///
/// The thresholded L1 is |max(p − m, 0) / max(p − m) − o|, mean over pixels, where m is the most frequent brightness of the
/// predictions p (Zhang et al. 2026, code).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluateImages {
    /// Over what the most frequent brightness is taken.
    pub threshold_over: ThresholdOver,
    /// Which images lose it.
    pub threshold_of: ThresholdOf,
    /// Images of a minibatch, at least 1; minibatches are of one category of each condition. Published: 328.
    pub minibatch: usize,
    /// By modality: real images of a category that the model was not shown of these cells, such as of proteins that they were
    /// stained for beside the one that it knows of. Each modality that shares a space predicts them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unshown: BTreeMap<String, UnshownImages>,
}

/// Real images that the model was not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnshownImages {
    /// The modality of the file that has them.
    pub key: String,
    /// The condition that the modality's networks are told.
    pub condition: String,
    /// The column of obs that says which of its categories the image of each cell is of.
    pub column: String,
}

impl Default for EvaluateImages {
    fn default() -> Self {
        EvaluateImages {
            threshold_over: ThresholdOver::default(),
            threshold_of: ThresholdOf::default(),
            minibatch: 328,
            unshown: BTreeMap::new(),
        }
    }
}

impl Spec for EvaluateImages {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        require(&mut problems, self.minibatch >= 1, "minibatch", "must be at least 1");
        for (name, unshown) in &self.unshown {
            let texts = [("key", &unshown.key), ("condition", &unshown.condition), ("column", &unshown.column)];
            for (key, text) in texts {
                require(&mut problems, !text.is_empty(), &format!("unshown.{name}.{key}"), "is empty");
            }
        }
        problems
    }
}
