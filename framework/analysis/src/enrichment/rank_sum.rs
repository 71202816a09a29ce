//! Whether the features of a set have higher or lower scores than the others, by ranks: for sets of thousands of features,
//! where random sets would tell no more than the normal distribution does.

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::members;
use crate::distributions::normal_both_tails;
use crate::multiple_testing::benjamini_hochberg;

/// Whether scores of a set are higher (above 0) or lower than those of the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankSum {
    /// Place of the set among those given.
    pub set: usize,
    /// Features of the set that have a stratum.
    pub n_set: usize,
    /// Rank-biserial correlation: the share of pairs (one in the set, one not, of the same stratum) in which the score of the
    /// set's is higher, less the share in which it is lower; ties count in neither.
    pub correlation: f64,
    /// Standardised sum of ranks.
    pub z: f64,
    /// Two-sided p-value by the normal distribution.
    pub p: f64,
    /// False discovery rate ([`benjamini_hochberg`]) over the sets that were tested.
    pub q: f64,
}

/// One stratum of ranked features.
#[derive(Debug, Default, Clone)]
struct Stratum {
    n: f64,
    /// Σ (t³ − t) over groups of t equal scores.
    ties: f64,
}

/// Tests for each set of at least `min_size` features (and as many others) whether its scores are higher or lower than those
/// of the other features of the same stratum: the stratified Wilcoxon test of van Elteren (1960), Σ_s (W_s − E W_s) / (N_s + 1)
/// over its standard deviation, W_s sums of mid-ranks, variances with the correction for ties, none for continuity. With one
/// stratum it is the test of Wilcoxon, Mann and Whitney.
///
/// Features are taken as independent of each other. Those without a stratum were not tested and count nowhere. Sets that are
/// too small are left out.
///
/// # Errors
/// When a score is not finite, lengths differ, or a feature does not exist or is listed twice.
pub fn rank_sum(
    scores: &[f64],
    sets: &[Vec<usize>],
    strata: &[Option<usize>],
    min_size: usize,
) -> Result<Vec<RankSum>> {
    ensure!(scores.len() == strata.len(), "there are {} scores, but strata of {} features", scores.len(), strata.len());
    let bad = scores.iter().position(|score| !score.is_finite());
    ensure!(bad.is_none(), "the score of feature {} is not finite", bad.unwrap_or_default());
    let (ranks, all) = ranked(scores, strata);
    let n_all: f64 = all.iter().map(|stratum| stratum.n).sum();
    let mut found = Vec::new();
    for (set, features) in sets.iter().enumerate() {
        members(features, scores.len(), "the set").with_context(|| format!("set {set} cannot be tested"))?;
        let known: Vec<(usize, f64)> =
            features.iter().filter_map(|&feature| Some((strata[feature]?, ranks[feature]))).collect();
        let least = min_size.max(1) as f64;
        if known.len() as f64 >= least && n_all - known.len() as f64 >= least {
            found.extend(tested(set, &known, &all));
        }
    }
    let q = benjamini_hochberg(&found.iter().map(|one| one.p).collect::<Vec<_>>());
    found.iter_mut().zip(q).for_each(|(one, q)| one.q = q);
    Ok(found)
}

/// The mid-rank of each feature within its stratum, counted from 1, and the strata.
fn ranked(scores: &[f64], strata: &[Option<usize>]) -> (Vec<f64>, Vec<Stratum>) {
    let mut order: Vec<(usize, usize)> =
        strata.iter().enumerate().filter_map(|(feature, stratum)| Some(((*stratum)?, feature))).collect();
    order.sort_by(|left, right| left.0.cmp(&right.0).then(scores[left.1].total_cmp(&scores[right.1])));
    let mut all = vec![Stratum::default(); order.last().map_or(0, |last| last.0 + 1)];
    let mut ranks = vec![f64::NAN; scores.len()];
    for ties in order.chunk_by(|left, right| left.0 == right.0 && scores[left.1] == scores[right.1]) {
        let (stratum, n) = (&mut all[ties[0].0], ties.len() as f64);
        ties.iter().for_each(|(_, feature)| ranks[*feature] = stratum.n + (n + 1.0) / 2.0);
        stratum.n += n;
        stratum.ties += n * (n * n - 1.0);
    }
    (ranks, all)
}

