//! A prepared matrix taken apart, to be kept on disk, and put together again.

use super::held::{Held, InMemory};
use super::lacking::Lacking;
use super::{MatrixModality, MatrixReading};
use crate::data::prepared::{KeptMatrix, Numbers};
use crate::modality::Modality;
use crate::step::Step;
use anndata::Csr;
use anyhow::{Result, bail, ensure};
use serde_json::json;

impl MatrixModality {
    /// What is to be kept of the matrix: names and steps, raw values, and values after the steps (none where there are no steps).
    ///
    /// # Errors
    /// When it is not prepared, or on disk.
    pub(in crate::data) fn to_kept(&self) -> Result<(KeptMatrix, &Csr, &[f32])> {
        ensure!(self.prepared, "the matrix is not prepared");
        let MatrixReading { layer, counts, feature, .. } = &self.reading;
        let kept = KeptMatrix {
            cells: self.cells.clone(),
            features: self.features.clone(),
            reading: json!({ "layer": layer, "counts": counts, "feature": feature }),
            state: self.state(),
        };
        match &self.held {
            Held::Memory(memory) => Ok((kept, &memory.raw, memory.values.as_deref().unwrap_or_default())),
            Held::Disk(_) => bail!("the matrix is on disk"),
        }
    }

    /// The matrix of what was kept of one, with steps that learn what those of it had learnt.
    ///
    /// # Errors
    /// When the parts do not fit each other.
    pub(in crate::data) fn from_kept(
        kept: KeptMatrix,
        numbers: Numbers,
        mut steps: Vec<Box<dyn Step>>,
    ) -> Result<MatrixModality> {
        let Numbers { raw, values } = numbers;
        raw.validate()?;
        let n_values = if steps.is_empty() { 0 } else { raw.n_stored() };
        ensure!(values.len() == n_values, "{} values are kept of {n_values}", values.len());
        let (step_features, selected) = MatrixModality::restore_steps(&mut steps, &kept.state)?;
        let lacking = Lacking { means: MatrixModality::means_of(&kept.state)?, ..Lacking::default() };
        let text = |key: &str| kept.reading[key].as_str().unwrap_or_default().to_owned();
        let reading = MatrixReading {
            layer: text("layer"),
            counts: kept.reading["counts"] == true,
            // a word for as long as the program lives, as those of the assays
            feature: text("feature").leak(),
            ..MatrixReading::default()
        };
        let KeptMatrix { cells, features, .. } = kept;
        let values = (!steps.is_empty()).then_some(values);
        Ok(MatrixModality {
            reading,
            origin: None,
            cells,
            features,
            step_features,
            held: Held::Memory(InMemory { raw, values }),
            steps,
            selected,
            prepared: true,
            lacking,
        })
    }
}
