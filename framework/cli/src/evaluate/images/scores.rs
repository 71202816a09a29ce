//! Agreement of images over many cells, as it is stored.

use super::super::Interval;
use super::super::evaluation::{Method, Section};
use super::super::resamples::Resamples;
use super::tally::OfCell;
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// How well images of one modality are predicted, in all judged cells or those of one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageScores {
    /// The part it belongs to.
    pub section: Section,
    /// The modality that is read.
    pub source: String,
    /// The modality that is predicted.
    pub target: String,
    /// Whether the real images are some that the model was not shown of these cells.
    #[serde(default)]
    pub unshown: bool,
    /// The condition and the category of it that the cells are of; `None`: all judged cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<(String, String)>,
    /// Judged cells.
    pub n_cells: usize,
    /// Training cells that controls learned from.
    pub n_training: usize,
    /// Methods, those of the model first.
    pub methods: Vec<ImageMethodScores>,
}

/// How well one method predicts images: means over cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageMethodScores {
    /// The method.
    #[serde(flatten)]
    pub method: Method,
    /// Mean absolute difference.
    pub l1: f64,
    /// The same after the most frequent brightness was taken away.
    pub l1_thresholded: f64,
    /// Mean squared difference.
    pub mse: f64,
    /// Structural similarity; `None` where images are smaller than its window.
    pub ssim: Option<f64>,
    /// Pearson correlation over pixels, of cells whose real image is not constant.
    pub pearson: Option<f64>,
    /// Cells left out of the correlation because their real image is constant.
    pub n_constant: usize,
    /// Of controls: L1 of the model less that of the control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l1_difference: Option<Interval>,
    /// Of controls: structural similarity of the model less that of the control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssim_difference: Option<Interval>,
}

impl ImageMethodScores {
    /// Means over some cells, of which there must be one at least.
    pub(super) fn of(method: &Method, cells: &[OfCell]) -> ImageMethodScores {
        let mean = |of: &dyn Fn(&OfCell) -> f64| cells.iter().map(of).sum::<f64>() / cells.len() as f64;
        ImageMethodScores {
            method: method.clone(),
            l1: mean(&|cell| cell.plain.l1),
            l1_thresholded: mean(&|cell| cell.l1_thresholded),
            mse: mean(&|cell| cell.plain.mse),
            ssim: mean_of_known(cells.iter().map(|cell| cell.plain.ssim)),
            pearson: mean_of_known(cells.iter().map(|cell| cell.plain.pearson)),
            n_constant: cells.iter().filter(|cell| cell.plain.pearson.is_none()).count(),
            l1_difference: None,
            ssim_difference: None,
        }
    }

    /// The same of a control beside the model, on the same cells.
    ///
    /// # Errors
    /// When a number is not finite.
    pub(super) fn beside(self, resamples: &Resamples, model: &[OfCell], own: &[OfCell]) -> Result<ImageMethodScores> {
        let difference = |of: &dyn Fn(&OfCell) -> f64| -> Result<Interval> {
            let mean = |cells: &[OfCell]| resamples.mean(&cells.iter().map(of).collect::<Vec<_>>());
            let (model, own) = (mean(model)?, mean(own)?);
            Ok(model.difference(&own, model.estimate - own.estimate))
        };
        // images are of one size: similarity is known of all or of none
        let has_ssim = own.iter().all(|cell| cell.plain.ssim.is_some());
        let ssim = |cell: &OfCell| cell.plain.ssim.unwrap_or(f64::NAN);
        Ok(ImageMethodScores {
            l1_difference: Some(difference(&|cell| cell.plain.l1)?),
            ssim_difference: if has_ssim { Some(difference(&ssim)?) } else { None },
            ..self
        })
    }
}

fn mean_of_known(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, n) = values.flatten().fold((0.0, 0usize), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / n as f64)
}
