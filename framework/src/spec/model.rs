//! `[model]`: which family of models, as a preset of latent spaces and of the way they are found.

use crate::component::{Problem, Spec, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The family that a spec starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// Partially shared latent rows, learned jointly with the decoders; encoders follow (Zhang et al. 2026).
    #[default]
    Apollo,
    /// Latent rows and a decoder with a trunk that modalities share, mixtures as priors, no encoders: rows of new cells are
    /// found by optimisation (multiDGD, Schuster et al. 2024).
    Dgd,
    /// The one-step baseline: variational encoders and decoders trained together (Zhang et al. 2026, Methods).
    Autoencoder,
}

/// Which values the tables of `[fit]` and `[latent]` start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Settings {
    /// Values found to reach good predictions within minutes; see `examples/README.md`.
    #[default]
    Recommended,
    /// The values of the paper and its code, which need thousands of epochs.
    Published,
}

/// The preset; `[latent.*]` and `[fit.*]` of the spec win over what it expands to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSpec {
    /// The family.
    pub kind: ModelKind,
    /// Which values the other tables start from.
    pub settings: Settings,
    /// Width of the space shared by all modalities (multiDGD's basal representation); 0 for none.
    pub shared: i64,
    /// Width of the space specific to each modality; 0 for none.
    pub specific: i64,
    /// Whether each modality also has a decoder that reads its shared spaces only; without it, predictions from another
    /// modality put zeros in the specific slot of the full decoder.
    pub shared_decoders: bool,
    /// Columns of obs, each of which gets a latent space of its own, `cov_COLUMN`, with one component per class.
    pub covariates: Vec<String>,
}

impl Default for ModelSpec {
    fn default() -> Self {
        ModelSpec {
            kind: ModelKind::Apollo,
            settings: Settings::Recommended,
            shared: 50,
            specific: 20,
            shared_decoders: true,
            covariates: Vec::new(),
        }
    }
}

impl Spec for ModelSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (key, dim) in [("shared", self.shared), ("specific", self.specific)] {
            require(
                &mut problems,
                (0..=65_536).contains(&dim),
                key,
                format!("is {dim}, but a width must be from 0 to 65536"),
            );
        }
        problems
    }
}
