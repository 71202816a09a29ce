//! Modality `protein_image`: images of one stained or tagged protein of single cells.

use anyhow::Result;
use framework::component::Spec;
use framework::data::{Augmentation, open_images};
use framework::{Defaults, Modality, ModalitySpec, Source, Step, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Images of one stained or tagged protein of single cells: one channel of the crops that `cithara cut` made, of brightnesses from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProteinImageSpec {
    /// What is done to images of training cells. Alike for all images of a model, and only for one that learns encoders with
    /// decoders (`autoencoder`): a row of other models stands for one image as it is.
    pub augment: Augmentation,
}

impl Spec for ProteinImageSpec {}

#[typetag::serialize(name = "protein_image")]
impl ModalitySpec for ProteinImageSpec {
    fn open(&self, source: &Source<'_>, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        Ok(Box::new(open_images(source, &steps)?))
    }

    fn augmentation(&self) -> Option<Augmentation> {
        Some(self.augment)
    }

    fn defaults(&self) -> Defaults {
        Defaults {
            steps: Vec::new(),
            encoder: ("conv", ""),
            decoder: ("conv", ""),
            loss: ("bce", "pos_weight = \"none\""),
        }
    }
}

component! {
    role: Modality,
    name: "protein_image",
    spec: ProteinImageSpec,
    summary: "images of one stained or tagged protein of single cells",
    source: "Zhang et al. 2026, Methods (images)",
    example: "",
}
