//! One cell: loss and slopes over all its features, in buffers that stay in the cache.
//!
//! With r the dispersion and m = s yⱼ the mean of feature j, a zero costs r ln((r + m + ε) / r); its slope by m is
//! r / (r + m + ε) and by r ln((r + m + ε) / r) + r / (r + m + ε) − 1. Counts above zero are added one by one. As the
//! shares y are a softmax of the predictions x, ∂ℓ/∂xⱼ = mⱼ (∂ℓ/∂mⱼ − Σᵢ yᵢ ∂ℓ/∂mᵢ).

use super::entry::{EPSILON, Entry};
use crate::losses::number::Number;

/// Numbers that are worked on side by side.
const LANES: usize = 16;
/// Numbers that are added up before their sum is continued in 64 bits: a multiple of [`LANES`].
const CHUNK: usize = 1024;

/// The dispersion r of each feature, and 1 / r.
pub(super) struct Dispersions<T> {
    pub r: Vec<T>,
    pub inverse: Vec<T>,
}

/// The counts of one cell.
#[derive(Default)]
pub(super) struct Counts {
    /// Feature and count, where it is above zero.
    pub entries: Vec<(usize, f64)>,
    /// Sum of the counts.
    pub total: f64,
}

/// What is wanted of a row beside its loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Loss,
    /// The slopes by predictions.
    ByPrediction,
    /// The slopes by predictions and by dispersions.
    ByAll,
}

/// The numbers of one cell, as long as there are features.
pub(super) struct Row<T> {
    /// In: predictions. Out: slopes by them, if wanted.
    pub prediction: Vec<T>,
    /// Slopes by means.
    by_mean: Vec<T>,
    /// Out: slopes by dispersions, if wanted.
    pub by_dispersion: Vec<T>,
}

/// Sums over a stretch of features.
#[derive(Clone, Copy, Default)]
struct Sums<T> {
    loss: T,
    /// Σ m ∂ℓ/∂m.
    weighted: T,
}

impl<T: Number> Row<T> {
    /// Buffers for so many features.
    pub fn new(n_features: usize) -> Row<T> {
        let zeros = vec![T::ZERO; n_features];
        Row { prediction: zeros.clone(), by_mean: zeros.clone(), by_dispersion: zeros }
    }

    /// The loss, summed over features, of a cell with these counts; slopes lie in the buffers.
    pub fn loss(&mut self, counts: &Counts, dispersions: &Dispersions<T>, wanted: Wanted) -> f64 {
        let Counts { entries, total } = counts;
        self.means(*total);
        let (mut loss, mut weighted) = match wanted {
            Wanted::Loss => self.zeros::<false, false>(dispersions),
            Wanted::ByPrediction => self.zeros::<true, false>(dispersions),
            Wanted::ByAll => self.zeros::<true, true>(dispersions),
        };
        for (feature, count) in entries {
            let mean = self.prediction[*feature].double();
            let entry = Entry::new(*count, mean, dispersions.r[*feature].double());
            loss += entry.value;
            weighted += mean * entry.by_mean;
            if wanted != Wanted::Loss {
                self.by_mean[*feature] += T::of(entry.by_mean);
            }
            if wanted == Wanted::ByAll {
                self.by_dispersion[*feature] += T::of(entry.by_dispersion);
            }
        }
        if wanted != Wanted::Loss {
            let centre = T::of(if *total > 0.0 { weighted / total } else { 0.0 });
            for (mean, slope) in self.prediction.iter_mut().zip(&self.by_mean) {
                *mean = *mean * (*slope - centre);
            }
        }
        loss
    }

    /// Turns predictions into means.
    fn means(&mut self, total: f64) {
        let highest = highest(&self.prediction);
        let mut sum = 0.0;
        for chunk in self.prediction.chunks_mut(CHUNK) {
            sum += exponentials(chunk, highest).double();
        }
        let factor = T::of(total / sum);
        for mean in &mut self.prediction {
            *mean = *mean * factor;
        }
    }

