//! Predicted images in plain sentences.
//!
//! A prediction of images from another modality is better or worse than a control when the 95 % interval of the difference of
//! their mean structural similarity leaves out 0 (of their mean L1 where images are too small for it), level otherwise. Only all
//! judged cells together are spoken of; tables and files have the categories.

use super::super::evaluation::Section;
use super::super::text::{significant, three};
use super::super::verdict::{MIN_CELLS, Outcome, Verdict, by_interval, in_brackets};
use super::scores::{ImageMethodScores, ImageScores};

/// The verdicts of one prediction against the mean image and the nearest cell; none of a reconstruction or a category.
pub(super) fn of_images(scores: &ImageScores) -> Vec<Verdict> {
    let Some((model, others)) = scores.methods.split_first() else { return Vec::new() };
    if scores.section == Section::Reconstruction || scores.category.is_some() {
        return Vec::new();
    }
    let controls = others
        .iter()
        .filter(|other| matches!(other.method.name.as_str(), "mean_image" | "nearest_cell" | "inpainting"));
    controls.filter_map(|control| of_control(scores, model, control)).collect()
}

fn of_control(scores: &ImageScores, model: &ImageMethodScores, control: &ImageMethodScores) -> Option<Verdict> {
    let unshown = if scores.unshown { " not shown" } else { "" };
    let subject = format!("images {} → {}{unshown}", scores.source, scores.target);
    let name = &control.method.label;
    let (outcome, numbers) = match (control.ssim_difference, model.ssim, control.ssim) {
        (Some(difference), Some(own), Some(other)) => {
            let numbers = format!("SSIM {} against {} {}", three(own), three(other), in_brackets(&difference, three));
            (by_interval(difference), numbers)
        }
        _ => {
            let difference = control.l1_difference?;
            let (own, other) = (significant(model.l1), significant(control.l1));
            let outcome = match by_interval(difference) {
                Outcome::Better => Outcome::Worse,
                Outcome::Worse => Outcome::Better,
                other => other,
            };
            (outcome, format!("L1 {own} against {other} {}", in_brackets(&difference, significant)))
        }
    };
    let (outcome, sentence) = match (scores.n_cells < MIN_CELLS, outcome) {
        (true, _) => (Outcome::Undecided, format!("{subject}: too few cells to compare with {name}")),
        (_, Outcome::Better) => (outcome, format!("{subject} look more like the real ones than {name}: {numbers}")),
        (_, Outcome::Worse) => (outcome, format!("{subject} look less like the real ones than {name}: {numbers}")),
        _ => (outcome, format!("{subject} look as much like the real ones as {name}: {numbers}")),
    };
    Some(Verdict {
        subject,
        against: control.method.name.clone(),
        n_cells: scores.n_cells,
        outcome,
        rmse_difference: None,
        pearson_difference: None,
        balanced_accuracy_difference: None,
        sentence,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::{Interval, evaluation::Method};
    use super::*;

    fn scores(method: Method, ssim: Option<f64>, difference: Option<(f64, f64)>) -> ImageMethodScores {
        let interval = |(lower, upper): (f64, f64)| Interval { estimate: (lower + upper) / 2.0, lower, upper };
        ImageMethodScores {
            method,
            l1: 0.1,
            l1_thresholded: 0.1,
            mse: 0.1,
            ssim,
            pearson: None,
            n_constant: 0,
            l1_difference: difference.map(interval),
            ssim_difference: difference.filter(|_| ssim.is_some()).map(interval),
        }
    }

    fn verdict(ssim: Option<f64>, difference: (f64, f64), n_cells: usize) -> Verdict {
        let methods = vec![
            scores(Method::of_model("model", "model"), ssim.map(|ssim| ssim + 0.1), None),
            scores(Method::control("mean_image", "mean image"), ssim, Some(difference)),
            scores(Method::control("random_cell", "random training cell"), ssim, Some(difference)),
        ];
        let images = ImageScores {
            section: Section::CrossPrediction,
            source: "dna".to_owned(),
            target: "protein".to_owned(),
            unshown: true,
            category: None,
            n_cells,
            n_training: 100,
            methods,
        };
        assert_eq!(of_images(&ImageScores { category: Some(("p".into(), "q".into())), ..images.clone() }), []);
        let [one] = of_images(&images).try_into().expect("one verdict, none on a random cell");
        one
    }

    #[test]
    fn similarity_decides_and_error_where_there_is_none() {
        let better = verdict(Some(0.5), (0.05, 0.15), 40);
        assert_eq!(better.outcome, Outcome::Better);
        assert_eq!(
            better.sentence,
            "images dna → protein not shown look more like the real ones than mean image: SSIM 0.600 against 0.500 \
             (difference +0.100, 95 % interval +0.050 to +0.150)"
        );
        assert_eq!(verdict(Some(0.5), (-0.05, 0.15), 40).outcome, Outcome::Level);
        // a larger error is worse
        assert_eq!(verdict(None, (0.05, 0.15), 40).outcome, Outcome::Worse);
        assert_eq!(verdict(None, (-0.15, -0.05), 40).outcome, Outcome::Better);
        assert_eq!(verdict(Some(0.5), (0.05, 0.15), 10).outcome, Outcome::Undecided);
    }
}
