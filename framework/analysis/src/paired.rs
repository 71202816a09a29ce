//! Differences of pairs, few of them: how large, whether chance, whether small enough not to matter.

use serde::Serialize;

use crate::distributions::{t_both_tails, t_critical, t_upper_tail};

/// Probability that an interval leaves out.
pub(crate) const OUTSIDE: f64 = 0.05;
/// A standard deviation up to this part of the mean is rounding.
const ROUNDING: f64 = 1e-12;

/// The differences of n pairs and Student's paired t-test of them.
///
/// Where all differences are equal, or are to rounding (sd ≤ 10⁻¹² |mean|), sd is 0, t and effect size are `None`, the
/// interval is the mean alone and p is 0, or 1 if the mean is 0. A single pair has a mean and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paired {
    /// Number of pairs.
    pub n: usize,
    /// Mean difference.
    pub mean: f64,
    /// Standard deviation of the differences (n − 1); `None` for one pair.
    pub sd: Option<f64>,
    /// mean / (sd / √n).
    pub t: Option<f64>,
    /// Two-sided p-value of t, n − 1 degrees of freedom.
    pub p: Option<f64>,
    /// 95 % interval of the mean: mean ± t₀.₉₇₅ sd / √n.
    pub interval: Option<(f64, f64)>,
    /// mean / sd (Cohen 1988, section 2.3.5: d of z).
    pub effect_size: Option<f64>,
}

impl Paired {
    /// What the differences say; `None` where there is none, one is not finite, or their sum or spread is not.
    pub fn of(differences: &[f64]) -> Option<Paired> {
        let (mean, sd) = mean_and_sd(differences)?;
        let n = differences.len();
        let none = Paired { n, mean, sd, t: None, p: None, interval: None, effect_size: None };
        Some(match sd {
            None => none,
            Some(0.0) => Paired { p: Some(if mean == 0.0 { 1.0 } else { 0.0 }), interval: Some((mean, mean)), ..none },
            Some(sd) => {
                let (error, degrees) = (sd / (n as f64).sqrt(), (n - 1) as f64);
                let (t, half) = (mean / error, t_critical(OUTSIDE, degrees) * error);
                Paired {
                    t: Some(t),
                    p: Some(t_both_tails(t, degrees)),
                    interval: Some((mean - half, mean + half)),
                    effect_size: Some(mean / sd),
                    ..none
                }
            }
        })
    }

    /// P-value of equivalence, |true mean| < margin: the larger of the p-values of two one-sided paired t-tests
    /// (Schuirmann 1987), P(T ≥ (margin − |mean|) / (sd / √n)).
    ///
    /// `None` for one pair or a margin that is NaN. Where all differences are equal: 0 if |mean| < margin, else 1.
    pub fn equivalence(&self, margin: f64) -> Option<f64> {
        self.sd.filter(|_| !margin.is_nan()).map(|sd| self.equivalence_of(self.n as u64, sd, margin))
    }

    /// Two-sided p-value of the t-test where each pair comes from another random division of the same cells, with `ratio` judged
    /// cells for each one that was learned from.
    ///
    /// Such pairs share most of their cells, so that the spread of their mean is larger than sd / √n: its square is taken for
    /// (1/n + ratio) sd² (Nadeau & Bengio 2003, the corrected resampled t-test). `None` for one pair, or a ratio that is no
    /// number of 0 or above. Where all differences are equal, as `p`.
    pub fn resampled(&self, ratio: f64) -> Option<f64> {
        let sd = self.sd.filter(|_| ratio >= 0.0 && ratio.is_finite())?;
        if sd == 0.0 {
            return self.p;
        }
        let n = self.n as f64;
        Some(t_both_tails(self.mean / (sd * (1.0 / n + ratio).sqrt()), n - 1.0))
    }

    /// The smallest number of pairs above `n`, at most `n_max`, at which the t-test or, with a margin, the equivalence test
    /// would have p ≤ level if mean and sd stayed as they are; `None` where no such number is, or for one pair.
    ///
    /// A guess at the size of the next experiment, not a promise: mean and sd will not stay.
    pub fn n_to_decide(&self, margin: Option<f64>, level: f64, n_max: u64) -> Option<u64> {
        let sd = self.sd?;
        let margin = margin.filter(|margin| !margin.is_nan());
        let decided = |n: u64| {
            self.difference_of(n, sd) <= level
                || margin.is_some_and(|margin| self.equivalence_of(n, sd, margin) <= level)
        };
        let (mut undecided, mut enough) = (self.n as u64 + 1, n_max);
        if undecided > n_max || decided(undecided) {
            return (undecided <= n_max).then_some(undecided);
        }
        // From here on more pairs never undo a decision: where the statistic is positive both it and the degrees of freedom
        // grow with n and p falls; a negative one (|mean| > margin) has a p that rises from above the level.
        if !decided(enough) {
            return None;
        }
        while enough - undecided > 1 {
            let middle = undecided + (enough - undecided) / 2;
            if decided(middle) {
                enough = middle;
            } else {
                undecided = middle;
            }
        }
        Some(enough)
    }

    /// P-value of the two-sided t-test of n pairs.
    fn difference_of(&self, n: u64, sd: f64) -> f64 {
        match (sd == 0.0, self.mean == 0.0) {
            (true, true) => 1.0,
            (true, false) => 0.0,
            _ => t_both_tails(self.mean / (sd / (n as f64).sqrt()), (n - 1) as f64),
        }
    }

