//! From the values of a metric to differences and verdicts.
//!
//! Differences are paired by seed, so n counts seeds, never cells. Over all variants that have a difference, p-values of the
//! paired t-test and of the equivalence test are each corrected after Holm. At the level .05: *equivalent* where a margin is
//! declared and the equivalence test says so; else *better* or *worse* where the t-test does; else *undecided*.

use super::comparison::{ComparedMetric, Difference, MetricRow, Verdict};
use super::metric::Metric;
use analysis::{Paired, bootstrap_interval, holm, signed_rank};

/// Errors of the first kind that are accepted over all variants of a metric.
pub const LEVEL: f64 = 0.05;
/// More seeds than this are not thought of.
const MAX_SEEDS: u64 = 1000;
/// Seed of bootstrap intervals (they are enumerated for few seeds).
const BOOTSTRAP_SEED: u64 = 0;

/// The values of one variant.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// Name of the variant.
    pub variant: String,
    /// Seed and value of each run that has one.
    pub values: Vec<(u64, f64)>,
    /// Why finished runs have none.
    pub not_applicable: Option<String>,
}

/// Compares variants with the first of them.
pub fn compare(metric: &Metric, margin: Option<f64>, variants: &[Values]) -> ComparedMetric {
    let base = variants.first().map(|base| base.values.clone()).unwrap_or_default();
    let mut rows: Vec<MetricRow> = variants.iter().map(row).collect();
    let pairs: Vec<Vec<f64>> = variants.iter().skip(1).map(|variant| differences(&base, &variant.values)).collect();
    let n_tests = pairs.iter().filter(|differences| differences.len() > 1).count();
    for (row, differences) in rows.iter_mut().skip(1).zip(&pairs) {
        row.difference = difference(differences, (margin, n_tests));
    }
    correct(&mut rows);
    for difference in rows.iter_mut().filter_map(|row| row.difference.as_mut()) {
        decide(difference, margin, metric.higher_is_better);
    }
    ComparedMetric {
        name: metric.name.clone(),
        title: metric.title.clone(),
        higher_is_better: metric.higher_is_better,
        margin,
        rows,
    }
}

fn row(variant: &Values) -> MetricRow {
    let values: Vec<f64> = variant.values.iter().map(|(_, value)| *value).collect();
    let summary = Paired::of(&values);
    MetricRow {
        variant: variant.variant.clone(),
        values: variant.values.clone(),
        mean: summary.as_ref().map(|summary| summary.mean),
        sd: summary.and_then(|summary| summary.sd),
        not_applicable: variant.not_applicable.clone().filter(|_| values.is_empty()),
        difference: None,
    }
}

/// Variant less base for each seed that both have.
fn differences(base: &[(u64, f64)], variant: &[(u64, f64)]) -> Vec<f64> {
    let of_base = |seed: u64| base.iter().find(|(other, _)| *other == seed).map(|(_, value)| *value);
    variant.iter().filter_map(|(seed, value)| Some(value - of_base(*seed)?)).collect()
}

/// What differences say, before they are corrected for others. The seeds that would decide are those at which the smallest of
/// all p-values would: Holm's first step.
fn difference(differences: &[f64], (margin, n_tests): (Option<f64>, usize)) -> Option<Difference> {
    let paired = Paired::of(differences)?;
    let level = LEVEL / n_tests.max(1) as f64;
    Some(Difference {
        n_pairs: paired.n,
        mean: paired.mean,
        sd: paired.sd,
        interval: paired.interval,
        bootstrap_interval: bootstrap_interval(differences, BOOTSTRAP_SEED),
        p_t: paired.p,
        p_wilcoxon: signed_rank(differences),
        p_t_holm: None,
        effect_size: paired.effect_size,
        p_equivalence: margin.and_then(|margin| paired.equivalence(margin)),
        p_equivalence_holm: None,
        verdict: Verdict::Undecided,
        n_seeds_to_decide: paired.n_to_decide(margin, level, MAX_SEEDS),
    })
}

