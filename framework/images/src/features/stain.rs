//! The brightness of the pixels of one nucleus in one stain.

use super::nucleus::Nucleus;
use anyhow::{Result, ensure};

/// One intensity image and the nucleus that is measured in it.
#[derive(Clone, Debug)]
pub struct Stain<'a> {
    nucleus: &'a Nucleus<'a>,
    intensity: &'a [f32],
    values: Vec<f64>,
}

impl<'a> Stain<'a> {
    /// The intensities of a nucleus's image.
    ///
    /// # Shapes
    /// intensity: height × width of the nucleus's image, row by row.
    ///
    /// # Errors
    /// When there is not one finite number per pixel.
    pub fn new(nucleus: &'a Nucleus<'a>, intensity: &'a [f32]) -> Result<Stain<'a>> {
        let (height, width) = (nucleus.height(), nucleus.width());
        ensure!(
            intensity.len() == height * width,
            "the intensity image has {} pixels; expected {height} × {width}, as the mask has",
            intensity.len()
        );
        if let Some(place) = intensity.iter().position(|value| !value.is_finite()) {
            let (row, column) = (place / width, place % width);
            anyhow::bail!("the intensity at row {row}, column {column} is {}; expected a number", intensity[place]);
        }
        let runs = nucleus.runs().iter();
        let pixels = runs.flat_map(|run| &intensity[run.row * width..][run.columns.clone()]);
        Ok(Stain { nucleus, intensity, values: pixels.map(|&value| f64::from(value)).collect() })
    }

    /// The nucleus.
    pub fn nucleus(&self) -> &'a Nucleus<'a> {
        self.nucleus
    }

    /// Intensities of the whole image, row by row.
    pub fn intensity(&self) -> &'a [f32] {
        self.intensity
    }

    /// Intensities of the nucleus's pixels, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// Mean and standard deviation (divided by n) of numbers, of which there is one at least.
pub(super) fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::drawn;

    #[test]
    fn values_are_those_inside_the_mask() {
        let drawn = drawn(&["#.", ".#"]);
        let nucleus = drawn.nucleus();
        let stain = Stain::new(&nucleus, &[1.0, 2.0, 3.0, 5.0]).unwrap();
        assert_eq!(stain.values(), [1.0, 5.0]);
        assert_eq!(mean_and_sd(stain.values()), (3.0, 2.0));
    }

    #[test]
    fn what_is_no_number_and_other_sizes_are_refused() {
        let drawn = drawn(&["#.", ".#"]);
        let nucleus = drawn.nucleus();
        let message = |intensity: &[f32]| Stain::new(&nucleus, intensity).unwrap_err().to_string();
        assert!(message(&[0.0; 3]).contains("has 3 pixels; expected 2 × 2"));
        assert!(message(&[0.0, 0.0, f32::NAN, 0.0]).contains("row 1, column 0 is NaN"));
    }
}
