//! Modality `values`: any table of numbers.

use super::Standardized;
use anyhow::Result;
use framework::component::Spec;
use framework::data::{MatrixReading, open_matrix};
use framework::{Defaults, Modality, ModalitySpec, Source, Step, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Any matrix of cells × features of an .h5ad file or of one modality of an .h5mu file, taken as it is: measurements of
/// an assay that has no plugin yet, features computed elsewhere, simulated cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ValuesSpec {
    /// Where the values are: `X`, `raw` or the name of a layer.
    pub layer: String,
    /// Filtering drops features that are above 0 in fewer cells; default 0, which keeps all.
    pub min_cells_per_feature: usize,
    /// Filtering drops cells with fewer features above 0; default 0, which keeps all.
    pub min_features_per_cell: usize,
    /// Whether each feature is brought to mean 0 and variance 1 over the training cells, after the steps; for
    /// measurements that are real numbers with units of their own. Minibatches are dense then.
    pub standardize: bool,
}

impl Default for ValuesSpec {
    fn default() -> Self {
        ValuesSpec { layer: "X".into(), min_cells_per_feature: 0, min_features_per_cell: 0, standardize: false }
    }
}

impl Spec for ValuesSpec {}

#[typetag::serialize(name = "values")]
impl ModalitySpec for ValuesSpec {
    fn open(&self, source: &Source<'_>, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        let reading = MatrixReading {
            layer: self.layer.clone(),
            min_cells_per_feature: self.min_cells_per_feature,
            min_features_per_cell: self.min_features_per_cell,
            ..MatrixReading::default()
        };
        let opened = Box::new(open_matrix(source, &reading, steps)?);
        Ok(if self.standardize { Box::new(Standardized::new(opened)) } else { opened })
    }

    fn defaults(&self) -> Defaults {
        Defaults { steps: Vec::new(), encoder: ("mlp", ""), decoder: ("mlp", ""), loss: ("mse", "") }
    }
}

component! {
    role: Modality,
    name: "values",
    spec: ValuesSpec,
    summary: "any table of numbers, taken as it is",
    source: "no paper; for assays without a plugin and for simulated cells",
    example: "layer = \"X\"",
}
