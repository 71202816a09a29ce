//! Which images tell more: paired tests over splits, and over the groups that were held out.

use super::findings::{Comparison, InputFindings, InputKind, SplitFacts};
use analysis::{Paired, holm, signed_rank};
use std::collections::HashMap;

/// The score of groups.
const OF_GROUPS: &str = "accuracy";

/// Tests of all pairs that mean something: real against reconstructed images, full against shared, both against predicted, and
/// every kind against labels that were permuted.
pub fn comparisons(inputs: &[InputFindings], scores: &[&str], splits: &[SplitFacts]) -> Vec<Comparison> {
    let ratios: Vec<f64> = splits.iter().map(|split| split.n_judged as f64 / split.n_learned.max(1) as f64).collect();
    let ratio = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
    let mut all = Vec::new();
    for (place, score) in scores.iter().enumerate() {
        let test = |(first, second): (&InputFindings, &InputFindings)| {
            let pairs = first.splits.iter().zip(&second.splits);
            let difference = |one: &Option<f64>, other: &Option<f64>| Some((*one)? - (*other)?);
            let differences: Vec<f64> =
                pairs.filter_map(|(one, other)| difference(&one.scores[place], &other.scores[place])).collect();
            comparison((first, second), (score, "split"), &differences, Some(ratio))
        };
        all.extend(corrected(pairs(inputs).into_iter().filter_map(test).collect()));
    }
    let of_groups = pairs(inputs).into_iter().filter_map(|(first, second)| {
        let known: HashMap<&str, f64> = second.groups.iter().map(|one| (one.group.as_str(), one.share())).collect();
        let difference =
            |one: &super::findings::GroupScore| known.get(one.group.as_str()).map(|other| one.share() - other);
        let differences: Vec<f64> = first.groups.iter().filter_map(difference).collect();
        comparison((first, second), (OF_GROUPS, "group"), &differences, None)
    });
    all.extend(corrected(of_groups.collect()));
    all
}

impl super::findings::GroupScore {
    /// Share of the cells whose class was told.
    pub fn share(&self) -> f64 {
        self.n_right as f64 / self.n.max(1) as f64
    }
}

/// First and second of each test.
fn pairs(inputs: &[InputFindings]) -> Vec<(&InputFindings, &InputFindings)> {
    use InputKind::{Permuted, Predicted, Real, Reconstructed, SharedOnly};
    let kinds = [
        (Real, Reconstructed),
        (Reconstructed, SharedOnly),
        (Real, Predicted),
        (Reconstructed, Predicted),
        (SharedOnly, Predicted),
        (Real, Permuted),
        (Reconstructed, Permuted),
        (SharedOnly, Permuted),
        (Predicted, Permuted),
    ];
    let of = |kind: InputKind| inputs.iter().filter(move |input| input.kind == kind);
    kinds
        .into_iter()
        .flat_map(|(one, other)| of(one).flat_map(move |first| of(other).map(move |second| (first, second))))
        .collect()
}

fn comparison(
    (first, second): (&InputFindings, &InputFindings),
    (score, unit): (&str, &str),
    differences: &[f64],
    ratio: Option<f64>,
) -> Option<Comparison> {
    let paired = Paired::of(differences)?;
    let one_sided = |p: f64| if paired.mean > 0.0 { p / 2.0 } else { 1.0 - p / 2.0 };
    Some(Comparison {
        first: first.input.clone(),
        second: second.input.clone(),
        score: score.to_owned(),
        unit: unit.to_owned(),
        n: paired.n,
        gain: paired.mean,
        interval: paired.interval,
        p_two_sided: paired.p,
        p_one_sided: paired.p.map(one_sided),
        p_resampled: ratio.and_then(|ratio| paired.resampled(ratio)),
        p_signed_rank: signed_rank(differences),
        p_holm: None,
    })
}

fn corrected(mut tests: Vec<Comparison>) -> Vec<Comparison> {
    let p: Vec<f64> = tests.iter().map(|test| test.p_two_sided.unwrap_or(f64::NAN)).collect();
    for (test, p) in tests.iter_mut().zip(holm(&p)) {
        test.p_holm = (!p.is_nan()).then_some(p);
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::super::findings::{GroupScore, SplitScores};
    use super::*;

    fn input(kind: InputKind, values: &[f64]) -> InputFindings {
        let split = |value: &f64| SplitScores { scores: vec![Some(*value)], n_epochs: 1, best_epoch: 1 };
        let group = |(place, value): (usize, &f64)| GroupScore {
            group: format!("donor{place}"),
            n: 100,
            n_right: (100.0 * value).round() as u64,
        };
        InputFindings {
            input: format!("{kind:?}"),
            kind,
            splits: values.iter().map(split).collect(),
            groups: values.iter().enumerate().map(group).collect(),
            confusion: Vec::new(),
        }
    }

    #[test]
    fn gains_are_those_of_the_first_and_tests_those_of_scipy() {
        let split = SplitFacts {
            n_learned: 100,
            n_stopping: 10,
            n_judged: 20,
            n_judged_model_learned: 0,
            n_judged_model_stopped: 0,
            groups: Vec::new(),
            n_groups_model_learned: 0,
            n_unlearned_classes: 0,
        };
        let inputs = [
            input(InputKind::Real, &[0.80, 0.75, 0.83, 0.78]),
            input(InputKind::Reconstructed, &[0.70, 0.72, 0.71, 0.70]),
            input(InputKind::SharedOnly, &[0.70, 0.72, 0.71, 0.70]),
        ];
        let found = comparisons(&inputs, &["balanced_accuracy"], &vec![split; 4]);
        let names: Vec<(&str, &str, &str)> =
            found.iter().map(|one| (one.first.as_str(), one.second.as_str(), one.unit.as_str())).collect();
        let expected = [("Real", "Reconstructed"), ("Reconstructed", "SharedOnly")];
        assert_eq!(names, ["split", "group"].map(|unit| expected.map(|(one, other)| (one, other, unit))).concat());
        let first = &found[0];
        assert!((first.gain - 0.0825).abs() < 1e-12);
        // scipy.stats.ttest_rel([.80, .75, .83, .78], [.70, .72, .71, .70]), alternative two-sided and greater
        assert!((first.p_two_sided.unwrap() - 0.023_543_500_415_804_28).abs() < 1e-12, "{first:?}");
        assert!((first.p_one_sided.unwrap() - 0.011_771_750_207_902_14).abs() < 1e-12, "{first:?}");
        // of four pairs 2 / 2⁴ is the least
        assert_eq!(first.p_signed_rank, Some(0.125));
        assert!(first.p_resampled.unwrap() > first.p_two_sided.unwrap());
        assert!((first.p_holm.unwrap() - 2.0 * first.p_two_sided.unwrap()).abs() < 1e-12);
        assert_eq!((found[1].gain, found[1].p_two_sided, found[1].p_signed_rank), (0.0, Some(1.0), None));
        assert!((found[2].gain - 0.0825).abs() < 1e-12 && found[2].p_resampled.is_none());
    }
}
