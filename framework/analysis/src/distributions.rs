//! Tail areas and quantiles of Student's t and of the normal distribution; the hypergeometric distribution's upper tail.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::beta::beta_reg;
use statrs::function::gamma::gamma_ur;

/// Degrees of freedom above which Student's t is taken as normal.
const MAX_DEGREES: f64 = 1e6;

/// P(|T| ≥ |t|) for Student's t: I₁₋ₓ(ν/2, ½) with x = t² / (ν + t²), or 1 − Iₓ(½, ν/2) near t = 0, where 1 − x would be
/// rounded away. Above 10⁶ degrees, where the function's logarithms lose digits, the normal distribution.
pub(crate) fn t_both_tails(t: f64, degrees: f64) -> f64 {
    if degrees > MAX_DEGREES {
        return normal_both_tails(t);
    }
    let square = t * t;
    if square < 0.5 {
        1.0 - beta_reg(0.5, degrees / 2.0, 1.0 / (1.0 + degrees / square))
    } else {
        beta_reg(degrees / 2.0, 0.5, 1.0 / (1.0 + square / degrees))
    }
}

/// P(T ≥ t) for Student's t.
pub(crate) fn t_upper_tail(t: f64, degrees: f64) -> f64 {
    let half = t_both_tails(t, degrees) / 2.0;
    if t < 0.0 { 1.0 - half } else { half }
}

/// The t > 0 that |T| exceeds with probability `p`, which is between 0 and 1, found by halving.
///
/// Halving ends whatever the degrees are; Newton's steps on the incomplete beta function need not (they go round for ever at
/// 10⁹ degrees).
pub(crate) fn t_critical(p: f64, degrees: f64) -> f64 {
    let (mut below, mut above) = (0f64, 1f64);
    while t_both_tails(above, degrees) > p {
        (below, above) = (above, above * 2.0);
    }
    loop {
        let middle = below + (above - below) / 2.0;
        if middle <= below || middle >= above {
            return middle;
        }
        if t_both_tails(middle, degrees) > p {
            below = middle;
        } else {
            above = middle;
        }
    }
}

/// P(|Z| ≥ |z|) for a standard normal Z, as the upper incomplete gamma function Q(½, z²/2): statrs' erfc has ten digits only.
pub(crate) fn normal_both_tails(z: f64) -> f64 {
    let half_square = z * z / 2.0;
    // 10⁻³⁰⁴ and less beyond; 1 to all digits at 0, where the function is not defined
    if half_square > 700.0 {
        0.0
    } else if half_square == 0.0 {
        1.0
    } else {
        gamma_ur(0.5, half_square)
    }
}

/// P(Z ≤ z) for a standard normal Z.
pub(crate) fn normal_below(z: f64) -> f64 {
    let half = normal_both_tails(z) / 2.0;
    if z > 0.0 { 1.0 - half } else { half }
}

/// The z below which a standard normal Z is with probability `p`; infinite where `p` is 0 or 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// P(X ≥ n_least) for the number X of marked ones among `n_drawn` drawn without replacement from `n_all`, `n_marked` of them
/// marked.
pub(crate) fn hypergeometric_upper_tail(n_least: usize, [n_all, n_marked, n_drawn]: [usize; 3]) -> f64 {
    let (lowest, weights) = hypergeometric_weights([n_all, n_marked, n_drawn]);
    if n_least <= lowest {
        return 1.0;
    }
    if n_least >= lowest + weights.len() {
        return 0.0;
    }
    // smallest first
    let above: f64 = weights[n_least - lowest..].iter().rev().sum();
    let below: f64 = weights[..n_least - lowest].iter().sum();
    above / (above + below)
}