    /// Loss and slopes as if every count were zero.
    fn zeros<const BY_MEAN: bool, const BY_DISPERSION: bool>(&mut self, dispersions: &Dispersions<T>) -> (f64, f64) {
        let (mut loss, mut weighted) = (0.0, 0.0);
        for start in (0..self.prediction.len()).step_by(CHUNK) {
            let end = self.prediction.len().min(start + CHUNK);
            let of = start..end;
            let stretch = Stretch {
                mean: &self.prediction[of.clone()],
                r: &dispersions.r[of.clone()],
                inverse: &dispersions.inverse[of.clone()],
                by_mean: &mut self.by_mean[of.clone()],
                by_dispersion: &mut self.by_dispersion[of],
            };
            let sums = stretch.zeros::<BY_MEAN, BY_DISPERSION>();
            loss += sums.loss.double();
            weighted += sums.weighted.double();
        }
        (loss, weighted)
    }
}

/// Some features of a row.
struct Stretch<'a, T> {
    mean: &'a [T],
    r: &'a [T],
    inverse: &'a [T],
    by_mean: &'a mut [T],
    by_dispersion: &'a mut [T],
}

impl<T: Number> Stretch<'_, T> {
    fn zeros<const BY_MEAN: bool, const BY_DISPERSION: bool>(self) -> Sums<T> {
        let (mean, rest) = self.mean.as_chunks::<LANES>();
        let (r, rest_r) = self.r.as_chunks::<LANES>();
        let (inverse, rest_inverse) = self.inverse.as_chunks::<LANES>();
        let (by_mean, rest_by_mean) = self.by_mean.as_chunks_mut::<LANES>();
        let (by_dispersion, rest_by_dispersion) = self.by_dispersion.as_chunks_mut::<LANES>();
        let mut losses = [T::ZERO; LANES];
        let mut weighted = [T::ZERO; LANES];
        for place in 0..mean.len() {
            for lane in 0..LANES {
                let (m, zero) = (mean[place][lane], zero(mean[place][lane], r[place][lane], inverse[place][lane]));
                losses[lane] += zero.value;
                if BY_MEAN {
                    by_mean[place][lane] = zero.by_mean;
                    weighted[lane] += m * zero.by_mean;
                }
                if BY_DISPERSION {
                    by_dispersion[place][lane] = zero.by_dispersion;
                }
            }
        }
        let mut sums = Sums { loss: sum(&losses), weighted: sum(&weighted) };
        for place in 0..rest.len() {
            let zero = zero(rest[place], rest_r[place], rest_inverse[place]);
            sums.loss += zero.value;
            sums.weighted += rest[place] * zero.by_mean;
            rest_by_mean[place] = zero.by_mean;
            rest_by_dispersion[place] = zero.by_dispersion;
        }
        sums
    }
}

/// What a zero costs, and its slopes.
pub(super) struct Zero<T> {
    pub value: T,
    pub by_mean: T,
    pub by_dispersion: T,
}

#[inline(always)]
pub(super) fn zero<T: Number>(mean: T, r: T, inverse_r: T) -> Zero<T> {
    let odds = (mean + T::of(EPSILON)) * inverse_r;
    let one_more = T::ONE + odds;
    let by_mean = T::ONE / one_more;
    let log = odds.ln_one_more(one_more, by_mean);
    Zero { value: r * log, by_mean, by_dispersion: log - odds * by_mean }
}

fn sum<T: Number>(lanes: &[T; LANES]) -> T {
    lanes.iter().fold(T::ZERO, |sum, lane| sum + *lane)
}

/// The largest number.
fn highest<T: Number>(numbers: &[T]) -> T {
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let larger = |a: T, b: T| if b > a { b } else { a };
    let mut lanes = [T::LEAST; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = larger(lanes[lane], chunk[lane]);
        }
    }
    lanes.iter().chain(rest).fold(T::LEAST, |a, b| larger(a, *b))
}

/// Replaces each number by e to what it is above `highest`; returns their sum.
fn exponentials<T: Number>(numbers: &mut [T], highest: T) -> T {
    let (chunks, rest) = numbers.as_chunks_mut::<LANES>();
    let mut lanes = [T::ZERO; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            chunk[lane] = (chunk[lane] - highest).exp_below_zero();
            lanes[lane] += chunk[lane];
        }
    }
    let mut total = sum(&lanes);
    for number in rest {
        *number = (*number - highest).exp_below_zero();
        total += *number;
    }
    total
}
