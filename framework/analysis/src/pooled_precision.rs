//! Average precision of all cells and features pooled, met a block at a time, in bounded memory.

use anyhow::{Result, ensure};
use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

use crate::average_precision::{AveragePrecision, from_groups, order};
use crate::tensor::shape;

/// Scores kept exactly up to this many; above it they are counted in bins.
const MAX_EXACT_ENTRIES: usize = 50_000_000;
/// Leading bits of a 32-bit score that name its bin: sign, exponent and 13 bits of mantissa.
const BIN_BITS: u32 = 22;

/// Micro-averaged average precision: all cells and features pooled, met a block at a time.
///
/// Exact up to 50 million entries (200 MB). Above that, scores are rounded to bins of relative width 2⁻¹³ (two counters
/// each, 64 MiB in all) and the result says so.
#[derive(Debug)]
pub struct PooledPrecision {
    positive: Vec<u32>,
    negative: Vec<u32>,
    bins: Option<Vec<(u64, u64)>>,
    max_exact_entries: usize,
}

impl Default for PooledPrecision {
    fn default() -> Self {
        Self::new()
    }
}

impl PooledPrecision {
    /// Nothing met so far.
    pub fn new() -> Self {
        Self::with_limit(MAX_EXACT_ENTRIES)
    }

    /// Nothing met so far; scores are counted in bins above the given number of entries.
    pub fn with_limit(max_exact_entries: usize) -> Self {
        Self { positive: Vec::new(), negative: Vec::new(), bins: None, max_exact_entries }
    }

    /// Adds a block of cells; an observation above 0 is positive.
    ///
    /// # Shapes
    /// both: any one shape of two dimensions.
    ///
    /// # Errors
    /// When shapes disagree or a score is NaN.
    pub fn push(&mut self, scores: &Tensor, observed: &Tensor) -> Result<()> {
        let (found, expected) = (shape(scores, "a block of scores")?, shape(observed, "a block of observations")?);
        ensure!(found == expected, "a block holds {found:?} scores for {expected:?} observations; expected one shape");
        ensure!(scores.isnan().any().int64_value(&[]) == 0, "a score is NaN; look for the step that made it");
        let scores = Vec::<f32>::try_from(scores.detach().to_device(Device::Cpu).to_kind(Kind::Float).flatten(0, 1))?;
        let positive = Vec::<bool>::try_from(observed.gt(0.0).to_device(Device::Cpu).flatten(0, 1))?;
        if self.bins.is_none() && self.positive.len() + self.negative.len() + scores.len() > self.max_exact_entries {
            self.start_counting();
        }
        for (score, positive) in scores.into_iter().map(order).zip(positive) {
            match (&mut self.bins, positive) {
                (Some(bins), _) => count(bins, score, positive),
                (None, true) => self.positive.push(score),
                (None, false) => self.negative.push(score),
            }
        }
        Ok(())
    }

    fn start_counting(&mut self) {
        let mut bins = vec![(0, 0); 1 << BIN_BITS];
        for score in std::mem::take(&mut self.positive) {
            count(&mut bins, score, true);
        }
        for score in std::mem::take(&mut self.negative) {
            count(&mut bins, score, false);
        }
        self.bins = Some(bins);
    }

    /// The average precision of everything met.
    ///
    /// # Errors
    /// When nothing was pushed.
    pub fn report(mut self) -> Result<AveragePrecision> {
        if let Some(bins) = &self.bins {
            return Ok(from_groups(bins.iter().rev().copied(), false));
        }
        ensure!(self.positive.len() + self.negative.len() > 0, "there is nothing to report: no score was pushed");
        self.positive.par_sort_unstable();
        self.negative.par_sort_unstable();
        let (mut positive, mut negative) = (self.positive.as_slice(), self.negative.as_slice());
        let groups = std::iter::from_fn(move || {
            let score = positive.last().max(negative.last()).copied()?;
            Some((drop_equal(&mut positive, score), drop_equal(&mut negative, score)))
        });
        Ok(from_groups(groups, true))
    }
}

fn count(bins: &mut [(u64, u64)], score: u32, positive: bool) {
    let bin = &mut bins[(score >> (32 - BIN_BITS)) as usize];
    bin.0 += u64::from(positive);
    bin.1 += u64::from(!positive);
}

/// Shortens an ascending slice by the values at its end that equal `score`; how many there were.
fn drop_equal(scores: &mut &[u32], score: u32) -> u64 {
    let kept = scores.len() - scores.iter().rev().take_while(|&&other| other == score).count();
    let dropped = scores.len() - kept;
    *scores = &scores[..kept];
    dropped as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_come_close_where_scores_are_too_many() {
        let scores = crate::random::normal(1000, 20, 1);
        let observed = (&scores + crate::random::normal(1000, 20, 2)).gt(1.5).to_kind(Kind::Float);
        let value = |limit: usize| {
            let mut pooled = PooledPrecision::with_limit(limit);
            for start in [0, 500] {
                pooled.push(&scores.narrow(0, start, 500), &observed.narrow(0, start, 500)).unwrap();
            }
            pooled.report().unwrap()
        };
        let (exact, binned) = (value(20_000), value(19_999));
        assert!(exact.exact && !binned.exact);
        assert_eq!((exact.base_rate, exact.n_entries), (binned.base_rate, binned.n_entries));
        assert!((exact.value.unwrap() - binned.value.unwrap()).abs() < 1e-4, "{exact:?} {binned:?}");
        assert!(exact.value.unwrap() > 2.0 * exact.base_rate);
    }

    #[test]
    fn nothing_and_nan_are_refused() {
        assert!(PooledPrecision::new().report().is_err());
        let bad = Tensor::from_slice(&[f32::NAN]).view([1, 1]);
        assert!(PooledPrecision::new().push(&bad, &bad.ones_like()).unwrap_err().to_string().contains("NaN"));
        assert!(PooledPrecision::new().push(&bad.zeros_like(), &bad.expand([2, 1], false)).is_err());
    }
}
