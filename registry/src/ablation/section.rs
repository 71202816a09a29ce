//! `[ablation]` as it is written.

use framework::component::{Problem, Spec, require};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use toml::Value;

/// How several axes make variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Axes {
    /// Each value of each axis is a variant of the base.
    #[default]
    OneAtATime,
    /// Each combination of values is one.
    Crossed,
}

/// What is compared with what.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AblationSection {
    /// The spec that variants differ from. Relative to this file.
    pub base: PathBuf,
    /// Seeds; every variant is run with each. A seed draws the split, too, so runs of one seed have the same cells.
    #[serde(default = "seeds")]
    pub seeds: Vec<u64>,
    /// Metrics that are compared, such as `rna_to_protein.pearson`, `reconstruction.rna.rmse`, `probe.shared.cell_type`,
    /// `clustering.cell_type.ari`, `fit_secs`, `peak_memory_bytes`; predictions and probes of the base where none is given.
    #[serde(default)]
    pub metric: Vec<String>,
    /// Metrics that are better the lower they are, beside those that are errors or costs.
    #[serde(default)]
    pub lower_is_better: Vec<String>,
    /// By metric: the difference up to which a variant counts as equivalent to the base.
    #[serde(default)]
    pub margin: IndexMap<String, f64>,
    /// Named variants.
    #[serde(default)]
    pub variant: IndexMap<String, VariantSection>,
    /// By key of the spec: a list of values, each of which makes a variant.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, serde_json::Value>")]
    pub axis: IndexMap<String, Value>,
    /// How several axes make variants.
    #[serde(default)]
    pub axes: Axes,
}

/// How a variant differs from the base.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VariantSection {
    /// By key of the spec: its value in this variant. Another `kind` of a component replaces its whole table.
    #[schemars(with = "IndexMap<String, serde_json::Value>")]
    pub set: IndexMap<String, Value>,
    /// Keys and tables that this variant does not have, such as `modality.atac`.
    pub unset: Vec<String>,
}

fn seeds() -> Vec<u64> {
    (0..5).collect()
}

impl Spec for AblationSection {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        seeds.dedup();
        require(
            &mut problems,
            !self.seeds.is_empty(),
            "seeds",
            "is empty, but a variant is run with one seed at least",
        );
        require(&mut problems, seeds.len() == self.seeds.len(), "seeds", "names a seed twice");
        let usable = self.margin.values().all(|margin| *margin > 0.0 && margin.is_finite());
        require(&mut problems, usable, "margin", "holds a margin that is not above 0");
        let mut metrics: Vec<&String> = self.metric.iter().collect();
        metrics.sort_unstable();
        metrics.dedup();
        require(&mut problems, metrics.len() == self.metric.len(), "metric", "names a metric twice");
        problems
    }
}