/// The smallest number of marked ones among those drawn, and probabilities of it and all larger ones, each over that of the
/// most likely number.
///
/// They are made by their ratios, P(k + 1) / P(k) = (n_marked − k)(n_drawn − k) / ((k + 1)(n_all − n_marked − n_drawn + k + 1)):
/// logarithms of factorials of tens of thousands would lose five digits.
pub(crate) fn hypergeometric_weights([n_all, n_marked, n_drawn]: [usize; 3]) -> (usize, Vec<f64>) {
    let (lowest, highest) = ((n_marked + n_drawn).saturating_sub(n_all), n_marked.min(n_drawn));
    let ratio = |k: usize| {
        let others = (n_all + k + 1) - n_marked - n_drawn;
        (n_marked - k) as f64 * (n_drawn - k) as f64 / ((k + 1) as f64 * others as f64)
    };
    let mode = ((n_marked as f64 + 1.0) * (n_drawn as f64 + 1.0) / (n_all as f64 + 2.0)) as usize;
    let mode = mode.clamp(lowest, highest);
    let mut weights = vec![1.0; highest - lowest + 1];
    for k in mode..highest {
        weights[k + 1 - lowest] = weights[k - lowest] * ratio(k);
    }
    for k in (lowest..mode).rev() {
        weights[k - lowest] = weights[k + 1 - lowest] / ratio(k);
    }
    (lowest, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found:e} instead of {expected:e}");
    }

    #[test]
    fn one_and_two_degrees_have_closed_forms() {
        for t in [1e-9f64, 1e-7, 1e-3, 0.3, 0.7, 0.72, 1.0, 4.0, 50.0, 1e6] {
            assert_near(t_both_tails(t, 1.0), (1.0 / t).atan() * std::f64::consts::FRAC_2_PI);
            let root = (2.0 + t * t).sqrt();
            assert_near(t_both_tails(t, 2.0), 2.0 / (root * (root + t)));
        }
    }

    #[test]
    fn normal_tails_and_quantiles_are_those_of_scipy() {
        // 2 * scipy.stats.norm.sf(z)
        for (z, expected) in [
            (1e-06, 0.9999992021154392),
            (0.01, 0.9920212873707368),
            (0.3, 0.7641771556220948),
            (1.0, 0.31731050786291415),
            (1.4, 0.16151331846754213),
            (1.5, 0.13361440253771614),
            (2.0, 0.04550026389635839),
            (3.0, 0.0026997960632601866),
            (4.0, 6.334248366623973e-05),
            (6.0, 1.973175290075389e-09),
            (8.0, 1.244192114854348e-15),
            (20.0, 5.507248237212311e-89),
        ] {
            assert_near(normal_both_tails(-z), expected);
            assert_near(normal_below(-z), expected / 2.0);
            assert_near(normal_below(z), 1.0 - expected / 2.0);
        }
        // scipy.special.ndtri(p)
        for (p, expected) in [
            (1e-09, -5.9978070150076865),
            (0.001, -3.090232306167813),
            (0.025, -1.9599639845400545),
            (0.2, -0.8416212335729142),
            (0.4, -0.2533471031357997),
            (0.49, -0.02506890825871106),
            (0.6, 0.2533471031357997),
            (0.9, 1.2815515655446004),
            (0.975, 1.959963984540054),
            (0.9999, 3.719016485455709),
        ] {
            assert_near(normal_quantile(p), expected);
        }
    }

    #[test]
    fn hypergeometric_tails_are_those_of_whole_numbers() {
        // sum(C(n_marked, k) C(n_all - n_marked, n_drawn - k)) / C(n_all, n_drawn), Python integers
        for (n_least, counts, expected) in [
            (1, [10, 3, 2], 24.0 / 45.0),
            (5, [20, 7, 8], 0.0521155830753354),
            (40, [27_000, 200, 1500], 1.3019421331321802e-12),
            (9, [27_000, 200, 1500], 0.7863623843975579),
            (180, [27_000, 200, 1500], 1.6596991113284434e-204),
        ] {
            assert_near(hypergeometric_upper_tail(n_least, counts), expected);
        }
        assert_eq!(hypergeometric_upper_tail(0, [10, 3, 2]), 1.0);
        assert_eq!(hypergeometric_upper_tail(5, [10, 8, 7]), 1.0);
        assert_eq!(hypergeometric_upper_tail(3, [10, 3, 2]), 0.0);
    }

    #[test]
    fn nothing_and_everything_are_met() {
        assert_eq!([0.0, f64::INFINITY].map(|t| t_both_tails(t, 3.0)), [1.0, 0.0]);
        assert_eq!([f64::NEG_INFINITY, 0.0, f64::INFINITY].map(|t| t_upper_tail(t, 3.0)), [1.0, 0.5, 0.0]);
        assert_eq!([normal_below(f64::NEG_INFINITY), normal_below(0.0), normal_both_tails(0.0)], [0.0, 0.5, 1.0]);
    }

    #[test]
    fn critical_values_are_those_of_the_tables() {
        // Student's t, .975
        for (degrees, expected) in
            [(1.0, 12.706_204_736_174_7), (4.0, 2.776_445_105_197_8), (29.0, 2.045_229_642_132_7)]
        {
            let found = t_critical(0.05, degrees);
            assert!((found / expected - 1.0).abs() < 1e-12, "{found}, expected {expected}");
        }
        let normal = normal_quantile(0.975);
        assert!((t_critical(0.05, 1e9) - normal).abs() < 1e-12);
        // t = z + (z³ + z) / 4ν + …
        assert!((t_critical(0.05, 1e6) - normal - (normal.powi(3) + normal) / 4e6).abs() < 1e-8);
    }
}
