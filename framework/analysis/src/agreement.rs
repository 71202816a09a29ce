//! How well two groupings of the same cells agree, whatever the groups are called.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::labels::check_pair;

/// Agreement of two groupings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Adjusted Rand index (Hubert and Arabie 1985): 1 for the same groups, about 0 for unrelated ones.
    pub adjusted_rand: f64,
    /// Mutual information over the mean of the two entropies (scikit-learn's `normalized_mutual_info_score`).
    pub normalised_mutual_information: f64,
}

/// Compares two groupings of the same cells.
///
/// # Errors
/// When lengths differ or there is no cell.
pub fn agreement(first: &[u32], second: &[u32]) -> Result<Agreement> {
    check_pair(first, second)?;
    let mut joint: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    let mut of_first: BTreeMap<u32, f64> = BTreeMap::new();
    let mut of_second: BTreeMap<u32, f64> = BTreeMap::new();
    for (&a, &b) in first.iter().zip(second) {
        *joint.entry((a, b)).or_default() += 1.0;
        *of_first.entry(a).or_default() += 1.0;
        *of_second.entry(b).or_default() += 1.0;
    }
    let n = first.len() as f64;
    let (h_first, h_second, h_joint) =
        (entropy(of_first.values(), n), entropy(of_second.values(), n), entropy(joint.values(), n));
    let information = (h_first + h_second - h_joint).max(0.0);
    let mean_entropy = (h_first + h_second) / 2.0;
    let same_single_group = of_first.len() == 1 && of_second.len() == 1;
    Ok(Agreement {
        adjusted_rand: adjusted_rand(pairs(joint.values()), pairs(of_first.values()), pairs(of_second.values()), n),
        normalised_mutual_information: if same_single_group { 1.0 } else { information / mean_entropy },
    })
}

/// (pairs together in both − expected) / (mean of pairs together in either − expected).
fn adjusted_rand(both: f64, first: f64, second: f64, n: f64) -> f64 {
    let expected = if n > 1.0 { first * second / (n * (n - 1.0) / 2.0) } else { 0.0 };
    let most = (first + second) / 2.0;
    if most == expected { 1.0 } else { (both - expected) / (most - expected) }
}

fn pairs<'a>(counts: impl Iterator<Item = &'a f64>) -> f64 {
    counts.map(|n| n * (n - 1.0) / 2.0).sum()
}

/// −Σ p ln p, in nats.
fn entropy<'a>(counts: impl Iterator<Item = &'a f64>, n: f64) -> f64 {
    -counts.map(|count| count / n * (count / n).ln()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_do_not_matter() {
        let same = agreement(&[0, 0, 1, 2], &[5, 5, 9, 1]).unwrap();
        assert!((same.adjusted_rand - 1.0).abs() < 1e-12);
        assert!((same.normalised_mutual_information - 1.0).abs() < 1e-12);
        let one_group = agreement(&[0, 0], &[3, 3]).unwrap();
        assert_eq!((one_group.adjusted_rand, one_group.normalised_mutual_information), (1.0, 1.0));
        assert_eq!(agreement(&[0, 1], &[3, 3]).unwrap().normalised_mutual_information, 0.0);
        assert!(agreement(&[0], &[]).is_err());
    }
}
