//! The evaluation in plain sentences, each decided by a rule that is written here.
//!
//! - Against the mean per feature a prediction is *better* when its mean Pearson correlation by feature is above the
//!   mean's (which is 0) **and** its RMSE is below, both with the 95 % interval of the difference leaving out 0. The second
//!   condition keeps faint correlations, such as those of sequencing depth, from counting.
//! - Against the other controls, and for probes, one number decides (mean Pearson correlation by feature; balanced
//!   accuracy of neighbours): better or worse when the interval of the difference leaves out 0, level otherwise. A
//!   prediction that is not better than the mean is at most level: to exceed what is worth nothing is nothing.

use super::evaluation::{PredictionScores, SpaceScores};
use super::judge::Judged;
use super::resamples::{Interval, Resampled};
use super::text::{signed, significant, three};
use serde::{Deserialize, Serialize};

/// With fewer cells than this nothing is decided.
pub(super) const MIN_CELLS: usize = 20;

/// How a model stands to a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The control is beaten.
    Better,
    /// No difference was found.
    Level,
    /// The control is better.
    Worse,
    /// There is too little to decide on.
    Undecided,
}

/// How a model stands to one control, in one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was judged, such as `rna → protein`.
    pub subject: String,
    /// Name of the control.
    pub against: String,
    /// Cells that were judged.
    pub n_cells: usize,
    /// How the model stands.
    pub outcome: Outcome,
    /// RMSE of the model less that of the control.
    pub rmse_difference: Option<Interval>,
    /// Mean Pearson correlation by feature of the model less that of the control.
    pub pearson_difference: Option<Interval>,
    /// Balanced accuracy of neighbours in the model's space less that in the control's.
    pub balanced_accuracy_difference: Option<Interval>,
    /// The same for readers.
    pub sentence: String,
}

/// Differences of two methods on the same cells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Differences {
    rmse: Interval,
    pearson: Option<Interval>,
}

impl Differences {
    /// Of a method less another.
    pub fn between(own: &Judged, other: &Judged) -> Differences {
        let rmse = own.rmse.difference(&other.rmse, own.scores.rmse - other.scores.rmse);
        let pearson = match (&own.pearson, &other.pearson, own.scores.by_feature.mean, other.scores.by_feature.mean) {
            (Some(own), Some(other), Some(own_mean), Some(other_mean)) => {
                Some(own.difference(other, own_mean - other_mean))
            }
            _ => None,
        };
        Differences { rmse, pearson }
    }

    /// The rule against the mean per feature.
    fn against_mean(&self) -> Outcome {
        let Some(pearson) = self.pearson else { return Outcome::Undecided };
        match (pearson.is_above_zero(), self.rmse) {
            (true, rmse) if rmse.is_below_zero() => Outcome::Better,
            (false, rmse) if rmse.is_above_zero() => Outcome::Worse,
            _ => Outcome::Level,
        }
    }

    /// The rule against other controls.
    fn against_other(&self, beats_mean: bool) -> Outcome {
        match self.pearson.map(by_interval) {
            Some(Outcome::Better) if !beats_mean => Outcome::Level,
            outcome => outcome.unwrap_or(Outcome::Undecided),
        }
    }
}

pub(super) fn by_interval(difference: Interval) -> Outcome {
    match (difference.is_above_zero(), difference.is_below_zero()) {
        (true, _) => Outcome::Better,
        (_, true) => Outcome::Worse,
        _ => Outcome::Level,
    }
}

/// The verdicts of one cross-prediction; `judged` belongs to `scores.methods`, the model first.
pub(super) fn of_prediction(scores: &PredictionScores, judged: &[Judged]) -> Vec<Verdict> {
    let subject = format!("{} → {}", scores.source, scores.target);
    let Some((model, controls)) = judged.split_first() else { return Vec::new() };
    let mean = controls.iter().find(|control| is_mean(control));
    let beats_mean = mean.is_some_and(|mean| Differences::between(model, mean).against_mean() == Outcome::Better);
    let mut verdicts = Vec::new();
    for control in controls.iter().filter(|control| control.scores.method.name != "random_cell") {
        let differences = Differences::between(model, control);
        let is_mean = is_mean(control);
        let outcome = match (scores.n_cells < MIN_CELLS, is_mean) {
            (true, _) => Outcome::Undecided,
            (_, true) => differences.against_mean(),
            (_, false) => differences.against_other(beats_mean),
        };
        let mut sentence = sentence(&subject, (model, control), &differences, outcome);
        if is_mean && matches!(outcome, Outcome::Level | Outcome::Worse) {
            if differences.pearson.is_some_and(|pearson| pearson.is_above_zero()) {
                sentence.push_str("; it goes with what was measured, but its error is no smaller");
            }
            sentence.push_str(&what_controls_do(controls, mean));
        }
        verdicts.push(Verdict {
            subject: subject.clone(),
            against: control.scores.method.name.clone(),
            n_cells: scores.n_cells,
            outcome,
            rmse_difference: Some(differences.rmse),
            pearson_difference: differences.pearson,
            balanced_accuracy_difference: None,
            sentence,
        });
    }
    verdicts
}

fn is_mean(control: &Judged) -> bool {
    control.scores.method.name == "feature_mean"
}

