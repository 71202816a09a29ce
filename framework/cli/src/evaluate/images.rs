//! How well images are predicted: each modality of images from itself, and from each other that shares a space with it.
//!
//! What the other tables judge by feature is judged here by cell, as pictures: absolute and squared error, structural
//! similarity and correlation of each image, over all judged cells and over those of each category of each condition that
//! the modality's networks are told (such as the protein that an image shows). Images are met a minibatch at a time.
//!
//! | control | what it predicts |
//! |---|---|
//! | mean image | the mean over the training cells of the category |
//! | nearest cell | the image of the training cell of the category that is nearest on the source's principal components |
//! | random cell | the image of a training cell of the category drawn at random, never of the cell itself |
//!
//! `[evaluate.images.unshown]` names real images that the model was not shown of these cells: then its prediction of what a
//! cell was never stained for, as far as it knows, is judged, too (Zhang et al. 2026, code).

mod beside;
mod controls;
mod group;
mod pair;
mod scores;
mod tally;
mod unshown;
mod verdict;

pub use beside::{PredictImages, TaughtCells, images_beside};
pub use scores::{ImageMethodScores, ImageScores};

use super::evaluation::Section;
use super::task::{Findings, Scene};
use crate::decoded_images::image_size;
use anyhow::{Context, Result};
use framework::spec::{EvaluateImages, ThresholdOf, ThresholdOver};
use pair::Pair;

/// Judges the images of all modalities that have some; nothing where there is none.
///
/// # Errors
/// When images cannot be read or a prediction is not finite.
pub(super) fn images(scene: &Scene<'_>, found: &mut Findings<'_>) -> Result<Vec<ImageScores>> {
    let (model, n) = (&scene.task.trained.model, scene.measured.len());
    let is_image = |target: &usize| image_size(scene.task.dataset, *target).is_some();
    let mut all = Vec::new();
    for target in (0..n).filter(is_image) {
        if let Some(pair) = Pair::measured(scene, (target, target), found)? {
            all.extend(judged(&pair, Section::Reconstruction, None, found)?);
        }
    }
    let pairs = (0..n).flat_map(|source| (0..n).map(move |target| (source, target)));
    let pairs = pairs.filter(|(source, target)| source != target && model.share_a_space(*source, *target));
    for pair in pairs.filter(|(_, target)| is_image(target)) {
        if let Some(pair) = Pair::measured(scene, pair, found)? {
            all.extend(judged(&pair, Section::CrossPrediction, None, found)?);
        }
        if let Some(pair) = Pair::unshown(scene, pair, found)? {
            all.extend(judged(&pair, Section::CrossPrediction, None, found)?);
        }
    }
    if !all.is_empty() {
        found.note(thresholding(&scene.task.experiment.evaluate.images));
    }
    Ok(all)
}

/// The scores of all methods, and of one more where there is one.
fn judged(
    pair: &Pair<'_>,
    section: Section,
    beside: Option<&dyn PredictImages>,
    found: &mut Findings<'_>,
) -> Result<Vec<ImageScores>> {
    (found.progress)(&format!("images: {}", pair.title()));
    let methods = pair.methods(section, beside, found).with_context(|| format!("images: {}", pair.title()))?;
    let scores = pair.scores(section, &methods)?;
    found.verdicts.extend(scores.iter().flat_map(verdict::of_images));
    Ok(scores)
}

/// What the thresholded L1 is, as it was chosen.
fn thresholding(chosen: &EvaluateImages) -> String {
    let over = match chosen.threshold_over {
        ThresholdOver::Minibatch => format!("each minibatch of {} of a category", chosen.minibatch),
        ThresholdOver::Image => "each image".to_owned(),
    };
    let of = match chosen.threshold_of {
        ThresholdOf::Prediction => "predicted images only",
        ThresholdOf::Both => "predicted and real images",
    };
    format!(
        "L1 thresholded: of {of} the most frequent brightness of {over} is taken away, what is below it is 0, and the rest is \
         divided by its largest; other choices: `evaluate.images`"
    )
}
