//! Over-representation of sets among chosen features, by the hypergeometric distribution.

use anyhow::{Context, Result};
use serde::Serialize;

use super::members;
use crate::distributions::hypergeometric_upper_tail;
use crate::multiple_testing::benjamini_hochberg;

/// How many of the chosen features are in a set, and whether chance would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverRepresentation {
    /// Place of the set among those given.
    pub set: usize,
    /// Features of the set.
    pub n_set: usize,
    /// Those of them that were chosen, ascending.
    pub overlap: Vec<usize>,
    /// What chance would choose of the set: n_chosen n_set / n_background.
    pub expected: f64,
    /// Chosen over expected; NaN where nothing is expected.
    pub fold_enrichment: f64,
    /// P(X ≥ overlap) for X features of the set among n_chosen drawn without replacement (Fisher's exact test, one-sided).
    pub p: f64,
    /// False discovery rate ([`benjamini_hochberg`]) over all sets given; NaN for sets without features, which are no test.
    pub q: f64,
}

/// Tests each set for over-representation among the chosen of `n_background` tested features; one result per set, in their
/// order.
///
/// Sets and the chosen are lists of places among the tested features. A set of which nothing was chosen is a test, too.
///
/// # Errors
/// When a feature does not exist or is listed twice.
pub fn over_representation(
    chosen: &[usize],
    sets: &[Vec<usize>],
    n_background: usize,
) -> Result<Vec<OverRepresentation>> {
    let is_chosen = members(chosen, n_background, "the choice")?;
    let mut found = Vec::with_capacity(sets.len());
    for (set, features) in sets.iter().enumerate() {
        members(features, n_background, "the set").with_context(|| format!("set {set} cannot be tested"))?;
        let mut overlap: Vec<usize> = features.iter().copied().filter(|&feature| is_chosen[feature]).collect();
        overlap.sort_unstable();
        let expected = chosen.len() as f64 * features.len() as f64 / n_background.max(1) as f64;
        let p = hypergeometric_upper_tail(overlap.len(), [n_background, features.len(), chosen.len()]);
        let fold_enrichment = overlap.len() as f64 / expected;
        found.push(OverRepresentation {
            set,
            n_set: features.len(),
            overlap,
            expected,
            fold_enrichment,
            p,
            q: f64::NAN,
        });
    }
    let p: Vec<f64> = found.iter().map(|one| if one.n_set == 0 { f64::NAN } else { one.p }).collect();
    found.iter_mut().zip(benjamini_hochberg(&p)).for_each(|(one, q)| one.q = q);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_case_can_be_counted() {
        // two of ten features chosen, both in a set of three: 3 of 45 pairs
        let sets = [vec![7, 2, 4], vec![0, 1], vec![], vec![2, 0]];
        let found = over_representation(&[2, 7], &sets, 10).unwrap();
        assert_eq!((found[0].overlap.as_slice(), found[0].n_set), ([2, 7].as_slice(), 3));
        assert!((found[0].p - 3.0 / 45.0).abs() < 1e-14 && (found[0].expected - 0.6).abs() < 1e-14);
        assert!((found[0].fold_enrichment - 2.0 / 0.6).abs() < 1e-12);
        assert_eq!((found[1].p, found[1].overlap.len()), (1.0, 0));
        // at least one of two: 1 − C(8, 2) / 45
        assert!((found[3].p - 17.0 / 45.0).abs() < 1e-14);
        // three tests: the empty set is none
        assert!((found[0].q - 0.2).abs() < 1e-14 && found[2].q.is_nan() && found[2].fold_enrichment.is_nan());
    }

    #[test]
    fn features_that_were_not_tested_are_refused() {
        let failure = over_representation(&[0], &[vec![1], vec![5]], 5).unwrap_err();
        assert!(
            format!("{failure:#}").starts_with("set 1 cannot be tested: the set names feature 5, but 5 were tested")
        );
        assert!(over_representation(&[0, 0], &[], 5).unwrap_err().to_string().contains("twice"));
    }
}
