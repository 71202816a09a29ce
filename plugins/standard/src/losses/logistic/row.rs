//! One cell: cross-entropy and slopes over all its features, in buffers that stay in the cache.
//!
//! As if every target were zero a feature costs s(x) = ln(1 + eˣ), with slope σ(x); entries are corrected one by one.

use crate::losses::number::Number;

/// Numbers that are worked on side by side.
const LANES: usize = 16;
/// Numbers that are added up before their sum is continued in 64 bits: a multiple of [`LANES`].
const CHUNK: usize = 1024;

/// The numbers of one cell, as long as there are features.
pub(super) struct Row<T> {
    /// In: logits.
    pub logits: Vec<T>,
    /// Out: slopes by them.
    pub slopes: Vec<T>,
}

impl<T: Number> Row<T> {
    /// Buffers for so many features.
    pub fn new(n_features: usize) -> Row<T> {
        Row { logits: vec![T::default(); n_features], slopes: vec![T::default(); n_features] }
    }

    /// The loss, summed over features, as if every target were zero; its slopes lie in their buffer.
    pub fn as_if_zero(&mut self) -> f64 {
        let chunks = self.logits.chunks(CHUNK).zip(self.slopes.chunks_mut(CHUNK));
        chunks.map(|(logits, slopes)| zeros(logits, slopes).double()).sum()
    }
}

/// Σ s(x) over a stretch of features, with the slopes.
fn zeros<T: Number>(logits: &[T], slopes: &mut [T]) -> T {
    let (x, rest_x) = logits.as_chunks::<LANES>();
    let (slope, rest_slope) = slopes.as_chunks_mut::<LANES>();
    let mut sums = [T::default(); LANES];
    for (x, slope) in x.iter().zip(slope) {
        for lane in 0..LANES {
            let (value, own) = zero(x[lane]);
            sums[lane] += value;
            slope[lane] = own;
        }
    }
    let mut sum = sums.into_iter().fold(T::default(), |sum, one| sum + one);
    for (x, slope) in rest_x.iter().zip(rest_slope) {
        let (value, own) = zero(*x);
        sum += value;
        *slope = own;
    }
    sum
}

/// s(x) and σ(x).
#[inline(always)]
fn zero<T: Number>(x: T) -> (T, T) {
    let zero = T::default();
    let (above, below) = if x > zero { (x, zero - x) } else { (zero, x) };
    let t = below.exp_below_zero();
    let one_more = T::ONE + t;
    let inverse = T::ONE / one_more;
    (above + t.ln_one_more(one_more, inverse), if x > zero { inverse } else { t * inverse })
}

/// What a target y that is not zero adds: −y x + (w − 1) y s(−x), and its slope.
pub(super) struct Entry {
    pub value: f64,
    pub slope: f64,
}

impl Entry {
    pub fn new(x: f64, y: f64, weight: f64) -> Entry {
        let t = (-x.abs()).exp();
        let (softplus, sigmoid) = (f64::max(-x, 0.0) + t.ln_1p(), if x > 0.0 { t } else { 1.0 } / (1.0 + t));
        let more = (weight - 1.0) * y;
        // s(−x) has the slope −σ(−x)
        Entry { value: more * softplus - y * x, slope: -y - more * sigmoid }
    }
}
