//! Another way to predict images, judged beside the model and the controls in the same cells by the same numbers.

use super::super::evaluation::{Evaluation, Method, Section};
use super::super::task::{EvaluationTask, Findings, Scene};
use super::pair::Pair;
use super::{judged, thresholding};
use anyhow::{Result, ensure};
use std::ops::Range;

/// Cells of one category of each condition: those that may be learned from, and those that are judged.
#[derive(Debug, Clone, Copy)]
pub struct TaughtCells<'a> {
    /// Training cells, ascending.
    pub train: &'a [usize],
    /// Judged cells, ascending.
    pub judged: &'a [usize],
}

/// Something that predicts images of one modality from another.
pub trait PredictImages {
    /// What it is called; as a control it is compared with the model.
    fn method(&self) -> Method;

    /// The images of some of the judged cells (by their places), one after the other, as cells of the training cells' category.
    ///
    /// # Errors
    /// When images cannot be read, or a network refuses them.
    fn predict(&self, cells: TaughtCells<'_>, places: Range<usize>) -> Result<Vec<f32>>;
}

/// Judges what something predicts of a modality from another, beside the model and the controls: nothing else is evaluated.
///
/// # Errors
/// When data and model do not belong together, images cannot be read, or the two modalities were not measured together.
pub fn images_beside(
    task: &EvaluationTask<'_>,
    (source, target): (usize, usize),
    beside: &dyn PredictImages,
    progress: &mut dyn FnMut(&str),
) -> Result<Evaluation> {
    task.check()?;
    let (mut scene, notes) = Scene::new(task)?;
    if task.beside_controls {
        scene.find_components(Some(source), progress)?;
    }
    let mut found = Findings { progress, notes, verdicts: Vec::new() };
    let mut images = Vec::new();
    if let Some(pair) = Pair::measured(&scene, (source, target), &mut found)? {
        images.extend(judged(&pair, Section::CrossPrediction, Some(beside), &mut found)?);
    }
    if let Some(pair) = Pair::unshown(&scene, (source, target), &mut found)? {
        images.extend(judged(&pair, Section::CrossPrediction, Some(beside), &mut found)?);
    }
    ensure!(!images.is_empty(), "no judged cell was measured by both modalities, so there is nothing to compare");
    found.note(thresholding(&task.experiment.evaluate.images));
    Ok(Evaluation {
        name: task.experiment.name.clone(),
        cells: scene.cells,
        notes: found.notes,
        reconstructions: Vec::new(),
        cross_predictions: Vec::new(),
        images,
        probes: Vec::new(),
        learned_rows: Vec::new(),
        clusterings: Vec::new(),
        verdicts: found.verdicts,
    })
}
