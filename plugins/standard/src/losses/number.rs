//! Numbers of 32 and 64 bits, with the functions that a row of features needs.
//!
//! Those of 32 bits are written as polynomials without branches, which the compiler turns into vector instructions;
//! those of 64 bits, which are there for checks, are the standard library's.

use std::ops::{Add, AddAssign, Div, Mul, Sub};
use tch::kind::Element;

/// A number of 32 or 64 bits.
pub(super) trait Number:
    Element
    + Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    const ONE: Self;
    const LEAST: Self;

    fn of(number: f64) -> Self;
    fn double(self) -> f64;
    /// eˣ for x ≤ 0, to 3·10⁻⁷ of itself; below −87 that of −87 where 32 bits hold no less.
    fn exp_below_zero(self) -> Self;
    /// ln(1 + t) for t ≥ 0, to 3·10⁻⁷ of itself; `one_more` is 1 + t and `inverse` 1 / (1 + t), as rounded.
    fn ln_one_more(self, one_more: Self, inverse: Self) -> Self;
}

impl Number for f64 {
    const ONE: f64 = 1.0;
    const LEAST: f64 = f64::NEG_INFINITY;

    fn of(number: f64) -> f64 {
        number
    }

    fn double(self) -> f64 {
        self
    }

    fn exp_below_zero(self) -> f64 {
        self.exp()
    }

    fn ln_one_more(self, _one_more: f64, _inverse: f64) -> f64 {
        self.ln_1p()
    }
}

/// 1.5 · 2²³: added to a small number, its last bits are that number rounded.
const ROUNDER: f32 = 12_582_912.0;
/// ln 2 in two parts, the first short enough that its multiples by exponents are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// Bits of 2/3: numbers between it and 4/3 have logarithms of small argument.
const TWO_THIRDS: i32 = 0x3F2A_AAAB;

impl Number for f32 {
    const ONE: f32 = 1.0;
    const LEAST: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn of(number: f64) -> f32 {
        number as f32
    }

    #[inline(always)]
    fn double(self) -> f64 {
        f64::from(self)
    }

    /// eˣ = 2ⁿ eᶠ with n whole and |f| ≤ ln 2 / 2: seven terms of the series.
    #[inline(always)]
    fn exp_below_zero(self) -> f32 {
        let x = if self < -87.0 { -87.0 } else { self };
        let rounded = x * std::f32::consts::LOG2_E + ROUNDER;
        let n = rounded - ROUNDER;
        let f = x - n * LN_2_HIGH - n * LN_2_LOW;
        let series = 1.0 / 120.0 + f * (1.0 / 720.0);
        let series = 0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * series));
        let power = (rounded.to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32);
        (1.0 + f + f * f * series) * f32::from_bits((power.wrapping_add(127) << 23) as u32)
    }

    /// 1 + t = 2ⁿ f with f in [2/3, 4/3), ln f = 2 artanh((f − 1) / (f + 1)): five terms of the series, and what
    /// rounding took from 1 + t.
    #[inline(always)]
    fn ln_one_more(self, one_more: f32, inverse: f32) -> f32 {
        let bits = one_more.to_bits() as i32;
        let n = bits.wrapping_sub(TWO_THIRDS) >> 23;
        let f = f32::from_bits(bits.wrapping_sub(n << 23) as u32);
        let s = (f - 1.0) / (f + 1.0);
        let square = s * s;
        let series = 1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square * (1.0 / 9.0)));
        let lost = (self - (one_more - 1.0)) * inverse;
        n as f32 * LN_2_HIGH + (n as f32 * LN_2_LOW + lost + 2.0 * (s + s * square * series))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_32_bits_are_those_of_64() {
        for step in 0..200_000u32 {
            let x = -f64::from(step) * 4.3e-4;
            let (found, expected) = (f64::from((x as f32).exp_below_zero()), f64::from(x as f32).exp());
            assert!((found / expected - 1.0).abs() < 3e-7, "e^{x} is {expected}, not {found}");
            let t = (f64::from(step) * 4e-4 - 40.0).exp() as f32;
            let (found, expected) = (t.ln_one_more(1.0 + t, 1.0 / (1.0 + t)).double(), f64::from(t).ln_1p());
            assert!((found / expected - 1.0).abs() < 3e-7, "ln(1 + {t}) is {expected}, not {found}");
        }
        assert!(f32::NAN.exp_below_zero().is_nan());
        assert_eq!(0f32.exp_below_zero(), 1.0);
    }
}