/// The test of one set; `None` where no stratum has features on both sides, or all scores are equal.
fn tested(set: usize, known: &[(usize, f64)], all: &[Stratum]) -> Option<RankSum> {
    let mut of_set = vec![(0.0, 0.0); all.len()];
    for &(stratum, rank) in known {
        of_set[stratum].0 += 1.0;
        of_set[stratum].1 += rank;
    }
    let (mut difference, mut variance, mut pairs, mut n_pairs) = (0.0, 0.0, 0.0, 0.0);
    for ((n, sum), stratum) in of_set.into_iter().zip(all) {
        let n_others = stratum.n - n;
        if n == 0.0 || n_others == 0.0 {
            continue;
        }
        let (about, weight) = (sum - n * (stratum.n + 1.0) / 2.0, 1.0 / (stratum.n + 1.0));
        let ties = stratum.ties / (stratum.n * (stratum.n - 1.0));
        difference += weight * about;
        variance += weight * weight * n * n_others / 12.0 * (stratum.n + 1.0 - ties);
        pairs += 2.0 * about;
        n_pairs += n * n_others;
    }
    let z = difference / variance.sqrt();
    let correlation = pairs / n_pairs;
    (variance > 0.0).then(|| RankSum { set, n_set: known.len(), correlation, z, p: normal_both_tails(z), q: f64::NAN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_variance_are_those_of_all_sets() {
        // two strata with ties; every choice of two of the first five and one of the last three
        let scores = [0.5, 1.0, 1.0, 2.0, -3.0, 7.0, 7.0, 1.0, 99.0];
        let strata: Vec<Option<usize>> = [0, 0, 0, 0, 0, 1, 1, 1, 9].map(|s| (s < 9).then_some(s)).to_vec();
        let (ranks, _) = ranked(&scores, &strata);
        assert_eq!(ranks[..8], [2.0, 3.5, 3.5, 5.0, 1.0, 2.5, 2.5, 1.0]);
        let mut sets = Vec::new();
        for left in 0..5 {
            for right in left + 1..5 {
                (5..8).for_each(|last| sets.push(vec![left, last, right, 8]));
            }
        }
        let sums: Vec<f64> =
            sets.iter().map(|set| (ranks[set[0]] + ranks[set[2]]) / 6.0 + ranks[set[1]] / 4.0).collect();
        let mean = sums.iter().sum::<f64>() / sums.len() as f64;
        let variance = sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / sums.len() as f64;
        let found = rank_sum(&scores, &sets, &strata, 3).unwrap();
        assert_eq!((found.len(), found[0].n_set), (30, 3));
        for (one, sum) in found.iter().zip(sums) {
            assert!((one.z - (sum - mean) / variance.sqrt()).abs() < 1e-12, "{one:?}");
        }
        assert!(rank_sum(&scores, &sets, &strata, 4).unwrap().is_empty());
    }

    #[test]
    fn the_correlation_counts_pairs() {
        let scores = [1.0, 2.0, 2.0, 5.0];
        let found = rank_sum(&scores, &[vec![3, 1], vec![0], vec![0, 1, 2, 3]], &[Some(0); 4], 1).unwrap();
        // 2 > 1, 2 = 2, 5 > 1, 5 > 2; the set of all has no others
        assert_eq!((found.len(), found[0].correlation, found[1].correlation), (2, 0.75, -1.0));
        assert!(found[0].z > 0.0 && found[1].z < 0.0);
        assert!(rank_sum(&[1.0; 4], &[vec![0, 1]], &[Some(0); 4], 1).unwrap().is_empty());
    }

    #[test]
    fn scores_that_are_none_are_refused() {
        let told =
            |scores: &[f64], set: usize| rank_sum(scores, &[vec![set]], &[Some(0); 2], 1).unwrap_err().to_string();
        assert!(told(&[0.0, f64::NAN], 0).contains("feature 1 is not finite"));
        assert!(told(&[0.0], 0).contains("1 scores"));
        assert!(told(&[0.0, 1.0], 2).contains("set 0 cannot be tested"));
    }
}
