//! P-values against drawn values, and groups of like things to draw from.

/// Values of a statistic where nothing is to be found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NullDistribution {
    ascending: Vec<f64>,
}

impl NullDistribution {
    /// The distribution of these draws; NaN are left out.
    pub fn new(mut draws: Vec<f64>) -> NullDistribution {
        draws.retain(|value| !value.is_nan());
        draws.sort_by(f64::total_cmp);
        NullDistribution { ascending: draws }
    }

    /// Number of draws.
    pub fn n_draws(&self) -> usize {
        self.ascending.len()
    }

    /// Draws at least as large.
    pub fn n_at_least(&self, observed: f64) -> usize {
        self.ascending.len() - self.ascending.partition_point(|&value| value < observed)
    }

    /// (1 + draws at least as large) / (1 + draws), which is never 0 (Phipson & Smyth 2010); some of the draws,
    /// `without`, left out. NaN where there is no draw or nothing was observed.
    pub fn p_value(&self, observed: f64, without: Option<&NullDistribution>) -> f64 {
        let (n_less, n_less_above) = without.map_or((0, 0), |less| (less.n_draws(), less.n_at_least(observed)));
        let n_draws = self.n_draws().saturating_sub(n_less);
        if n_draws == 0 || observed.is_nan() {
            return f64::NAN;
        }
        (1 + self.n_at_least(observed).saturating_sub(n_less_above)) as f64 / (1 + n_draws) as f64
    }
}

/// Group of each value, from 0 for the smallest, in `n_groups` groups of nearly equal size; `None` for NaN. Equal values
/// share the group of the first of them.
pub fn equal_groups(values: &[f64], n_groups: usize) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..values.len()).filter(|&place| !values[place].is_nan()).collect();
    order.sort_by(|&left, &right| values[left].total_cmp(&values[right]));
    let mut groups = vec![None; values.len()];
    let mut group = 0;
    for (rank, &place) in order.iter().enumerate() {
        if rank == 0 || values[place] > values[order[rank - 1]] {
            group = rank * n_groups / order.len();
        }
        groups[place] = Some(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_counts() {
        let null = NullDistribution::new(vec![0.3, 0.1, f64::NAN, 0.2, 0.2]);
        assert_eq!(null.n_draws(), 4);
        let p_values = [0.0, 0.2, 0.25, 0.3, 0.31].map(|observed| null.p_value(observed, None));
        assert_eq!(p_values, [1.0, 0.8, 0.4, 0.4, 0.2]);
        assert!(null.p_value(f64::NAN, None).is_nan());
        assert!(NullDistribution::default().p_value(1.0, None).is_nan());
    }

    #[test]
    fn draws_of_ones_own_may_be_left_out() {
        let (all, own) = (NullDistribution::new(vec![1.0, 2.0, 3.0, 4.0]), NullDistribution::new(vec![2.0, 4.0]));
        assert_eq!(all.p_value(2.0, Some(&own)), 2.0 / 3.0);
        assert_eq!(all.p_value(3.5, Some(&own)), 1.0 / 3.0);
        assert!(own.p_value(1.0, Some(&own)).is_nan());
    }

    #[test]
    fn groups_are_nearly_equal_and_ties_stay_together() {
        let values: Vec<f64> = (0..10).rev().map(f64::from).collect();
        let groups: Vec<usize> = equal_groups(&values, 3).into_iter().flatten().collect();
        assert_eq!(groups, [2, 2, 2, 1, 1, 1, 0, 0, 0, 0]);
        assert_eq!(equal_groups(&[0.0, 0.0, 0.0, 5.0, f64::NAN], 4), [Some(0), Some(0), Some(0), Some(3), None]);
        assert!(equal_groups(&[], 4).is_empty());
    }
}
