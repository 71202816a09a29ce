//! The agreement of images, minibatch by minibatch.

use analysis::{ImageAgreement, ImageForm, image_agreement, mean_absolute_difference, mode_threshold};
use anyhow::Result;
use framework::spec::{EvaluateImages, ThresholdOf, ThresholdOver};
use rayon::prelude::*;

/// How the images of one cell agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OfCell {
    /// As they are.
    pub plain: ImageAgreement,
    /// Mean absolute difference after the most frequent brightness was taken away.
    pub l1_thresholded: f64,
}

/// Compares the images of a minibatch, cell by cell.
///
/// # Errors
/// When there is not one predicted image for each real one, or a prediction is not finite.
pub(super) fn compare(
    mut predicted: Vec<f32>,
    mut real: Vec<f32>,
    form: ImageForm,
    chosen: &EvaluateImages,
) -> Result<Vec<OfCell>> {
    let n = form.n_pixels();
    anyhow::ensure!(
        predicted.len() == real.len() && real.len().is_multiple_of(n),
        "{} pixels were predicted of {} real ones, in images of {n}",
        predicted.len(),
        real.len()
    );
    let pairs = predicted.par_chunks(n).zip(real.par_chunks(n));
    // all, so that of several errors the first is told
    let plain: Vec<Result<ImageAgreement>> = pairs.map(|(p, r)| image_agreement(p, r, form)).collect();
    let plain: Vec<ImageAgreement> = plain.into_iter().collect::<Result<_>>()?;
    threshold(&mut predicted, n, chosen.threshold_over);
    if chosen.threshold_of == ThresholdOf::Both {
        threshold(&mut real, n, chosen.threshold_over);
    }
    let pairs = plain.into_par_iter().zip(predicted.par_chunks(n).zip(real.par_chunks(n)));
    pairs.map(|(plain, (p, r))| Ok(OfCell { plain, l1_thresholded: mean_absolute_difference(p, r)? })).collect()
}

fn threshold(images: &mut [f32], n_pixels: usize, over: ThresholdOver) {
    match over {
        ThresholdOver::Minibatch => mode_threshold(images),
        ThresholdOver::Image => images.par_chunks_mut(n_pixels).for_each(mode_threshold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_of_what_was_chosen() {
        let form = ImageForm { channels: 1, height: 1, width: 4 };
        let predicted = || vec![0.5, 0.5, 0.5, 0.75, 0.25, 0.25, 0.5, 1.0];
        let real = || vec![0.5, 0.5, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0];
        let l1 = |threshold_over, threshold_of| {
            let chosen = EvaluateImages { threshold_over, threshold_of, ..EvaluateImages::default() };
            let all = compare(predicted(), real(), form, &chosen).unwrap();
            assert_eq!(all[0].plain.l1, 0.0625);
            [all[0].l1_thresholded, all[1].l1_thresholded]
        };
        // the mode of the minibatch is 0.5, the largest after it 0.5: [0 0 0 .5] and [0 0 0 1]
        assert_eq!(l1(ThresholdOver::Minibatch, ThresholdOf::Prediction), [0.5, 0.25]);
        // of each image: [0 0 0 1] and [0 0 1/3 1]
        let [first, second] = l1(ThresholdOver::Image, ThresholdOf::Prediction);
        assert!((first - 0.375).abs() < 1e-7 && (second - 1.0 / 3.0).abs() < 1e-7);
        // real ones, too: [0 0 0 1] and [0 0 0 0]
        let [first, second] = l1(ThresholdOver::Image, ThresholdOf::Both);
        assert!(first.abs() < 1e-7 && (second - 1.0 / 3.0).abs() < 1e-7);
        assert!(compare(predicted(), real()[..4].to_vec(), form, &EvaluateImages::default()).is_err());
    }
}
