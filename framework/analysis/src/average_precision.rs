//! Average precision (area under the precision–recall curve) of scores for yes/no observations such as open peaks.
//!
//! AP = Σ over distinct scores, from high to low, of (Rₙ − Rₙ₋₁) Pₙ, where Rₙ and Pₙ are recall and precision when
//! everything scored at least that high is called positive. Equal scores are called together, so the order of ties does
//! not matter. This is scikit-learn's `average_precision_score`; multiDGD (Schuster et al. 2024) judges ATAC by it.

use std::ops::Range;

use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::Serialize;
use tch::Tensor;

use crate::tensor::{numbers, shape};

/// Average precision and what chance would give.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AveragePrecision {
    /// The average precision; `None` when nothing is positive.
    pub value: Option<f64>,
    /// Share of positives: what random scores reach.
    pub base_rate: f64,
    /// Scores compared.
    pub n_entries: u64,
    /// False when scores were rounded into bins because there were too many to keep.
    pub exact: bool,
}

/// Average precision of each feature over cells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AveragePrecisionByFeature {
    /// One per feature; `None` where no cell is positive.
    pub values: Vec<Option<f64>>,
    /// Share of positive cells of each feature.
    pub base_rates: Vec<f64>,
    /// Mean over the features with a value; `None` when there is none.
    pub mean: Option<f64>,
    /// Mean base rate over the same features: what random scores reach; `None` when there is none.
    pub mean_base_rate: Option<f64>,
    /// Features without a positive cell.
    pub n_skipped: usize,
}

/// Average precision of scores, exact.
///
/// # Errors
/// When lengths differ, there is nothing, or a score is NaN.
pub fn average_precision(scores: &[f32], positive: &[bool]) -> Result<AveragePrecision> {
    ensure!(
        scores.len() == positive.len() && !scores.is_empty(),
        "{} scores for {} observations; expected the same number, at least one",
        scores.len(),
        positive.len()
    );
    ensure!(!scores.iter().any(|score| score.is_nan()), "a score is NaN; look for the step that made it");
    let mut entries: Vec<(u32, bool)> = scores.iter().zip(positive).map(|(&s, &p)| (order(s), p)).collect();
    entries.par_sort_unstable_by_key(|&(score, _)| std::cmp::Reverse(score));
    let groups = entries.chunk_by(|a, b| a.0 == b.0).map(|ties| {
        let n_positive = ties.iter().filter(|entry| entry.1).count() as u64;
        (n_positive, ties.len() as u64 - n_positive)
    });
    Ok(from_groups(groups, true))
}

/// Average precision of each feature, exact, a block of features at a time.
///
/// `block` is called with ascending ranges of features, at most `width` long, and gives scores and observations of all
/// cells for them; an observation above 0 is positive. Memory: one block.
///
/// # Shapes
/// both tensors of `block`: n_cells × length of the range.
///
/// # Errors
/// When `block` fails, its shapes disagree, or a score is NaN.
pub fn average_precision_by_feature<F>(
    n_features: usize,
    width: usize,
    mut block: F,
) -> Result<AveragePrecisionByFeature>
where
    F: FnMut(Range<usize>) -> Result<(Tensor, Tensor)>,
{
    ensure!(n_features > 0 && width > 0, "{n_features} features in blocks of {width}; expected at least one of each");
    let mut results = Vec::with_capacity(n_features);
    for start in (0..n_features).step_by(width) {
        let range = start..(start + width).min(n_features);
        let n_columns = range.len();
        let (scores, observed) = block(range)?;
        let (found, expected) = (shape(&scores, "a block of scores")?, shape(&observed, "a block of observations")?);
        ensure!(
            found == expected && found.1 == n_columns,
            "a block holds {found:?} scores and {expected:?} observations; expected one shape with {n_columns} features"
        );
        results.extend(block_results(&scores, &observed, found.0)?);
    }
    Ok(AveragePrecisionByFeature::new(&results))
}

fn block_results(scores: &Tensor, observed: &Tensor, n_cells: usize) -> Result<Vec<AveragePrecision>> {
    ensure!(n_cells > 0, "a block of scores holds no cell");
    let scores: Vec<f32> = numbers(&scores.tr())?.into_iter().map(|score| score as f32).collect();
    let positive: Vec<bool> = numbers(&observed.tr())?.into_iter().map(|value| value > 0.0).collect();
    let features = scores.par_chunks(n_cells).zip(positive.par_chunks(n_cells));
    // all, so that of several errors the first is told
    let all: Vec<Result<AveragePrecision>> =
        features.map(|(scores, positive)| average_precision(scores, positive)).collect();
    all.into_iter().collect()
}

impl AveragePrecisionByFeature {
    fn new(results: &[AveragePrecision]) -> Self {
        let defined: Vec<(f64, f64)> = results.iter().filter_map(|r| Some((r.value?, r.base_rate))).collect();
        let n = defined.len() as f64;
        let any = !defined.is_empty();
        Self {
            values: results.iter().map(|result| result.value).collect(),
            base_rates: results.iter().map(|result| result.base_rate).collect(),
            mean: any.then(|| defined.iter().map(|pair| pair.0).sum::<f64>() / n),
            mean_base_rate: any.then(|| defined.iter().map(|pair| pair.1).sum::<f64>() / n),
            n_skipped: results.len() - defined.len(),
        }
    }
}

/// A whole number that orders as the score does; −0 equals 0.
pub(crate) fn order(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// From counts (positives, negatives) of equal scores, highest score first.
pub(crate) fn from_groups(groups: impl Iterator<Item = (u64, u64)>, exact: bool) -> AveragePrecision {
    let (mut n_positive, mut n_entries, mut sum) = (0u64, 0u64, 0.0);
    for (positive, negative) in groups {
        n_positive += positive;
        n_entries += positive + negative;
        if positive > 0 {
            sum += positive as f64 * n_positive as f64 / n_entries as f64;
        }
    }
    AveragePrecision {
        value: (n_positive > 0).then(|| sum / n_positive as f64),
        base_rate: n_positive as f64 / n_entries as f64,
        n_entries,
        exact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_order_as_scores_do() {
        let scores = [f32::NEG_INFINITY, -2.0, -1e-30, 0.0, 1e-30, 0.5, 3.0, f32::INFINITY];
        assert!(scores.windows(2).all(|pair| order(pair[0]) < order(pair[1])));
        assert_eq!(order(-0.0), order(0.0));
    }

    #[test]
    fn one_score_for_all_gives_the_base_rate() {
        let result = average_precision(&[0.3; 4], &[true, false, false, false]).unwrap();
        assert_eq!((result.value, result.base_rate), (Some(0.25), 0.25));
        assert_eq!(average_precision(&[0.3], &[false]).unwrap().value, None);
        assert!(average_precision(&[f32::NAN], &[true]).is_err());
    }
}
