//! `[condition.NAME]`: a category of each cell that networks are told.

use crate::component::{Problem, Spec, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which vectors encoders are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EncoderTable {
    /// Each encoder has vectors of its own, learned with it (as the published code).
    #[default]
    Separate,
    /// Those of the decoders, which rest while encoders are learned in step 2 (as the paper says).
    Decoders,
}

/// A category of each cell, such as the protein that its second image shows: decoders read a learned vector of the category
/// after their latent rows, encoders before each of their heads (Zhang et al. 2026, Methods: protein IDs).
///
/// Vectors are drawn from normal(0, 1); no noise is added to them and no prior counts them. Those of the decoders are stepped
/// as the decoders' parameters are (which optimizer the published code steps them by is not known). The categories are those
/// of the training cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionSpec {
    /// The column of obs that has the category of each cell.
    pub column: String,
    /// Numbers of a category's vector, from 1 to 65536. Published: 64.
    #[serde(default = "published_width")]
    #[schemars(range(min = 1, max = 65_536))]
    pub n_dims: i64,
    /// The modalities whose networks are told the category; all where it is not given. Each cell that they measured must have
    /// one.
    #[serde(default)]
    pub modalities: Vec<String>,
    /// Which vectors encoders are told.
    #[serde(default)]
    pub encoder_table: EncoderTable,
}

fn published_width() -> i64 {
    64
}

impl Spec for ConditionSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let n_dims = self.n_dims;
        let fits = (1..=65_536).contains(&n_dims);
        require(&mut problems, fits, "n_dims", format!("is {n_dims}, but must be from 1 to 65536"));
        require(&mut problems, !self.column.is_empty(), "column", "is empty; name a column of obs");
        let is_read = !self.modalities.is_empty();
        require(&mut problems, is_read, "modalities", "is empty, but some modality must be told the category");
        problems
    }
}