    /// P-value of the equivalence test of n pairs.
    fn equivalence_of(&self, n: u64, sd: f64, margin: f64) -> f64 {
        let room = margin - self.mean.abs();
        if sd == 0.0 {
            return if room > 0.0 { 0.0 } else { 1.0 };
        }
        t_upper_tail(room / (sd / (n as f64).sqrt()), (n - 1) as f64)
    }
}

/// Mean and standard deviation (n − 1; `None` for one value; 0 where it is rounding) of values that are all finite.
pub(crate) fn mean_and_sd(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if !mean.is_finite() {
        return None;
    }
    // in units of the largest deviation, so that squares neither overflow nor vanish
    let largest = values.iter().fold(0f64, |largest, value| largest.max((value - mean).abs()));
    if values.len() == 1 || largest == 0.0 {
        return Some((mean, (values.len() > 1).then_some(0.0)));
    }
    let squares: f64 = values.iter().map(|value| ((value - mean) / largest).powi(2)).sum();
    let sd = largest * (squares / (n - 1.0)).sqrt();
    let sd = if sd <= ROUNDING * mean.abs() { 0.0 } else { sd };
    sd.is_finite().then_some((mean, Some(sd)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pair_has_a_mean_only() {
        let one = Paired::of(&[0.25]).unwrap();
        assert_eq!(one, Paired { n: 1, mean: 0.25, sd: None, t: None, p: None, interval: None, effect_size: None });
        assert_eq!((one.equivalence(1.0), one.n_to_decide(Some(1.0), 0.05, 1000)), (None, None));
        for differences in [&[][..], &[1.0, f64::NAN], &[f64::INFINITY, 1.0], &[f64::MAX, f64::MAX]] {
            assert_eq!(Paired::of(differences), None);
        }
    }

    #[test]
    fn equal_differences_are_certain() {
        let equal = Paired::of(&[0.1; 3]).unwrap();
        assert_eq!((equal.sd, equal.t, equal.p, equal.effect_size), (Some(0.0), None, Some(0.0), None));
        assert_eq!(equal.interval, Some((equal.mean, equal.mean)));
        assert_eq!([0.2, 0.05, equal.mean].map(|margin| equal.equivalence(margin)), [Some(0.0), Some(1.0), Some(1.0)]);
        assert_eq!(equal.equivalence(f64::NAN), None);
        assert_eq!(equal.n_to_decide(None, 0.05, 1000), Some(4));
        let rounded = Paired::of(&[0.3, 0.1 + 0.2, 0.3]).unwrap();
        assert_eq!((rounded.sd, rounded.p), (Some(0.0), Some(0.0)));
        let nothing = Paired::of(&[0.0; 5]).unwrap();
        assert_eq!(
            (nothing.p, nothing.equivalence(1e-9), nothing.n_to_decide(None, 0.05, 1000)),
            (Some(1.0), Some(0.0), None)
        );
        assert_eq!(nothing.n_to_decide(Some(0.01), 0.05, 1000), Some(6));
    }

    #[test]
    fn tiny_and_huge_differences_keep_their_spread() {
        let plain = Paired::of(&[1.0, 2.0, 4.0]).unwrap();
        for unit in [2f64.powi(-600), 2f64.powi(600)] {
            let scaled = Paired::of(&[unit, 2.0 * unit, 4.0 * unit]).unwrap();
            assert_eq!((scaled.t, scaled.p, scaled.effect_size), (plain.t, plain.p, plain.effect_size));
        }
    }

    #[test]
    fn splits_of_the_same_cells_are_less_certain() {
        let paired = Paired::of(&[0.10, 0.03, 0.12, 0.08]).unwrap();
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
        assert!(close(paired.resampled(0.0), paired.p.unwrap()));
        // 2 * scipy.stats.t.sf(0.0825 / (sd * (1/4 + 0.2) ** .5), 3), sd = numpy.std(…, ddof=1)
        assert!(close(paired.resampled(0.2), 0.049_929_515_830_824_445), "{:?}", paired.resampled(0.2));
        assert_eq!((paired.resampled(f64::NAN), paired.resampled(-0.1)), (None, None));
        assert_eq!(Paired::of(&[0.5]).unwrap().resampled(0.2), None);
        assert_eq!(Paired::of(&[0.5; 3]).unwrap().resampled(0.2), Some(0.0));
    }

    #[test]
    fn the_number_that_decides_is_the_first() {
        for (differences, margin) in [
            (&[0.1, 0.3, -0.1, 0.2][..], None),
            (&[0.01, 0.03, -0.02], Some(0.02)),
            (&[0.01, 0.03, -0.02], Some(0.0067)),
            (&[0.5, 0.4, -0.6], Some(0.1)),
            (&[0.5, -0.5], Some(0.1)),
            (&[0.5, -0.5], None),
            (&[1.0, 1.01], None),
        ] {
            let (paired, sd) = (Paired::of(differences).unwrap(), Paired::of(differences).unwrap().sd.unwrap());
            for (level, n_max) in [(0.05, 10_000), (0.01, 10_000), (0.05, 12), (0.7, 3000), (0.05, 2)] {
                let decided = |n: &u64| {
                    let equivalent = margin.map(|margin| paired.equivalence_of(*n, sd, margin));
                    paired.difference_of(*n, sd) <= level || equivalent.is_some_and(|p| p <= level)
                };
                let first = (paired.n as u64 + 1..=n_max).find(decided);
                assert_eq!(
                    paired.n_to_decide(margin, level, n_max),
                    first,
                    "{differences:?} {margin:?} {level} {n_max}"
                );
            }
        }
    }
}
