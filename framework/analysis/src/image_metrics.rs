//! How well a predicted image agrees with the real one: absolute and squared error, structural similarity, correlation.
//!
//! Images are numbers row by row (channel by channel where there are several), from 0 to 1. Sums are of 64 bits.

mod ssim;
mod threshold;

pub use threshold::{mode, mode_threshold};

use anyhow::{Result, ensure};
use ssim::structural_similarity;

/// The form of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageForm {
    /// Channels.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl ImageForm {
    /// Numbers of an image.
    pub fn n_pixels(&self) -> usize {
        self.channels * self.height * self.width
    }
}

/// Agreement of a predicted image with the real one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageAgreement {
    /// Mean absolute difference.
    pub l1: f64,
    /// Mean squared difference.
    pub mse: f64,
    /// Structural similarity, mean over places and channels; `None` for images smaller than its window of 11 × 11 pixels.
    ///
    /// # Source
    /// Wang et al. 2004, with σ 1.5, K1 0.01, K2 0.03, data range 1: `structural_similarity(gaussian_weights=True, sigma=1.5,
    /// use_sample_covariance=False, data_range=1)` of scikit-image, whose mean leaves out a border of 5 pixels, too.
    pub ssim: Option<f64>,
    /// Pearson correlation over pixels; `None` where all pixels of the real image are the same, 0 where all of the predicted
    /// one are.
    pub pearson: Option<f64>,
}

/// Compares a predicted image with the real one.
///
/// # Errors
/// When an image is not of the form, or the predicted one holds numbers that are not finite.
pub fn image_agreement(predicted: &[f32], observed: &[f32], form: ImageForm) -> Result<ImageAgreement> {
    let n = form.n_pixels();
    ensure!(n > 0, "an image has no pixel");
    ensure!(
        predicted.len() == n && observed.len() == n,
        "images of {} and {} numbers were handed over; expected {n}",
        predicted.len(),
        observed.len()
    );
    ensure!(predicted.iter().all(|value| value.is_finite()), "the prediction holds numbers that are not finite");
    let mean = |of: &dyn Fn(f64) -> f64| {
        let differences = predicted.iter().zip(observed).map(|(p, o)| f64::from(*p) - f64::from(*o));
        differences.map(of).sum::<f64>() / n as f64
    };
    Ok(ImageAgreement {
        l1: mean(&f64::abs),
        mse: mean(&|difference| difference * difference),
        ssim: structural_similarity(predicted, observed, form),
        pearson: pearson(predicted, observed),
    })
}

/// Mean absolute difference of two images.
///
/// # Errors
/// When their sizes differ or there is no pixel.
pub fn mean_absolute_difference(predicted: &[f32], observed: &[f32]) -> Result<f64> {
    let (n, m) = (predicted.len(), observed.len());
    ensure!(n == m && n > 0, "images of {n} and {m} numbers were handed over; expected as many of both");
    let differences = predicted.iter().zip(observed).map(|(p, o)| (f64::from(*p) - f64::from(*o)).abs());
    Ok(differences.sum::<f64>() / n as f64)
}

fn pearson(predicted: &[f32], observed: &[f32]) -> Option<f64> {
    let is_constant = |values: &[f32]| values.iter().all(|value| *value == values[0]);
    if is_constant(observed) {
        return None;
    }
    if is_constant(predicted) {
        return Some(0.0);
    }
    let mean = |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64;
    let (mean_p, mean_o) = (mean(predicted), mean(observed));
    let centred = predicted.iter().zip(observed).map(|(p, o)| (f64::from(*p) - mean_p, f64::from(*o) - mean_o));
    let (mut pp, mut oo, mut po) = (0.0, 0.0, 0.0);
    for (p, o) in centred {
        pp += p * p;
        oo += o * o;
        po += p * o;
    }
    Some((po / (pp * oo).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: ImageForm = ImageForm { channels: 1, height: 12, width: 12 };

    fn image(of: impl Fn(usize) -> f32) -> Vec<f32> {
        (0..144).map(of).collect()
    }

    #[test]
    fn an_image_agrees_with_itself() {
        let image = image(|place| (place % 7) as f32 / 7.0);
        let agreement = image_agreement(&image, &image, FORM).unwrap();
        assert_eq!((agreement.l1, agreement.mse), (0.0, 0.0));
        assert!((agreement.ssim.unwrap() - 1.0).abs() < 1e-12 && (agreement.pearson.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn constant_images_and_small_ones_have_no_correlation_and_no_similarity() {
        let (varied, constant) = (image(|place| place as f32 / 144.0), image(|_| 0.1));
        assert_eq!(image_agreement(&varied, &constant, FORM).unwrap().pearson, None);
        assert_eq!(image_agreement(&constant, &varied, FORM).unwrap().pearson, Some(0.0));
        let flat = ImageForm { channels: 1, height: 9, width: 16 };
        assert_eq!(image_agreement(&varied, &constant, flat).unwrap().ssim, None);
        let other = ImageForm { channels: 2, height: 12, width: 12 };
        let error = image_agreement(&varied, &constant, other).unwrap_err().to_string();
        assert_eq!(error, "images of 144 and 144 numbers were handed over; expected 288");
        let lost = image(|place| if place == 3 { f32::NAN } else { 0.5 });
        assert!(image_agreement(&lost, &varied, FORM).unwrap_err().to_string().contains("not finite"));
    }
}
