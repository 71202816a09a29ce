//! Intensities brought to 0 to 1, by ranges whose reach is named.

use anyhow::{Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plane::{PixelKind, Pixels, Plane};
use crate::problem::{Problem, require};

/// Which pixels a range is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// None: 0 to the largest number of 8 or 16 bits; real numbers are from 0 to 1 already.
    None,
    /// The crop of one cell, as Zhang et al. 2026 write.
    Crop,
    /// The whole field, before crops are cut, as the authors of Zhang et al. 2026 computed.
    #[default]
    Field,
    /// All fields with the same value of a column of the table.
    Plate,
}

/// How intensities become numbers from 0 to 1, each channel for itself: what is below the range is 0, above it 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Normalisation {
    /// Which pixels the range is taken from.
    pub per: Reach,
    /// The percentile that becomes 0, from 0 (the smallest pixel) to below `upper`.
    pub lower: f64,
    /// The percentile that becomes 1, up to 100 (the largest pixel).
    pub upper: f64,
    /// For `per = "plate"`: the column of the table that says which fields belong together; left out: all do.
    pub plate_column: Option<String>,
}

impl Default for Normalisation {
    fn default() -> Self {
        Self { per: Reach::Field, lower: 0.0, upper: 100.0, plate_column: None }
    }
}

impl Normalisation {
    /// Ranges that types cannot express; empty when all is well.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let holds = (0.0..100.0).contains(&self.lower);
        require(&mut problems, holds, "lower", format!("is {}, but must be from 0 to below 100", self.lower));
        let holds = self.upper > self.lower && self.upper <= 100.0;
        let message = format!("is {}, but must be above `lower`, {}, and at most 100", self.upper, self.lower);
        require(&mut problems, holds, "upper", message);
        let holds = self.plate_column.is_none() || self.per == Reach::Plate;
        require(&mut problems, holds, "plate_column", "is set, but only `per = \"plate\"` reads it");
        problems
    }

    /// The range of some pixels, which are put into another order.
    pub(crate) fn range_of(&self, pixels: &mut [f32]) -> Range {
        Range { low: percentile(pixels, self.lower), high: percentile(pixels, self.upper) }
    }

    /// The range of a whole plane.
    ///
    /// # Errors
    /// If it is empty: the image is constant, or nearly.
    pub(crate) fn range_of_plane(&self, plane: &Plane) -> Result<Range> {
        let range = match (self.lower, self.upper) {
            (0.0, 100.0) => Range::from(plane.extremes()),
            _ => self.range_of(&mut plane.to_f64().into_iter().map(|value| value as f32).collect::<Vec<_>>()),
        };
        range.ensure_not_empty()?;
        Ok(range)
    }
}

/// What becomes 0 and what becomes 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl From<(f64, f64)> for Range {
    fn from((low, high): (f64, f64)) -> Self {
        Self { low, high }
    }
}

impl Range {
    /// Everything that a kind of pixel can say.
    pub(crate) fn whole(kind: PixelKind) -> Self {
        let high = match kind {
            PixelKind::U8 => 255.0,
            PixelKind::U16 => 65535.0,
            PixelKind::U32 => 4_294_967_295.0,
            PixelKind::F32 => 1.0,
        };
        Self { low: 0.0, high }
    }

    pub(crate) fn ensure_not_empty(self) -> Result<()> {
        ensure!(
            self.low < self.high,
            "it is constant: what becomes 0 and what becomes 1 are both {}; expected an image with contrast",
            self.low
        );
        Ok(())
    }

