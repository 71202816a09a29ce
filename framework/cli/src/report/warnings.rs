//! What a reader must be warned of, each by a rule that is written here and on the page.
//!
//! | rule | when |
//! |---|---|
//! | stopped run | the run has not ended, or keeps a checkpoint to go on from |
//! | overfitting | over the terms that training and validation share, validation rises, from its lowest epoch to its last one, by more than 5 % of its fall until then, while training falls |
//! | collapsed dimension | the variance of a dimension is below 1e-3 of the mean variance of its space |
//! | silent specific space | no label that was probed is told by the space of one modality better than by permuted labels: the 95 % interval of its balanced accuracy does not lie above theirs (for numbers: adjusted R² is not above 0) |
//! | control that wins | a verdict of the evaluation says that the model does not reach a control, or is not better than the mean |
//! | in sample | the evaluation judged cells that the model learned from |

use crate::evaluate::{Evaluation, LabelProbe, Outcome, SpaceScores};
use crate::run::SpaceFacts;
use crate::run::Stage;
use serde::Serialize;

/// The control that a prediction must be better than.
const MEAN: &str = "feature_mean";
/// Validation has risen if by more than this share of its fall.
const RISE: f64 = 0.05;

/// A warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The rule.
    pub rule: &'static str,
    /// What was found.
    pub text: String,
}

impl Warning {
    /// A warning by a rule.
    pub fn new(rule: &'static str, text: impl Into<String>) -> Warning {
        Warning { rule, text: text.into() }
    }
}

/// The rules as the page tells them.
pub const RULES: [(&str, &str); 6] = [
    ("stopped run", "the run has not ended, or keeps a checkpoint to go on from"),
    (
        "overfitting",
        "over the terms that training and validation share, the validation loss rises, from its lowest epoch to its last, by \
         more than 5 % of its fall until then, while the training loss falls",
    ),
    ("collapsed dimension", "the variance of a dimension is below 0.001 of the mean variance of its space"),
    (
        "silent specific space",
        "the space of one modality tells no probed label better than permuted labels do: the 95 % interval of its balanced \
         accuracy (kNN) does not lie above theirs; for numbers, its adjusted R² is not above 0",
    ),
    (
        "control that wins",
        "a verdict says that the model does not reach a control, or is not better than the mean per feature",
    ),
    ("in sample", "the evaluation judged cells that the model learned from"),
];

/// Overfitting in a stage.
pub fn overfitting(stage: &Stage) -> Option<Warning> {
    let (training, validation) = stage.sums(&stage.common_terms());
    let lowest = validation.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (first, last) = (validation.first()?, validation.last()?);
    let (fall, rise) = (first.1 - lowest.1, last.1 - lowest.1);
    let at = |epoch: u64| training.iter().rfind(|(of, _)| *of <= epoch).map(|(_, loss)| *loss);
    let training = (at(lowest.0)?, at(last.0)?);
    if last.0 == lowest.0 || rise <= RISE * fall.max(0.0) || rise <= 0.0 || training.1 >= training.0 {
        return None;
    }
    let kept = match stage.kept_epoch {
        Some(epoch) => format!("; the state of epoch {epoch} was kept"),
        None => String::new(),
    };
    Some(Warning::new(
        "overfitting",
        format!(
            "{}: the validation loss rises from {:.4} in epoch {} to {:.4} in epoch {} while the training loss falls from {:.4} \
             to {:.4}{kept}",
            stage.title(),
            lowest.1,
            lowest.0,
            last.1,
            last.0,
            training.0,
            training.1
        ),
    ))
}

/// Collapsed dimensions of a space.
pub fn collapsed(space: &SpaceFacts) -> Option<Warning> {
    let dimensions = space.collapsed();
    let named: Vec<String> = dimensions.iter().take(8).map(usize::to_string).collect();
    let more = if dimensions.len() > 8 { ", …" } else { "" };
    (!dimensions.is_empty()).then(|| {
        let text = format!(
            "{} of the {} dimensions of {} hardly vary ({}{more}): the space is wider than what it holds",
            dimensions.len(),
            space.dim,
            space.name,
            named.join(", ")
        );
        Warning::new("collapsed dimension", text)
    })
}

