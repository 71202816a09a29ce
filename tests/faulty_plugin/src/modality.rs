//! The modality: a table of numbers.

use crate::components::Faulty;
use framework::anyhow::Result;
use framework::data::{MatrixReading, open_matrix};
use framework::{Defaults, Modality, ModalitySpec, Source, Step, component, typetag};

#[typetag::serialize(name = "faulty")]
impl ModalitySpec for Faulty {
    fn open(&self, source: &Source<'_>, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        self.act();
        Ok(Box::new(open_matrix(source, &MatrixReading::default(), steps)?))
    }

    fn defaults(&self) -> Defaults {
        Defaults { steps: vec![("faulty", "")], encoder: ("faulty", ""), decoder: ("faulty", ""), loss: ("faulty", "") }
    }
}

component! { role: Modality, name: "faulty", spec: Faulty, summary: "a table of numbers", source: "a test", example: "" }
