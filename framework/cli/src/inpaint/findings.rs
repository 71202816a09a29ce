//! What was found, as it is stored.

use super::learner::{Inpainter, InpaintingSpec, LearnedEpoch};
use super::picture::Picture;
use crate::evaluate::Evaluation;
use crate::results::Results;
use anyhow::Result;
use framework::run::write_tensors;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The network's weights.
const WEIGHTS: &str = "inpainting.safetensors";

/// How the network learned, and how well it paints beside the model and the controls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inpainted {
    /// Version of the program.
    pub version: String,
    /// The modality that is read.
    pub chromatin: String,
    /// The modality that is painted.
    pub protein: String,
    /// How the network learned.
    pub spec: InpaintingSpec,
    /// Seed of weights, orders and partners.
    pub seed: u64,
    /// Its parameters.
    pub n_parameters: usize,
    /// Cells that it learned from.
    pub n_training: usize,
    /// Its passes over them.
    pub epochs: Vec<LearnedEpoch>,
    /// The pass whose weights are kept.
    pub best_epoch: usize,
    /// Judged beside the model and the controls.
    pub evaluation: Evaluation,
}

impl Inpainted {
    /// Passes and their errors, a line each.
    fn learning(&self) -> String {
        let mut table = "epoch\ttraining_mse\tvalidation_mse\n".to_owned();
        for LearnedEpoch { epoch, training_mse, validation_mse } in &self.epochs {
            let validation = validation_mse.map_or(String::new(), |mse| mse.to_string());
            let _ = writeln!(table, "{epoch}\t{training_mse}\t{validation}");
        }
        table
    }
}

/// Writes `inpainting.tsv` (the table of images as `cithara evaluate` writes it), `learning.tsv`, `images.svg` and `.png`, the weights
/// and `inpainting.json` into a folder; returns what was written.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    found: &Inpainted,
    learned: &Inpainter<'_>,
    picture: Option<&Picture>,
    folder: &Path,
) -> Result<Vec<PathBuf>> {
    let mut results = Results::in_folder(folder)?;
    results.keep("inpainting.tsv", found.evaluation.to_tsv())?;
    results.keep("learning.tsv", found.learning())?;
    if let Some(picture) = picture {
        results.keep("images.svg", &picture.svg)?;
        results.keep("images.png", &picture.png)?;
    }
    write_tensors(&folder.join(WEIGHTS), &learned.named(), HashMap::new())?;
    let mut written = results.end_with("inpainting.json", found)?;
    written.push(folder.join(WEIGHTS));
    Ok(written)
}
