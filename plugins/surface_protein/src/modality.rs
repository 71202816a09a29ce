//! Modality `surface_protein`: counts of antibody tags per surface protein.

use anyhow::Result;
use framework::component::Spec;
use framework::data::{MatrixReading, open_matrix};
use framework::{Defaults, Modality, ModalitySpec, Source, Step, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts of antibody tags per surface protein: a matrix of cells × proteins of an .h5ad file or of one modality of an
/// .h5mu file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SurfaceProteinSpec {
    /// Where the values are: `X`, `raw` or the name of a layer.
    pub layer: String,
    /// Whether the values must be counts (integers of at least 0); `false` accepts any values, for example ones that
    /// are normalised already. Losses of counts check theirs all the same.
    pub counts: bool,
    /// Filtering drops proteins that are above 0 in fewer cells; 0 (the default) keeps all.
    pub min_cells_per_feature: usize,
    /// Filtering drops cells with fewer proteins above 0; 0 (the default) keeps all.
    pub min_features_per_cell: usize,
}

impl Default for SurfaceProteinSpec {
    fn default() -> Self {
        SurfaceProteinSpec { layer: "X".into(), counts: true, min_cells_per_feature: 0, min_features_per_cell: 0 }
    }
}

impl Spec for SurfaceProteinSpec {}

#[typetag::serialize(name = "surface_protein")]
impl ModalitySpec for SurfaceProteinSpec {
    fn open(&self, source: &Source<'_>, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        let reading = MatrixReading {
            layer: self.layer.clone(),
            counts: self.counts,
            min_cells_per_feature: self.min_cells_per_feature,
            min_features_per_cell: self.min_features_per_cell,
            feature: "protein",
            usual_keys: &["prot", "protein", "adt", "ADT", "cite", "Antibody Capture"],
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
            loss: ("bce", "pos_weight = \"nonzero_training\"\nundo_pos_weight = false"),
            ..self.defaults()
        }
    }
}

component! {
    role: Modality,
    name: "surface_protein",
    spec: SurfaceProteinSpec,
    summary: "counts of antibody tags per surface protein",
    source: "Zhang et al. 2026, Methods (CITE-seq)",
    example: "layer = \"X\"",
}