fn sentence(subject: &str, (model, control): (&Judged, &Judged), by: &Differences, outcome: Outcome) -> String {
    let name = &control.scores.method.label;
    let is_mean = is_mean(control);
    let says = match (outcome, is_mean) {
        (Outcome::Undecided, _) => {
            return format!("{subject}: too few cells, or no feature that varies, to compare with {name}");
        }
        (Outcome::Better, true) => "is better than the",
        (_, true) => "is not better than the",
        (Outcome::Better, false) => "exceeds",
        (Outcome::Level, false) => "reaches",
        (Outcome::Worse, false) => "does not reach",
    };
    let pearson = |of: &Judged| of.scores.by_feature.mean.map_or("none".to_owned(), three);
    let mut text = format!("{subject} {says} {name}: Pearson per feature {}", pearson(model));
    let difference = by.pearson.map_or(String::new(), |pearson| in_brackets(&pearson, three));
    match is_mean {
        true => text.push_str(&format!(
            " {difference}, RMSE {} against {} {}",
            significant(model.scores.rmse),
            significant(control.scores.rmse),
            in_brackets(&by.rmse, significant)
        )),
        false => text.push_str(&format!(" against {} {difference}", pearson(control))),
    }
    text
}

/// Whether simple predictors find what the model does not.
fn what_controls_do(controls: &[Judged], mean: Option<&Judged>) -> String {
    let is_other =
        |control: &&Judged| !matches!(control.scores.method.name.as_str(), "zeros" | "feature_mean" | "random_cell");
    let others: Vec<&Judged> = controls.iter().filter(is_other).collect();
    let Some(mean) = mean.filter(|_| !others.is_empty()) else { return String::new() };
    let is_better = |control: &&&Judged| Differences::between(control, mean).against_mean() == Outcome::Better;
    let better: Vec<&str> =
        others.iter().filter(is_better).map(|control| control.scores.method.label.as_str()).collect();
    match better.as_slice() {
        [] => "; no control is either".to_owned(),
        better => format!("; better than it: {}", better.join(", ")),
    }
}

/// A space and the resampled balanced accuracy of its neighbours.
pub(super) type ProbedSpace<'a> = (&'a SpaceScores, &'a Resampled);

/// The verdict on one space beside principal components.
pub(super) fn of_space(
    (subject, label): (&str, &str),
    n_cells: usize,
    space: ProbedSpace<'_>,
    control: ProbedSpace<'_>,
) -> Verdict {
    let (own, other) = (space.1.estimate, control.1.estimate);
    let difference = space.1.difference(control.1, own - other);
    let outcome = by_interval(difference);
    let says = match outcome {
        Outcome::Better => "better than",
        Outcome::Worse => "less well than",
        _ => "as well as",
    };
    let sentence = format!(
        "the {} of {subject} tells `{label}` {says} {}: balanced accuracy {} against {} {}",
        space.0.method.label,
        control.0.method.label,
        three(own),
        three(other),
        in_brackets(&difference, three)
    );
    Verdict {
        subject: format!("{subject}: {label} in {}", space.0.method.name),
        against: control.0.method.name.clone(),
        n_cells,
        outcome,
        rmse_difference: None,
        pearson_difference: None,
        balanced_accuracy_difference: Some(difference),
        sentence,
    }
}

pub(super) fn in_brackets(difference: &Interval, format: fn(f64) -> String) -> String {
    let [estimate, lower, upper] =
        [difference.estimate, difference.lower, difference.upper].map(|value| signed(value, format));
    format!("(difference {estimate}, 95 % interval {lower} to {upper})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(lower: f64, upper: f64) -> Interval {
        Interval { estimate: (lower + upper) / 2.0, lower, upper }
    }

    #[test]
    fn better_than_the_mean_needs_correlation_and_error() {
        let outcome = |pearson: Option<(f64, f64)>, rmse: (f64, f64)| {
            let pearson = pearson.map(|(lower, upper)| interval(lower, upper));
            Differences { rmse: interval(rmse.0, rmse.1), pearson }.against_mean()
        };
        assert_eq!(outcome(Some((0.1, 0.2)), (-0.2, -0.1)), Outcome::Better);
        assert_eq!(outcome(Some((0.1, 0.2)), (-0.1, 0.1)), Outcome::Level);
        assert_eq!(outcome(Some((0.1, 0.2)), (0.1, 0.2)), Outcome::Level);
        assert_eq!(outcome(Some((-0.1, 0.1)), (-0.2, -0.1)), Outcome::Level);
        assert_eq!(outcome(Some((-0.1, 0.1)), (0.1, 0.2)), Outcome::Worse);
        assert_eq!(outcome(None, (-0.2, -0.1)), Outcome::Undecided);
    }

    #[test]
    fn other_controls_are_judged_by_correlation() {
        let judged = |lower, upper, beats_mean| {
            Differences { rmse: interval(0.1, 0.2), pearson: Some(interval(lower, upper)) }.against_other(beats_mean)
        };
        let outcome = |lower, upper| judged(lower, upper, true);
        assert_eq!(judged(0.01, 0.02, false), Outcome::Level);
        assert_eq!(judged(-0.02, -0.01, false), Outcome::Worse);
        assert_eq!(outcome(0.01, 0.02), Outcome::Better);
        assert_eq!(outcome(-0.01, 0.02), Outcome::Level);
        assert_eq!(outcome(-0.02, -0.01), Outcome::Worse);
    }
}
