//! Wilcoxon's signed-rank test.

use crate::distributions::normal_both_tails;

/// Up to this many differences all signs are counted. Their number, 2⁵⁰, is a whole number to a 64-bit float, so that
/// every count is exact.
const MAX_EXACT: usize = 50;

/// Two-sided p-value of Wilcoxon's signed-rank test (Wilcoxon 1945): how often signs given at random make the sum of the
/// ranks of positive differences as extreme.
///
/// Zeros are dropped; equal sizes share the mean of their ranks. Up to 50 differences p is exact, with ties too; above, the
/// normal approximation with corrections for ties and continuity. This is what scipy's `wilcoxon` does with
/// `correction=True`, but for 14 to 50 differences with ties or zeros, where scipy approximates. Of n differences p is
/// at least 2 / 2ⁿ, so that fewer than 6 never reach .05. `None` where nothing is left or a difference is not finite.
pub fn signed_rank(differences: &[f64]) -> Option<f64> {
    let mut left: Vec<f64> = differences.iter().copied().filter(|&difference| difference != 0.0).collect();
    if left.is_empty() || left.iter().any(|difference| !difference.is_finite()) {
        return None;
    }
    left.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranks = Ranks::of(&left);
    Some(if left.len() <= MAX_EXACT { ranks.exact() } else { ranks.approximate() })
}

/// Ranks of sizes, doubled so that they are whole numbers.
struct Ranks {
    doubled: Vec<usize>,
    /// Doubled sum over positive differences.
    positive: usize,
    /// Σ t³ − t over groups of t equal sizes.
    ties: f64,
}

impl Ranks {
    /// Of differences in ascending order of their sizes.
    fn of(differences: &[f64]) -> Ranks {
        let mut ranks = Ranks { doubled: Vec::with_capacity(differences.len()), positive: 0, ties: 0.0 };
        for equal in differences.chunk_by(|a, b| a.abs() == b.abs()) {
            let n_before = ranks.doubled.len();
            let doubled = 2 * n_before + equal.len() + 1;
            ranks.doubled.resize(n_before + equal.len(), doubled);
            ranks.positive += doubled * equal.iter().filter(|&&difference| difference > 0.0).count();
            let n_equal = equal.len() as f64;
            ranks.ties += n_equal.powi(3) - n_equal;
        }
        ranks
    }

    /// Twice the share of all choices of signs whose sum is at most the smaller of both sums.
    fn exact(&self) -> f64 {
        let all: usize = self.doubled.iter().sum();
        let smaller = self.positive.min(all - self.positive);
        // choices of signs by doubled sum
        let mut n_choices = vec![0f64; smaller + 1];
        n_choices[0] = 1.0;
        for &rank in &self.doubled {
            for sum in (rank..=smaller).rev() {
                n_choices[sum] += n_choices[sum - rank];
            }
        }
        let n_all = 2f64.powi(self.doubled.len() as i32);
        (2.0 * n_choices.iter().sum::<f64>() / n_all).min(1.0)
    }

    /// Of the normal distribution with the mean and variance of the sum.
    fn approximate(&self) -> f64 {
        let n = self.doubled.len() as f64;
        let sd = ((n * (n + 1.0) * (2.0 * n + 1.0) - self.ties / 2.0) / 24.0).sqrt();
        let distance = (self.positive as f64 / 2.0 - n * (n + 1.0) / 4.0).abs();
        normal_both_tails((distance - 0.5).max(0.0) / sd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_differences_cannot_say_much() {
        // 2 / 2ⁿ where all have one sign
        assert_eq!(signed_rank(&[3.0]), Some(1.0));
        assert_eq!(signed_rank(&[-0.1, -0.2, -0.3, -0.4, -0.5]), Some(2.0 / 32.0));
        assert_eq!(signed_rank(&[0.1; 5]), Some(2.0 / 32.0));
        assert_eq!(signed_rank(&[0.0, 0.5, -0.0, 0.7]), Some(0.5));
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(signed_rank(&[]), None);
        assert_eq!(signed_rank(&[0.0, -0.0]), None);
        assert_eq!(signed_rank(&[1.0, f64::NAN]), None);
        assert_eq!(signed_rank(&[1.0, f64::NEG_INFINITY]), None);
    }

    #[test]
    fn counting_agrees_with_trying_all_signs() {
        for sizes in [&[1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 5.0, 8.0][..], &[1.0, 1.0, 4.0], &[0.5, 1.5, 2.5, 3.5, 4.5, 4.5]]
        {
            let n = sizes.len();
            let signed = |signs: usize| -> Vec<f64> {
                sizes.iter().enumerate().map(|(at, size)| if signs >> at & 1 == 1 { *size } else { -size }).collect()
            };
            let sums: Vec<usize> = (0..1 << n).map(|signs| Ranks::of(&signed(signs)).positive).collect();
            for signs in 0..1 << n {
                let n_at_most = sums.iter().filter(|&&sum| sum <= sums[signs]).count();
                let n_at_least = sums.iter().filter(|&&sum| sum >= sums[signs]).count();
                let expected = (2.0 * n_at_most.min(n_at_least) as f64 / sums.len() as f64).min(1.0);
                assert_eq!(signed_rank(&signed(signs)), Some(expected));
            }
        }
    }
}