/// What the evaluation warns of.
pub fn of_evaluation(evaluation: &Evaluation, spaces: &[SpaceFacts]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if evaluation.cells.in_sample {
        let text = "the judged cells are those that the model learned from: the numbers are no forecast for new cells; set \
                    `data.split.test`";
        warnings.push(Warning::new("in sample", text));
    }
    warnings.extend(lost(evaluation).into_iter().map(|text| Warning::new("control that wins", text)));
    for space in spaces.iter().filter(|space| space.covariate.is_none() && space.modalities.len() == 1) {
        if spaces.len() > 1 && is_silent(evaluation, space) == Some(true) {
            let text = format!(
                "{}, the space of {} alone, tells no probed label better than permuted labels do: what is specific to {1} \
                 may be noise, or something that no label names",
                space.name, space.modalities[0]
            );
            warnings.push(Warning::new("silent specific space", text));
        }
    }
    warnings
}

/// The controls that each subject does not reach.
fn lost(evaluation: &Evaluation) -> Vec<String> {
    let mut subjects: Vec<(&str, Vec<&str>)> = Vec::new();
    for verdict in evaluation.verdicts.iter().filter(|verdict| loses(verdict.outcome, &verdict.against)) {
        match subjects.iter_mut().find(|(subject, _)| *subject == verdict.subject) {
            Some((_, controls)) => controls.push(&verdict.against),
            None => subjects.push((&verdict.subject, vec![&verdict.against])),
        }
    }
    let text = |(subject, controls): (&str, Vec<&str>)| {
        let others: Vec<&str> = controls.iter().copied().filter(|control| *control != MEAN).collect();
        let mut told = Vec::new();
        if controls.len() > others.len() {
            told.push("is not better than the mean per feature".to_owned());
        }
        if !others.is_empty() {
            told.push(format!("does worse than {}", others.join(", ")));
        }
        format!("{subject}: the model {}", told.join(", and "))
    };
    subjects.into_iter().map(text).collect()
}

fn loses(outcome: Outcome, against: &str) -> bool {
    outcome == Outcome::Worse || (outcome == Outcome::Level && against == MEAN)
}

/// Whether a space of one modality tells no label; `None` where none was probed in it.
fn is_silent(evaluation: &Evaluation, space: &SpaceFacts) -> Option<bool> {
    let mut tells = evaluation.probes.iter().chain(&evaluation.learned_rows).filter_map(|probe| {
        let scores = probe.spaces.iter().find(|scores| is_that(probe, scores, space))?;
        let permuted = probe.spaces.iter().find(|scores| scores.method.name == "permuted")?;
        tells(scores, permuted)
    });
    let first = tells.next()?;
    Some(!(first || tells.any(|tells| tells)))
}

/// Whether a row of a probe is of a space: `specific` of its modality's encoder, or its learned or mapped rows by name.
fn is_that(probe: &LabelProbe, scores: &SpaceScores, space: &SpaceFacts) -> bool {
    let is_own = !scores.method.is_control;
    let is_encoded = probe.source == space.modalities[0] && scores.method.name == "specific";
    let is_row = matches!(probe.source.as_str(), "learned" | "mapped") && scores.method.name == space.name;
    is_own && (is_encoded || is_row)
}

