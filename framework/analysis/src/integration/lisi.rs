//! LISI: how many labels or batches a neighbourhood effectively holds.

use anyhow::{Result, ensure};
use rayon::prelude::*;

use crate::neighbours::Neighbours;
use crate::score::check_codes;

/// Largest difference of the entropy from the wanted one.
const TOLERANCE: f64 = 1e-5;
const MAX_HALVINGS: usize = 50;

/// Local inverse Simpson index of each cell: 1 … number of groups, the number of groups that its neighbourhood
/// effectively holds.
///
/// 1 / Σ over groups of (Σ of p over neighbours of the group)², with p ∝ exp(−β d) and β such that p has perplexity
/// ⌊(k + 1) / 3⌋, within 10⁻⁵ of its logarithm. scib-metrics takes k + 1 = 90, the cell itself counted; so do
/// [`crate::IntegrationReport`]'s.
///
/// # Errors
/// When groups are not one per cell or there are fewer than 5 neighbours.
///
/// # Source
/// Korsunsky et al. 2019; scib-metrics 0.5.10 `lisi_knn`.
pub fn lisi(neighbours: &Neighbours, groups: &[u32]) -> Result<Vec<f64>> {
    check_codes(neighbours.n_cells(), &[groups])?;
    let n = neighbours.n_neighbours;
    ensure!(n >= 5, "{n} neighbours make no neighbourhood to count groups in; expected 5 or more, 89 are usual");
    let known = neighbours.positions.iter().all(|&other| (other as usize) < groups.len());
    ensure!(known, "neighbours are cells without a group; expected neighbours among the {} cells", groups.len());
    let wanted = ((n + 1) as f64 / 3.0).floor().ln();
    let rows = neighbours.distances.par_chunks(n).zip(neighbours.positions.par_chunks(n));
    Ok(rows.map(|(distances, others)| 1.0 / simpson(&shares(distances, wanted), others, groups)).collect())
}

/// Median LISI of batches, (median − 1) / (number of batches − 1): 0 … 1, higher is better mixed.
///
/// # Errors
/// As [`lisi`], or when there is one batch only.
///
/// # Source
/// Luecken et al. 2022; scib-metrics 0.5.10 `ilisi_knn`.
pub fn ilisi(neighbours: &Neighbours, batches: &[u32]) -> Result<f64> {
    let n_batches = n_groups(batches, "batch")?;
    Ok((median(lisi(neighbours, batches)?) - 1.0) / (n_batches - 1.0))
}

/// Median LISI of labels, (number of labels − median) / (number of labels − 1): 0 … 1, higher is better: labels apart.
///
/// # Errors
/// As [`lisi`], or when there is one label only.
///
/// # Source
/// Luecken et al. 2022; scib-metrics 0.5.10 `clisi_knn`.
pub fn clisi(neighbours: &Neighbours, labels: &[u32]) -> Result<f64> {
    let n_labels = n_groups(labels, "label")?;
    Ok((n_labels - median(lisi(neighbours, labels)?)) / (n_labels - 1.0))
}

fn n_groups(groups: &[u32], what: &str) -> Result<f64> {
    let mut names = groups.to_vec();
    names.sort_unstable();
    names.dedup();
    ensure!(names.len() > 1, "there is {} {what}; expected two or more", names.len());
    Ok(names.len() as f64)
}

/// p ∝ exp(−β d) with the wanted entropy, in nats; distances count from the nearest, which changes no share.
fn shares(distances: &[f64], wanted: f64) -> Vec<f64> {
    let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let (mut below, mut above, mut beta) = (0.0, f64::INFINITY, 1.0);
    let mut found = with_entropy(distances, nearest, beta);
    for _ in 0..MAX_HALVINGS {
        if (found.1 - wanted).abs() < TOLERANCE {
            break;
        }
        if found.1 > wanted {
            below = beta;
        } else {
            above = beta;
        }
        beta = if above.is_finite() { (below + above) / 2.0 } else { beta * 2.0 };
        found = with_entropy(distances, nearest, beta);
    }
    found.0
}

fn with_entropy(distances: &[f64], nearest: f64, beta: f64) -> (Vec<f64>, f64) {
    let weights: Vec<f64> = distances.iter().map(|distance| (-(distance - nearest) * beta).exp()).collect();
    let total: f64 = weights.iter().sum();
    let mean =
        distances.iter().zip(&weights).map(|(distance, weight)| (distance - nearest) * weight).sum::<f64>() / total;
    (weights.iter().map(|weight| weight / total).collect(), total.ln() + beta * mean)
}

fn simpson(shares: &[f64], others: &[u32], groups: &[u32]) -> f64 {
    let mut of_groups = std::collections::BTreeMap::new();
    for (share, &other) in shares.iter().zip(others) {
        *of_groups.entry(groups[other as usize]).or_insert(0.0) += share;
    }
    of_groups.values().map(|share: &f64| share * share).sum()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::{Distance, NeighbourSearch};

    #[test]
    fn shares_have_the_wanted_perplexity_at_any_scale() {
        for scale in [1e-6, 1.0, 1e6] {
            let distances: Vec<f64> = (1..=30).map(|at| f64::from(at) * scale).collect();
            let shares = shares(&distances, 10f64.ln());
            let entropy = -shares.iter().map(|p| p * p.ln()).sum::<f64>();
            assert!((entropy.exp() - 10.0).abs() < 1e-3, "{}", entropy.exp());
        }
    }

    #[test]
    fn mixed_batches_score_near_one_and_separate_ones_zero() {
        let space = crate::random::normal(600, 3, 1);
        let search = NeighbourSearch::new(&space, Distance::Euclidean).unwrap();
        let neighbours = search.nearest_others(89).unwrap();
        let mixed: Vec<u32> = (0..600).map(|cell| cell % 2).collect();
        let score = ilisi(&neighbours, &mixed).unwrap();
        assert!(score > 0.9, "{score}");
        let first = Vec::<f64>::try_from(space.narrow(1, 0, 1).contiguous().view(-1)).unwrap();
        let apart = &space + tch::Tensor::from_slice(&first).sign().view([-1, 1]) * 50.0;
        let sides: Vec<u32> = first.iter().map(|x| u32::from(*x > 0.0)).collect();
        let neighbours = NeighbourSearch::new(&apart, Distance::Euclidean).unwrap().nearest_others(89).unwrap();
        assert!(ilisi(&neighbours, &sides).unwrap().abs() < 1e-12);
        assert!((clisi(&neighbours, &sides).unwrap() - 1.0).abs() < 1e-12);
        assert!(ilisi(&neighbours, &[4; 600]).unwrap_err().to_string().contains("1 batch; expected two"));
    }
}
