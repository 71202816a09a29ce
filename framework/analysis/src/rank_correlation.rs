//! Spearman's rank correlation.

/// Pearson correlation of the ranks of two lists, ties with the mean of theirs; `None` where one does not vary.
pub fn rank_correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    let (left, right) = (mean_ranks(left), mean_ranks(right));
    let middle = (left.len() as f64 + 1.0) / 2.0;
    let sum =
        |one: &[f64], other: &[f64]| -> f64 { one.iter().zip(other).map(|(a, b)| (a - middle) * (b - middle)).sum() };
    let scale = (sum(&left, &left) * sum(&right, &right)).sqrt();
    (scale > 0.0).then(|| sum(&left, &right) / scale)
}

/// Ranks from 1, equal numbers sharing the mean of theirs.
fn mean_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| values[left].total_cmp(&values[right]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for ties in order.chunk_by(|&left, &right| values[left] == values[right]) {
        let rank = start as f64 + (ties.len() as f64 + 1.0) / 2.0;
        ties.iter().for_each(|&place| ranks[place] = rank);
        start += ties.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_scipy() {
        assert_eq!(mean_ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]).statistic
        let r = rank_correlation(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).unwrap();
        assert!((r - 0.820_782_681_668_123_3).abs() < 1e-14, "{r}");
        assert_eq!(rank_correlation(&[1.0, 2.0, 9.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        assert_eq!(rank_correlation(&[1.0, 2.0], &[3.0, 3.0]), None);
    }
}