fn tells(scores: &SpaceScores, permuted: &SpaceScores) -> Option<bool> {
    if let (Some(own), Some(chance)) = (&scores.neighbours, &permuted.neighbours) {
        return Some(own.balanced_accuracy_interval.lower > chance.balanced_accuracy_interval.upper);
    }
    scores.adjusted_r_squared.map(|share| share > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Epoch;

    fn stage(training: &[f64], validation: &[f64]) -> Stage {
        let epochs = |losses: &[f64]| {
            let of = |(epoch, loss): (u64, &f64)| Epoch { epoch, terms: [("rna".to_owned(), *loss)].into() };
            (0..).zip(losses).map(of).collect()
        };
        let (training, validation) = (epochs(training), epochs(validation));
        Stage { name: "latent".into(), training, validation, kept_epoch: Some(1), reason: None }
    }

    #[test]
    fn validation_that_rises_while_training_falls_is_overfitting() {
        let found = overfitting(&stage(&[3.0, 2.0, 1.0], &[3.0, 2.0, 2.5])).unwrap();
        assert!(found.text.contains("from 2.0000 in epoch 1 to 2.5000 in epoch 2"), "{}", found.text);
        for (training, validation) in [
            (&[3.0, 2.0, 1.0], &[3.0, 2.0, 1.9]),
            (&[3.0, 2.0, 2.1], &[3.0, 2.0, 2.5]),
            (&[3.0, 2.0, 1.0], &[3.0, 2.0, 2.04]),
        ] {
            assert_eq!(overfitting(&stage(training, validation)), None, "{training:?} {validation:?}");
        }
        assert_eq!(overfitting(&stage(&[1.0], &[])), None);
    }

    /// An evaluation in which the space of `rna` finds a share of each class, and permuted labels a quarter.
    fn evaluation(found: f64) -> Evaluation {
        let space = |name: &str, is_control: bool, share: f64| {
            let interval = serde_json::json!({"estimate": share, "lower": share - 0.02, "upper": share + 0.02});
            let scores = serde_json::json!({
                "balanced_accuracy": share, "accuracy": share, "macro_f1": share, "balanced_accuracy_interval": interval,
            });
            serde_json::json!({
                "name": name, "label": name, "is_control": is_control, "dim": 4, "neighbours": scores, "linear": null,
                "silhouette": null, "r_squared": null, "adjusted_r_squared": null,
            })
        };
        let verdict = |against: &str, outcome: &str| {
            serde_json::json!({
                "subject": "rna → atac", "against": against, "n_cells": 50, "outcome": outcome, "rmse_difference": null,
                "pearson_difference": null, "balanced_accuracy_difference": null, "sentence": "…",
            })
        };
        let whole = serde_json::json!({
            "name": "small", "cells": {"subset": "test", "in_sample": false, "n_judged": 50, "n_training": 100}, "notes": [],
            "reconstructions": [], "cross_predictions": [], "learned_rows": [],
            "probes": [{
                "label": "type", "source": "rna", "n_classes": 4, "n_training": 100, "n_cells": 50,
                "spaces": [space("specific", false, found), space("permuted", true, 0.25)],
            }],
            "verdicts": [verdict("feature_mean", "level"), verdict("ridge", "worse"), verdict("neighbours", "level")],
        });
        serde_json::from_value(whole).unwrap()
    }

    fn space(name: &str, modalities: &[&str]) -> SpaceFacts {
        SpaceFacts {
            name: name.into(),
            dim: 4,
            modalities: modalities.iter().map(|name| (*name).to_owned()).collect(),
            prior: "l2".into(),
            covariate: None,
            n_learned: 100,
            n_encoded: 50,
            variances: vec![1.0, 1.0, 1.0, 1e-4],
        }
    }

    #[test]
    fn silent_spaces_and_lost_comparisons_are_told() {
        let spaces = [space("shared", &["rna", "atac"]), space("own", &["rna"])];
        let rules = |found| {
            let warnings = of_evaluation(&evaluation(found), &spaces);
            warnings.into_iter().map(|warning| (warning.rule, warning.text)).collect::<Vec<_>>()
        };
        let silent = rules(0.27);
        let lost = "rna → atac: the model is not better than the mean per feature, and does worse than ridge";
        assert_eq!(silent[0], ("control that wins", lost.to_owned()));
        assert!(silent[1].0 == "silent specific space" && silent[1].1.starts_with("own, the space of rna alone"));
        assert_eq!(rules(0.5).len(), 1);
        assert!(collapsed(&spaces[0]).unwrap().text.starts_with("1 of the 4 dimensions of shared hardly vary (4)"));
    }

    #[test]
    fn every_rule_is_told() {
        let text = include_str!("warnings.rs");
        for (rule, _) in RULES {
            assert!(text.contains(&format!("//! | {rule} |")), "{rule}");
        }
    }

    #[test]
    fn who_is_level_with_the_mean_has_lost() {
        assert!(loses(Outcome::Worse, "ridge") && loses(Outcome::Level, "feature_mean"));
        assert!(!loses(Outcome::Level, "ridge") && !loses(Outcome::Undecided, "feature_mean"));
    }
}
