//! `[trunk]`: the layers that the decoders of all modalities share.

use crate::component::{Problem, Spec, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fully connected layers with ReLU, above the latent spaces that every modality reads (Schuster et al. 2024, Methods).
///
/// Each modality's decoder reads the trunk's output, and beside it the spaces that not all modalities read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrunkSpec {
    /// Layers; 0 for no trunk.
    pub n_layers: usize,
    /// Width of each layer.
    pub width: i64,
}

impl Default for TrunkSpec {
    fn default() -> Self {
        TrunkSpec { n_layers: 0, width: 100 }
    }
}

impl Spec for TrunkSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let TrunkSpec { n_layers, width } = self;
        require(&mut problems, *n_layers <= 64, "n_layers", format!("is {n_layers}, but must be at most 64"));
        let fits = (1..=65_536).contains(width);
        require(&mut problems, fits, "width", format!("is {width}, but must be from 1 to 65536"));
        problems
    }
}
