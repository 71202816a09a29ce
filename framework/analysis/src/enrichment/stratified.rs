//! Over-representation of sets within strata, such as features of like GC content.

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::{OverRepresentation, members};
use crate::distributions::hypergeometric_weights;
use crate::multiple_testing::benjamini_hochberg;

/// Features by stratum.
struct Strata<'a> {
    of_feature: &'a [Option<usize>],
    /// Features of each.
    n_all: Vec<usize>,
    /// Chosen features of each.
    n_chosen: Vec<usize>,
}

/// Tests each set for over-representation among the chosen features, given how many of each stratum were chosen: the exact
/// conditional test of a common odds ratio of 1 (Zelen 1971), whose p is P(Σ X_s ≥ overlap) for independent hypergeometric X_s,
/// by convolution. With one stratum it is [`crate::over_representation`].
///
/// Features without a stratum were not tested: they are in neither set nor choice nor background. `expected` adds up what
/// chance would choose within each stratum.
///
/// # Errors
/// When a feature does not exist or is listed twice.
pub fn over_representation_within(
    chosen: &[usize],
    sets: &[Vec<usize>],
    strata: &[Option<usize>],
) -> Result<Vec<OverRepresentation>> {
    let is_chosen = members(chosen, strata.len(), "the choice")?;
    let all = Strata::new(strata, &is_chosen);
    let tested = |(set, features): (usize, &Vec<usize>)| -> Result<OverRepresentation> {
        members(features, strata.len(), "the set").with_context(|| format!("set {set} cannot be tested"))?;
        Ok(all.tested(set, features, &is_chosen))
    };
    // all, so that of several errors the first is told
    let found: Vec<Result<OverRepresentation>> = sets.par_iter().enumerate().map(tested).collect();
    let mut found: Vec<OverRepresentation> = found.into_iter().collect::<Result<_>>()?;
    let p: Vec<f64> = found.iter().map(|one| if one.n_set == 0 { f64::NAN } else { one.p }).collect();
    found.iter_mut().zip(benjamini_hochberg(&p)).for_each(|(one, q)| one.q = q);
    Ok(found)
}

