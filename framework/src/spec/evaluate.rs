//! `[evaluate]`: what a trained model is judged by.

use super::EvaluateImages;
use crate::component::{Problem, Spec, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a run is evaluated, beside controls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluateSpec {
    /// Columns of obs that probes try to read from each space; `data.label` where none is given.
    pub labels: Vec<String>,
    /// Neighbours of the label probe.
    pub n_label_neighbours: usize,
    /// Neighbours of the prediction control.
    pub n_prediction_neighbours: usize,
    /// Principal components that the ridge and neighbour controls work on.
    pub n_components: usize,
    /// Penalty of the ridge control.
    pub ridge: f64,
    /// How predicted images are judged.
    pub images: EvaluateImages,
}

impl Default for EvaluateSpec {
    fn default() -> Self {
        EvaluateSpec {
            labels: Vec::new(),
            n_label_neighbours: 15,
            n_prediction_neighbours: 25,
            n_components: 50,
            ridge: 1.0,
            images: EvaluateImages::default(),
        }
    }
}

impl Spec for EvaluateSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (key, n) in [
            ("n_label_neighbours", self.n_label_neighbours),
            ("n_prediction_neighbours", self.n_prediction_neighbours),
            ("n_components", self.n_components),
        ] {
            require(&mut problems, n >= 1, key, "must be at least 1");
        }
        require(&mut problems, self.ridge >= 0.0 && self.ridge.is_finite(), "ridge", "must be at least 0");
        let of_images = self.images.validate().into_iter();
        problems.extend(of_images.map(|problem| Problem { key: format!("images.{}", problem.key), ..problem }));
        problems
    }
}
