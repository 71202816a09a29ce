//! What a count above zero adds to the terms of a zero.

use std::sync::LazyLock;

/// Added where the published code adds it: to r + m, and in the logarithm of m / (r + m).
pub(in crate::losses) const EPSILON: f64 = 1e-10;

/// Counts whose products and factorials are multiplied out.
const FEW: f64 = 16.0;
/// Dispersions whose products of so many terms stay far from the largest number.
const LARGE: f64 = 1e15;
const N_FACTORIALS: usize = 256;

static LN_FACTORIALS: LazyLock<[f64; N_FACTORIALS]> =
    LazyLock::new(|| std::array::from_fn(|k| ln_gamma(k as f64 + 1.0)));

/// −ln p(k) + ln p(0), and its slopes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::losses) struct Entry {
    pub value: f64,
    /// By the mean m.
    pub by_mean: f64,
    /// By the dispersion r.
    pub by_dispersion: f64,
}

impl Entry {
    /// Of a count k > 0 with mean m ≥ 0 and dispersion r > 0.
    ///
    /// ln p(k) − ln p(0) = lnΓ(k + r) − lnΓ(r) − lnΓ(k + 1) + k ln(m / (r + m + ε) + ε).
    pub fn new(k: f64, m: f64, r: f64) -> Entry {
        let spread = r + m + EPSILON;
        let odds = m / spread + EPSILON;
        let slope = k / (odds * spread * spread);
        let (ln_ratio, by_ratio) = rising(k, r);
        Entry {
            value: ln_factorial(k) - ln_ratio - k * odds.ln(),
            by_mean: -slope * (r + EPSILON),
            by_dispersion: slope * m - by_ratio,
        }
    }
}

/// lnΓ(k + r) − lnΓ(r) and its slope by r, ψ(k + r) − ψ(r).
///
/// For a small whole k it is the logarithm of r (r + 1) … (r + k − 1).
fn rising(k: f64, r: f64) -> (f64, f64) {
    if k > FEW || k.fract() != 0.0 || r > LARGE {
        return (ln_gamma(k + r) - ln_gamma(r), digamma(k + r) - digamma(r));
    }
    let (mut product, mut derivative, mut factor) = (r, 1.0, r);
    for _ in 1..k as usize {
        factor += 1.0;
        derivative = derivative * factor + product;
        product *= factor;
    }
    (product.ln(), derivative / product)
}

/// ln k!
pub(in crate::losses) fn ln_factorial(k: f64) -> f64 {
    match LN_FACTORIALS.get(k as usize) {
        Some(known) if k.fract() == 0.0 && k >= 0.0 => *known,
        _ => ln_gamma(k + 1.0),
    }
}

/// lnΓ(z) for z > 0: Stirling's series where z ≥ 10, moved there by Γ(z + 1) = z Γ(z).
fn ln_gamma(mut z: f64) -> f64 {
    let mut product = 1.0;
    while z < 10.0 {
        product *= z;
        z += 1.0;
    }
    let inverse = 1.0 / z;
    let square = inverse * inverse;
    let terms = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    let series = terms.iter().rev().fold(0.0, |sum, term| sum * square + term) * inverse;
    let half_ln_two_pi = 0.918_938_533_204_672_8;
    (z - 0.5) * z.ln() - z + half_ln_two_pi + series - product.ln()
}

/// ψ(z), the slope of lnΓ, for z > 0: the same way.
fn digamma(mut z: f64) -> f64 {
    let mut moved = 0.0;
    while z < 10.0 {
        moved -= 1.0 / z;
        z += 1.0;
    }
    let square = 1.0 / (z * z);
    let terms = [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32_760.0, 1.0 / 12.0];
    let series = terms.iter().rev().fold(0.0, |sum, term| sum * square + term) * square;
    moved + z.ln() - 0.5 / z - series
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Tensor;

    #[test]
    fn gamma_functions_are_those_of_libtorch() {
        for z in [1e-3, 0.3, 1.0, 1.5, 2.0, 7.25, 9.999, 10.0, 33.3, 1e4, 1e8] {
            let at = Tensor::from_slice(&[z]);
            let close = |found: f64, expected: f64| (found - expected).abs() < 1e-13 * (1.0 + expected.abs());
            assert!(close(ln_gamma(z), at.lgamma().double_value(&[0])), "{z}: {}", ln_gamma(z));
            assert!(close(digamma(z), at.digamma().double_value(&[0])), "{z}: {}", digamma(z));
            for k in [1.0, 2.0, 7.0, 16.0] {
                let (ln_ratio, by_ratio) = rising(k, z);
                // Differences of gamma functions lose digits where z is large.
                let tolerance = 1e-13 * (1.0 + ln_gamma(z).abs());
                assert!((ln_ratio - (ln_gamma(k + z) - ln_gamma(z))).abs() < tolerance, "{k} {z}");
                assert!((by_ratio - (digamma(k + z) - digamma(z))).abs() < 1e-12 * (1.0 + by_ratio), "{k} {z}");
            }
        }
        assert_eq!(ln_factorial(3.0), ln_gamma(4.0));
        assert_eq!(ln_factorial(1e6), ln_gamma(1e6 + 1.0));
        assert_eq!(ln_factorial(2.5), ln_gamma(3.5));
    }
}