/// Corrects both p-values for the number of variants.
fn correct(rows: &mut [MetricRow]) {
    let of = |pick: fn(&Difference) -> Option<f64>| -> Vec<f64> {
        let raw = rows.iter().map(|row| row.difference.as_ref().and_then(pick).unwrap_or(f64::NAN));
        holm(&raw.collect::<Vec<_>>())
    };
    let (differ, equivalent) = (of(|one| one.p_t), of(|one| one.p_equivalence));
    for ((row, differ), equivalent) in rows.iter_mut().zip(differ).zip(equivalent) {
        if let Some(difference) = &mut row.difference {
            difference.p_t_holm = Some(differ).filter(|p| !p.is_nan());
            difference.p_equivalence_holm = Some(equivalent).filter(|p| !p.is_nan());
        }
    }
}

fn decide(difference: &mut Difference, margin: Option<f64>, higher_is_better: bool) {
    let passes = |p: Option<f64>| p.is_some_and(|p| p <= LEVEL);
    difference.verdict = if margin.is_some() && passes(difference.p_equivalence_holm) {
        Verdict::Equivalent
    } else if passes(difference.p_t_holm) {
        match (difference.mean > 0.0) == higher_is_better {
            true => Verdict::Better,
            false => Verdict::Worse,
        }
    } else {
        Verdict::Undecided
    };
    if difference.verdict != Verdict::Undecided {
        difference.n_seeds_to_decide = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ablate::metric::Subjects;

    fn values(variant: &str, values: &[f64]) -> Values {
        let values = values.iter().enumerate().map(|(seed, value)| (seed as u64, *value)).collect();
        Values { variant: variant.to_owned(), values, not_applicable: None }
    }

    fn verdicts(name: &str, margin: Option<f64>, variants: &[Values]) -> Vec<Verdict> {
        let metric = Metric::named(name, &Subjects::default()).unwrap();
        let compared = compare(&metric, margin, variants);
        compared.rows.iter().filter_map(|row| row.difference.as_ref().map(|one| one.verdict)).collect()
    }

    #[test]
    fn verdicts_follow_direction_and_margin() {
        let base = values("base", &[10.0, 11.0, 12.0, 13.0, 14.0]);
        let variants = [
            base.clone(),
            values("slower", &[15.0, 16.1, 16.9, 18.0, 19.1]),
            values("faster", &[5.0, 6.1, 6.9, 8.0, 9.1]),
            values("alike", &[10.01, 11.0, 11.99, 13.01, 14.0]),
            values("scattered", &[13.0, 8.0, 17.0, 10.0, 15.0]),
        ];
        use Verdict::{Better, Equivalent, Undecided, Worse};
        assert_eq!(verdicts("fit_secs", None, &variants), [Worse, Better, Undecided, Undecided]);
        assert_eq!(verdicts("fit_secs", Some(0.5), &variants), [Worse, Better, Equivalent, Undecided]);
        // a difference within the margin is equivalent even where it is no chance
        assert_eq!(verdicts("fit_secs", Some(8.0), &variants[..3]), [Equivalent, Equivalent]);
    }

    #[test]
    fn runs_that_are_missing_leave_their_pairs_out() {
        let base = values("base", &[1.0, 2.0, 3.0]);
        let mut other = values("other", &[2.0, 3.0, 4.5]);
        other.values.remove(1);
        let nothing = Values { not_applicable: Some("no such part".to_owned()), ..values("none", &[]) };
        let metric = Metric::named("total_secs", &Subjects::default()).unwrap();
        let compared = compare(&metric, None, &[base, other, nothing]);
        let difference = compared.rows[1].difference.as_ref().unwrap();
        assert_eq!((difference.n_pairs, difference.mean), (2, 1.25));
        assert!(compared.rows[2].difference.is_none() && compared.rows[2].not_applicable.is_some());
        let one = compare(&metric, None, &[values("base", &[1.0]), values("other", &[2.0])]);
        let difference = one.rows[1].difference.as_ref().unwrap();
        assert_eq!(
            (difference.p_t, difference.verdict, difference.n_seeds_to_decide),
            (None, Verdict::Undecided, None)
        );
    }
}
