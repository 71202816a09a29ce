//! Modality `atac`: counts of accessible fragments per peak.

use anyhow::Result;
use framework::component::Spec;
use framework::data::{MatrixReading, open_matrix};
use framework::{Defaults, Modality, ModalitySpec, Source, Step, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts of accessible fragments per peak: a matrix of cells × peaks of an .h5ad file or of one modality of an .h5mu
/// file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AtacSpec {
    /// Where the values are: `X`, `raw` or the name of a layer.
    pub layer: String,
    /// Whether the values must be counts (integers of at least 0); `false` accepts any values, for example ones that
    /// are normalised already. Losses of counts check theirs all the same.
    pub counts: bool,
    /// Filtering drops peaks that are above 0 in fewer cells; default 300 (as published); 0 keeps all.
    pub min_cells_per_feature: usize,
    /// Filtering drops cells with fewer peaks above 0; default 300 (as published); 0 keeps all.
    pub min_features_per_cell: usize,
}

impl Default for AtacSpec {
    fn default() -> Self {
        AtacSpec { layer: "X".into(), counts: true, min_cells_per_feature: 300, min_features_per_cell: 300 }
    }
}

impl Spec for AtacSpec {}

#[typetag::serialize(name = "atac")]
impl ModalitySpec for AtacSpec {
    fn open(&self, source: &Source<'_>, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        let reading = MatrixReading {
            layer: self.layer.clone(),
            counts: self.counts,
            min_cells_per_feature: self.min_cells_per_feature,
            min_features_per_cell: self.min_features_per_cell,
            feature: "peak",
            usual_keys: &["atac", "peaks", "ATAC", "Peaks"],
        };
        Ok(Box::new(open_matrix(source, &reading, steps)?))
    }

    fn defaults(&self) -> Defaults {
        Defaults {
            steps: vec![("log_min_max", "")],
            encoder: ("mlp", "hidden = [256, 256]"),
            decoder: ("mlp", "hidden = [256, 256, 256]"),
            loss: ("bce", "pos_weight = \"none\""),
        }
    }

    fn published_defaults(&self) -> Defaults {
        Defaults {
            encoder: ("mlp", ""),
            decoder: ("mlp", ""),
            loss: ("bce", "pos_weight = \"raw_sum_all\"\nundo_pos_weight = false"),
            ..self.defaults()
        }
    }
}

component! {
    role: Modality,
    name: "atac",
    spec: AtacSpec,
    summary: "counts of accessible fragments per peak",
    source: "Zhang et al. 2026, Methods (SHARE-seq preprocessing)",
    example: "layer = \"X\"",
}
