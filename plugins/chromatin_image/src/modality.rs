//! Modality `chromatin_image`: images of stained DNA of single nuclei.

use anyhow::Result;
use framework::component::Spec;
use framework::data::{Augmentation, open_images};
use framework::{Defaults, Modality, ModalitySpec, Source, Step, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Images of stained DNA of single nuclei: one channel of the crops that `cithara cut` made, of brightnesses from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChromatinImageSpec {
    /// What is done to images of training cells. Alike for all images of a model, and only for one that learns encoders with
    /// decoders (`autoencoder`): a row of other models stands for one image as it is.
    pub augment: Augmentation,
}

impl Spec for ChromatinImageSpec {}

#[typetag::serialize(name = "chromatin_image")]
impl ModalitySpec for ChromatinImageSpec {
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
    name: "chromatin_image",
    spec: ChromatinImageSpec,
    summary: "images of stained DNA of single nuclei",
    source: "Zhang et al. 2026, Methods (images)",
    example: "",
}
