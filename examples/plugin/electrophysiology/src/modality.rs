//! Modality `electrophysiology`: a narrow table of continuous values.

use crate::standardise::Standardise;
use framework::anyhow::Result;
use framework::component::Spec;
use framework::data::{MatrixReading, open_table};
use framework::schemars::JsonSchema;
use framework::serde::{Deserialize, Serialize};
use framework::{Defaults, Modality, ModalitySpec, Source, Step, component, typetag};

/// A table of cells × properties of an .h5ad file or of one modality of an .h5mu file; every value must be a number.
///
/// After the `steps`, each property is standardised by its mean and standard deviation over the training cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "framework::serde", deny_unknown_fields, default)]
#[schemars(crate = "framework::schemars")]
pub struct ElectrophysiologySpec {
    /// Where the values are: `X`, `raw` or the name of a layer.
    pub layer: String,
}

impl Default for ElectrophysiologySpec {
    fn default() -> Self {
        ElectrophysiologySpec { layer: "X".into() }
    }
}

impl Spec for ElectrophysiologySpec {}

#[typetag::serialize(name = "electrophysiology")]
impl ModalitySpec for ElectrophysiologySpec {
    fn open(&self, source: &Source<'_>, mut steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        steps.push(Box::new(Standardise::default()));
        let usual_keys = &["electrophysiology", "ephys", "patch"];
        let reading =
            MatrixReading { layer: self.layer.clone(), feature: "property", usual_keys, ..Default::default() };
        Ok(Box::new(open_table(source, &reading, steps)?))
    }

    fn defaults(&self) -> Defaults {
        let network = ("mlp", "hidden = [64, 64]");
        Defaults { steps: Vec::new(), encoder: network, decoder: network, loss: ("student_t", "") }
    }
}

component! {
    role: Modality,
    name: "electrophysiology",
    spec: ElectrophysiologySpec,
    summary: "electrical properties of cells, such as spike width and rheobase",
    source: "Cadwell et al. 2016, Nature Biotechnology 34 (Patch-seq)",
    example: "layer = \"X\"",
}
