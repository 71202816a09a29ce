//! Bootstrap interval of a mean.

use rand::Rng;

use crate::distributions::{normal_below, normal_quantile};
use crate::paired::{OUTSIDE, mean_and_sd};
use crate::random::generator;

/// Up to this many values all nⁿ resamples are made (46,656 of 6).
const MAX_ENUMERATED: usize = 6;
/// Resamples drawn of more values.
const N_RESAMPLES: usize = 9_999;

/// 95 % interval of the mean by the bootstrap, bias-corrected and accelerated (Efron 1987).
///
/// All nⁿ resamples of up to 6 values, where the seed plays no part; 9,999 drawn ones of more. The bias counts resamples
/// whose mean is that of the values by half; the acceleration is that of the jackknife; quantiles of the resampled means
/// are interpolated linearly. `None` for fewer than 2 values, for values all equal (to rounding, as with
/// [`Paired`](crate::Paired)) or one not finite.
///
/// Few values do not show how far others may lie: of fewer than about 10 the interval is too narrow.
pub fn bootstrap_interval(values: &[f64], seed: u64) -> Option<(f64, f64)> {
    let (_, Some(sd)) = mean_and_sd(values)? else { return None };
    if sd == 0.0 {
        return None;
    }
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let means = if values.len() <= MAX_ENUMERATED { all_means(&values) } else { drawn_means(&values, seed) };
    accelerated_interval(&values, means)
}

/// Means of all resamples.
fn all_means(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let mean_of = |resample: usize| {
        let (sum, _) = (0..n).fold((0.0, resample), |(sum, rest), _| (sum + values[rest % n], rest / n));
        sum / n as f64
    };
    (0..n.pow(n as u32)).map(mean_of).collect()
}

/// Means of drawn resamples.
fn drawn_means(values: &[f64], seed: u64) -> Vec<f64> {
    let (n, mut generator) = (values.len(), generator(seed));
    let mut drawn = || values[generator.random_range(0..n as u64) as usize];
    (0..N_RESAMPLES).map(|_| (0..n).map(|_| drawn()).sum::<f64>() / n as f64).collect()
}

/// The interval, given the means of resamples: their quantiles at Φ(z₀ + (z₀ ± z) / (1 − a (z₀ ± z))).
fn accelerated_interval(values: &[f64], mut means: Vec<f64>) -> Option<(f64, f64)> {
    means.sort_by(f64::total_cmp);
    let bias = normal_quantile(share_below(values, &means));
    let acceleration = acceleration(values);
    let end = |z: f64| {
        let shifted = bias + z;
        quantile(&means, normal_below(bias + shifted / (1.0 - acceleration * shifted)))
    };
    let z = normal_quantile(1.0 - OUTSIDE / 2.0);
    bias.is_finite().then(|| (end(-z), end(z)))
}

/// Share of ascending means below the mean of the values, those equal to it counted by half.
///
/// Equal is what the order of additions may make of equal numbers: a sum of n numbers is rounded n times.
fn share_below(values: &[f64], means: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let largest = values.iter().fold(0f64, |largest, value| largest.max(value.abs()));
    let rounding = 2.0 * n * f64::EPSILON * largest;
    let n_less = means.partition_point(|&resampled| resampled < mean - rounding);
    let n_at_most = means.partition_point(|&resampled| resampled <= mean + rounding);
    (n_less + n_at_most) as f64 / (2 * means.len()) as f64
}

/// Σ u³ / (6 (Σ u²)^(3/2)) with u = (n − 1)(mean of the jackknife's means − each of them), which for a mean is value − mean.
fn acceleration(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let largest = values.iter().fold(0f64, |largest, value| largest.max((value - mean).abs()));
    let moment = |power: i32| values.iter().map(|value| ((value - mean) / largest).powi(power)).sum::<f64>();
    moment(3) / (6.0 * moment(2).powf(1.5))
}

/// The value a share of the way from the smallest to the largest of ascending values, between neighbours linearly.
fn quantile(ascending: &[f64], share: f64) -> f64 {
    let place = share * (ascending.len() - 1) as f64;
    let below = ascending[place as usize];
    let above = ascending[(place as usize + 1).min(ascending.len() - 1)];
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Numbers that look random, as the script beside the golden file makes them.
    fn resampled_means(values: &[f64], n_resamples: usize) -> Vec<f64> {
        let mut state = 12345u64;
        let mut place = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % values.len()
        };
        let n = values.len();
        (0..n_resamples).map(|_| (0..n).map(|_| values[place()]).sum::<f64>() / n as f64).collect()
    }

    #[test]
    fn the_interval_of_given_resamples_is_that_of_scipy() {
        let golden: Value = serde_json::from_str(include_str!("../tests/golden/paired.json")).unwrap();
        let mut n_checked = 0;
        for case in golden["cases"].as_array().unwrap().iter().filter(|case| case["resampled"].is_array()) {
            let values: Vec<f64> =
                case["differences"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            let (low, high) = accelerated_interval(&values, resampled_means(&values, 9_999)).unwrap();
            let expected = [0, 1].map(|end| case["resampled"][end].as_f64().unwrap());
            assert!((low - expected[0]).abs() <= 1e-10 * expected[0].abs(), "{low} instead of {}", expected[0]);
            assert!((high - expected[1]).abs() <= 1e-10 * expected[1].abs(), "{high} instead of {}", expected[1]);
            n_checked += 1;
        }
        assert!(n_checked >= 3);
    }

    #[test]
    fn means_equal_but_for_rounding_count_by_half() {
        // sums of thirds and tenths come out differently in different orders; whole numbers do not
        let (tenths, whole) = ([0.1, 0.2, 0.3, 0.7, 0.9], [1.0, 2.0, 3.0, 7.0, 9.0]);
        let share = |values: &[f64]| {
            let mut means = all_means(values);
            means.sort_by(f64::total_cmp);
            share_below(values, &means)
        };
        assert_eq!(share(&tenths), share(&whole));
        assert_eq!(share(&[-1.0, 0.0, 1.0]), 0.5);
    }

    #[test]
    fn two_values_have_three_means() {
        // 0, ½, ½ and 1, no bias, no acceleration: 0.075 of the way from 0 to ½
        let (low, high) = bootstrap_interval(&[1.0, 0.0], 0).unwrap();
        assert!((low - 0.0375).abs() < 1e-12 && (high - 0.9625).abs() < 1e-12, "{low} to {high}");
    }

    #[test]
    fn nothing_is_said_of_too_little() {
        for values in [&[][..], &[1.0], &[0.3, 0.1 + 0.2], &[2.0; 9], &[1.0, f64::NAN], &[f64::INFINITY, 0.0]] {
            assert_eq!(bootstrap_interval(values, 0), None);
        }
    }

    #[test]
    fn the_seed_matters_only_where_resamples_are_drawn() {
        let values = [0.3127, 0.1034, -0.2089, 0.5213, 0.4391, 0.1516, 0.9273];
        assert_eq!(bootstrap_interval(&values[..6], 1), bootstrap_interval(&values[..6], 2));
        assert_eq!(bootstrap_interval(&values, 1), bootstrap_interval(&values, 1));
        assert_ne!(bootstrap_interval(&values, 1), bootstrap_interval(&values, 2));
    }
}