impl<'a> Strata<'a> {
    fn new(of_feature: &'a [Option<usize>], is_chosen: &[bool]) -> Strata<'a> {
        let n_strata = of_feature.iter().flatten().max().map_or(0, |last| last + 1);
        let (mut n_all, mut n_chosen) = (vec![0; n_strata], vec![0; n_strata]);
        for (stratum, is_chosen) in of_feature.iter().zip(is_chosen) {
            if let Some(stratum) = stratum {
                n_all[*stratum] += 1;
                n_chosen[*stratum] += usize::from(*is_chosen);
            }
        }
        Strata { of_feature, n_all, n_chosen }
    }

    fn tested(&self, set: usize, features: &[usize], is_chosen: &[bool]) -> OverRepresentation {
        let mut n_marked = vec![0; self.n_all.len()];
        features.iter().filter_map(|&feature| self.of_feature[feature]).for_each(|stratum| n_marked[stratum] += 1);
        let is_counted = |feature: usize| is_chosen[feature] && self.of_feature[feature].is_some();
        let mut overlap: Vec<usize> = features.iter().copied().filter(|&feature| is_counted(feature)).collect();
        overlap.sort_unstable();
        let expected: f64 = (0..n_marked.len())
            .filter(|&stratum| self.n_all[stratum] > 0)
            .map(|stratum| n_marked[stratum] as f64 * self.n_chosen[stratum] as f64 / self.n_all[stratum] as f64)
            .sum();
        OverRepresentation {
            set,
            n_set: n_marked.iter().sum(),
            expected,
            fold_enrichment: overlap.len() as f64 / expected,
            p: self.upper_tail(overlap.len(), &n_marked),
            q: f64::NAN,
            overlap,
        }
    }

    /// P(Σ X_s ≥ n_least).
    fn upper_tail(&self, n_least: usize, n_marked: &[usize]) -> f64 {
        let (mut lowest, mut weights) = (0, vec![1.0]);
        for (stratum, &n_marked) in n_marked.iter().enumerate() {
            let (first, own) = hypergeometric_weights([self.n_all[stratum], n_marked, self.n_chosen[stratum]]);
            let (first, own) = trimmed(first, &own);
            lowest += first;
            weights = convolved(&weights, &own);
        }
        let split = n_least.saturating_sub(lowest).min(weights.len());
        if split == 0 {
            return 1.0;
        }
        // smallest first
        let above: f64 = weights[split..].iter().rev().sum();
        let below: f64 = weights[..split].iter().sum();
        above / (above + below)
    }
}

/// Weights that add up to 1, without those at either end that are 0 in 64-bit numbers.
fn trimmed(lowest: usize, weights: &[f64]) -> (usize, Vec<f64>) {
    let total: f64 = weights.iter().sum();
    let is_some = |weight: &f64| *weight > 0.0;
    let first = weights.iter().position(is_some).unwrap_or_default();
    let last = weights.iter().rposition(is_some).unwrap_or_default();
    (lowest + first, weights[first..=last].iter().map(|weight| weight / total).collect())
}

fn convolved(left: &[f64], right: &[f64]) -> Vec<f64> {
    let (longer, shorter) = if left.len() < right.len() { (right, left) } else { (left, right) };
    let mut sums = vec![0.0; left.len() + right.len() - 1];
    for (shift, &factor) in shorter.iter().enumerate() {
        sums[shift..].iter_mut().zip(longer).for_each(|(sum, weight)| *sum += factor * weight);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_strata_can_be_counted() {
        // stratum 0: features 0–3, two chosen, two in the set; stratum 1: features 4–6, one chosen, one in the set
        let strata = [Some(0), Some(0), Some(0), Some(0), Some(1), Some(1), Some(1), None];
        let found =
            over_representation_within(&[0, 1, 4, 7], &[vec![4, 1, 0, 7], vec![5, 2, 1], vec![7]], &strata).unwrap();
        // all three: 1/6 · 1/3
        assert!((found[0].p - 1.0 / 18.0).abs() < 1e-15 && found[0].overlap == [0, 1, 4] && found[0].n_set == 3);
        assert!((found[0].expected - (1.0 + 1.0 / 3.0)).abs() < 1e-15);
        // at least one: 1 − 1/6 · 2/3
        assert!((found[1].p - (1.0 - 1.0 / 9.0)).abs() < 1e-15 && found[1].overlap == [1]);
        assert!(found[2].q.is_nan() && found[2].n_set == 0 && found[2].p == 1.0);
        assert!((found[0].q - 1.0 / 9.0).abs() < 1e-15);
    }

    #[test]
    fn what_only_strata_explain_is_not_found() {
        // the set is stratum 1 but for one in ten, and so is the choice, by the stratum alone
        let strata: Vec<Option<usize>> = (0..1000).map(|feature| Some(usize::from(feature >= 500))).collect();
        let set: Vec<usize> =
            (0..1000).filter(|feature| if *feature < 500 { feature % 10 == 0 } else { feature % 10 != 0 }).collect();
        let chosen: Vec<usize> = (0..1000)
            .filter(|feature| if *feature < 500 { feature / 10 % 10 == 0 } else { feature / 10 % 10 != 0 })
            .collect();
        let within = over_representation_within(&chosen, std::slice::from_ref(&set), &strata).unwrap();
        let plain = super::super::over_representation(&chosen, &[set], 1000).unwrap();
        assert!(plain[0].p < 1e-80 && within[0].p > 0.4, "{} {}", plain[0].p, within[0].p);
        assert!((within[0].fold_enrichment - 1.0).abs() < 1e-12);
    }

    #[test]
    fn features_that_do_not_exist_are_refused() {
        let error = over_representation_within(&[0], &[vec![1], vec![5]], &[Some(0); 5]).unwrap_err();
        assert!(format!("{error:#}").contains("set 1 cannot be tested"));
        assert!(over_representation_within(&[5], &[], &[None; 5]).is_err());
    }
}