    /// Values from 0 to 1; all 0 where the range is empty.
    pub(crate) fn scale(self, value: f32) -> f32 {
        if self.low < self.high {
            (((f64::from(value) - self.low) / (self.high - self.low)) as f32).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

/// A percentile between the two nearest values, as NumPy's `percentile`; the values are put into another order.
fn percentile(values: &mut [f32], percent: f64) -> f64 {
    let rank = percent / 100.0 * (values.len() - 1) as f64;
    let (below, part) = (rank.floor() as usize, rank.fract());
    let (_, &mut low, above) = values.select_nth_unstable_by(below, f32::total_cmp);
    let low = f64::from(low);
    match above.iter().copied().min_by(f32::total_cmp) {
        Some(high) if part > 0.0 => low + part * (f64::from(high) - low),
        _ => low,
    }
}

/// How often each value occurs in the fields of a plate, of one channel.
#[derive(Debug, Clone)]
pub(crate) enum Tally {
    /// Nothing met yet.
    Empty,
    /// Counts of whole numbers of 8 or 16 bits.
    Counts(Vec<u64>),
    /// The extremes of real numbers, for which every count would be its own.
    Extremes(Range),
}

impl Tally {
    /// Counts the pixels of one plane.
    pub(crate) fn of(plane: &Plane) -> Self {
        fn count<T: Copy + Into<usize>>(values: &[T], n_values: usize) -> Tally {
            let mut counts = vec![0; n_values];
            values.iter().for_each(|&value| counts[value.into()] += 1);
            Tally::Counts(counts)
        }
        match plane.pixels() {
            Pixels::U8(values) => count(values, 1 << 8),
            Pixels::U16(values) => count(values, 1 << 16),
            Pixels::U32(_) | Pixels::F32(_) => Self::Extremes(plane.extremes().into()),
        }
    }

    /// Adds what another plane holds, which must be of the same kind.
    pub(crate) fn add(&mut self, other: Self) -> Result<()> {
        match (&mut *self, other) {
            (_, Self::Empty) => {}
            (Self::Empty, other) => *self = other,
            (Self::Counts(ours), Self::Counts(theirs)) if ours.len() == theirs.len() => {
                ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += theirs);
            }
            (Self::Extremes(ours), Self::Extremes(theirs)) => {
                *ours = Range { low: ours.low.min(theirs.low), high: ours.high.max(theirs.high) };
            }
            _ => bail!("fields of one plate differ in bit depth; expected one kind of pixel in a channel"),
        }
        Ok(())
    }

    /// The range of everything met.
    ///
    /// # Errors
    /// If percentiles of real numbers are asked for, or the range is empty.
    pub(crate) fn range(&self, normalisation: &Normalisation) -> Result<Range> {
        let range = match self {
            Self::Empty => bail!("no field of the plate has it"),
            Self::Extremes(range) => {
                let extremes = (normalisation.lower, normalisation.upper) == (0.0, 100.0);
                ensure!(extremes, "percentiles of a plate need 8- or 16-bit images; use `lower = 0` and `upper = 100`");
                *range
            }
            Self::Counts(counts) => {
                Range { low: counted(counts, normalisation.lower), high: counted(counts, normalisation.upper) }
            }
        };
        range.ensure_not_empty()?;
        Ok(range)
    }
}

/// A percentile of counted whole numbers, as [`percentile`].
fn counted(counts: &[u64], percent: f64) -> f64 {
    let n: u64 = counts.iter().sum();
    let rank = percent / 100.0 * (n - 1) as f64;
    let (below, part) = (rank.floor() as u64, rank.fract());
    let value_at = |place: u64| {
        let mut met = 0;
        let is_there = |count: &u64| {
            met += count;
            met > place
        };
        counts.iter().position(is_there).unwrap_or(0) as f64
    };
    let low = value_at(below);
    if part > 0.0 { low + part * (value_at(below + 1) - low) } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(values: &[u16]) -> Plane {
        Plane::new(1, values.len(), Pixels::U16(values.to_vec())).unwrap()
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        // numpy.percentile([10, 0, 3, 7, 100], [0, 10, 50, 95, 100])
        for (percent, expected) in [(0.0, 0.0), (10.0, 1.2), (50.0, 7.0), (95.0, 82.0), (100.0, 100.0)] {
            let found = percentile(&mut [10.0, 0.0, 3.0, 7.0, 100.0], percent);
            assert!((found - expected).abs() < 1e-12, "{percent}: {found}");
            let mut tally = Tally::of(&plane(&[10, 0, 3]));
            tally.add(Tally::of(&plane(&[7, 100]))).unwrap();
            let Tally::Counts(counts) = &tally else { panic!("{tally:?}") };
            assert!((counted(counts, percent) - expected).abs() < 1e-12, "{percent}");
        }
    }

    #[test]
    fn ranges_become_zero_to_one() {
        let normalisation = Normalisation { lower: 25.0, upper: 75.0, ..Normalisation::default() };
        let range = normalisation.range_of_plane(&plane(&[0, 10, 20, 30, 1000])).unwrap();
        assert_eq!(range, Range { low: 10.0, high: 30.0 });
        assert_eq!([5.0, 15.0, 31.0].map(|value| range.scale(value)), [0.0, 0.25, 1.0]);
        let error = normalisation.range_of_plane(&plane(&[7, 7, 7])).unwrap_err().to_string();
        assert!(error.contains("it is constant: what becomes 0 and what becomes 1 are both 7"), "{error}");
        assert_eq!(Range { low: 3.0, high: 3.0 }.scale(3.0), 0.0);
    }

    #[test]
    fn plates_hold_one_kind_of_pixel() {
        let mut tally = Tally::of(&plane(&[1, 2]));
        let narrow = Plane::new(1, 1, Pixels::U8(vec![3])).unwrap();
        assert!(tally.add(Tally::of(&narrow)).unwrap_err().to_string().contains("differ in bit depth"));
        let real = Tally::of(&Plane::new(1, 2, Pixels::F32(vec![0.0, 2.0])).unwrap());
        assert_eq!(real.range(&Normalisation::default()).unwrap(), Range { low: 0.0, high: 2.0 });
        let upper = Normalisation { upper: 99.0, ..Normalisation::default() };
        assert!(real.range(&upper).unwrap_err().to_string().contains("need 8- or 16-bit images"));
    }

    #[test]
    fn nonsense_is_refused() {
        let wrong = Normalisation { lower: 60.0, upper: 40.0, plate_column: Some("day".into()), per: Reach::Field };
        let keys: Vec<String> = wrong.validate().into_iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["upper", "plate_column"]);
    }
}
