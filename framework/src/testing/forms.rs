//! The sizes at which components are built, and which of them a component accepts.

use super::mismatch::{Mismatch, expect, legal_refusal, words};
use crate::minibatch::FeatureShape;
use anyhow::Result;

/// Widths of vectors, odd and even, one among them.
const WIDTHS: [i64; 4] = [1, 3, 7, 33];
/// Sizes of small images; a component may need some that are whole multiples of something.
const IMAGES: [[i64; 3]; 2] = [[1, 8, 8], [2, 9, 7]];
/// The size tried where the others are too small.
const LARGER_IMAGE: [i64; 3] = [1, 64, 64];

/// The shapes that a component accepts when it is built: all vectors or none, and any of the images.
///
/// Fails where it accepts no shape, refuses some widths only, or panics.
pub(super) fn accepted_shapes(build: impl Fn(&FeatureShape) -> Result<()>) -> Result<Vec<FeatureShape>, Mismatch> {
    let mut accepted = Vec::new();
    let mut refusals = Vec::new();
    let mut attempt = |shape: FeatureShape| -> Result<bool, Mismatch> {
        match build(&shape) {
            Ok(()) => accepted.push(shape),
            Err(error) => {
                legal_refusal(&error)?;
                refusals.push(format!("{}: {}", name_of(&shape), words(&error)));
                return Ok(false);
            }
        }
        Ok(true)
    };
    let mut n_widths = 0;
    for width in WIDTHS {
        n_widths += usize::from(attempt(FeatureShape::Vector(width))?);
    }
    let mut n_images = 0;
    for size in IMAGES {
        n_images += usize::from(attempt(image(size))?);
    }
    if n_images == 0 {
        attempt(image(LARGER_IMAGE))?;
    }
    let told = refusals.join("; ");
    expect(!accepted.is_empty(), "vectors or images are accepted when it is built", told.clone())?;
    expect([0, WIDTHS.len()].contains(&n_widths), "vectors of every width are accepted, or of none", told)?;
    Ok(accepted)
}

fn image([channels, height, width]: [i64; 3]) -> FeatureShape {
    FeatureShape::Image { channels, height, width }
}

/// The shape in words.
pub(super) fn name_of(shape: &FeatureShape) -> String {
    match shape {
        FeatureShape::Vector(1) => "1 feature".to_owned(),
        FeatureShape::Vector(n) => format!("{n} features"),
        FeatureShape::Image { channels, height, width } => format!("images of {channels} × {height} × {width}"),
    }
}

/// n_cells and the sizes of one cell's features.
pub(super) fn size_of(shape: &FeatureShape, n_cells: i64) -> Vec<i64> {
    match shape {
        FeatureShape::Vector(n) => vec![n_cells, *n],
        FeatureShape::Image { channels, height, width } => vec![n_cells, *channels, *height, *width],
    }
}

/// A shape of the same form with more features.
pub(super) fn larger(shape: &FeatureShape) -> FeatureShape {
    match shape {
        FeatureShape::Vector(n) => FeatureShape::Vector(n + 1),
        FeatureShape::Image { channels, height, width } => image([*channels, height + 1, *width]),
    }
}

/// Whether a shape is the last of its form among those accepted: what is expensive is checked there only.
pub(super) fn is_last_of_its_form(shape: &FeatureShape, accepted: &[FeatureShape]) -> bool {
    let is_vector = |shape: &FeatureShape| matches!(shape, FeatureShape::Vector(_));
    accepted.iter().rfind(|other| is_vector(other) == is_vector(shape)) == Some(shape)
}
