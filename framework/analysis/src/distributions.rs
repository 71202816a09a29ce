//! Tail areas and quantiles of Student's t and of the normal distribution.

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
