//! Tables of predicted images.

use super::super::ImageScores;
use super::super::evaluation::Section;
use super::table::{Best, Column, Table};
use super::{significant, three};

/// What a table is of.
pub(super) fn title_of_images(images: &ImageScores) -> String {
    let ImageScores { source, target, n_cells, n_training, .. } = images;
    let what = match (images.section, images.unshown) {
        (Section::Reconstruction, _) => format!("Images: reconstruction of {target}"),
        (Section::CrossPrediction, false) => format!("Images: prediction {source} → {target}"),
        (Section::CrossPrediction, true) => {
            format!("Images: prediction {source} → {target} that the model was not shown of these cells")
        }
    };
    let category = images.category.as_ref().map(|(condition, category)| format!(", {condition} = {category}"));
    format!("{what}{} ({n_cells} cells, controls learned from {n_training})", category.unwrap_or_default())
}

/// A row for each method: means over cells.
pub(super) fn image_predictions(images: &ImageScores) -> Table {
    let mut table = Table::new(vec![
        Column::new("L1", Best::Lowest, significant),
        Column::new("L1 thresholded", Best::Lowest, significant),
        Column::new("MSE", Best::Lowest, significant),
        Column::new("SSIM", Best::Highest, three),
        Column::new("Pearson/image", Best::Highest, three),
    ]);
    for scores in &images.methods {
        let errors = [scores.l1, scores.l1_thresholded, scores.mse].map(Some);
        table.add(&scores.method, [&errors[..], &[scores.ssim, scores.pearson]].concat());
    }
    table
}
