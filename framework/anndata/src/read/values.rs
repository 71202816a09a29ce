//! Slices of an array of numbers in single precision, with a check that nothing was lost.

use std::ops::Range;

use anyhow::{Result, bail};
use hdf5::types::{FloatSize, IntSize, TypeDescriptor};
use hdf5::{Dataset, Selection};
use hdf5_metno as hdf5;

use super::place::{explain, label};

/// Values read at a time (whole HDF5 chunks are never split).
pub(crate) const VALUES_PER_PIECE: usize = 1 << 20;

/// How values are kept in the file, as far as reading them needs to know.
#[derive(Clone, Copy)]
enum Stored {
    /// Every possible value fits in single precision.
    Single,
    /// Values may be too large or too precise.
    Double,
    /// True or false.
    Truth,
}

/// Values read, and the place of the first one that must not be used.
pub(crate) struct Slice {
    pub values: Vec<f32>,
    /// Place within `values`, and the value as the file has it.
    pub misfit: Option<(usize, f64)>,
}

/// An array of numbers in a file.
pub(crate) struct Numbers {
    dataset: Dataset,
    stored: Stored,
}

impl Numbers {
    /// Checks that the dataset holds numbers or truths.
    pub(crate) fn new(dataset: Dataset) -> Result<Self> {
        let stored = stored(&dataset)?;
        Ok(Self { dataset, stored })
    }

    /// The dataset itself.
    pub(crate) fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The values of a selection, flat. A value misfits if it is NaN, infinite, too large for single precision, or a
    /// whole number that single precision would change (possible above 2²⁴).
    pub(crate) fn read(&self, selection: Selection) -> Result<Slice> {
        let failed = |error| explain(&self.dataset, error);
        let dataset = &self.dataset;
        match self.stored {
            Stored::Truth => {
                // as bytes: a damaged file may hold others than 0 and 1, and no `bool` may be one of those
                let bytes = dataset.read_slice::<u8, _, ndarray::IxDyn>(selection).map_err(failed)?;
                let value = |byte: &u8| f32::from(u8::from(*byte != 0));
                Ok(Slice { values: bytes.iter().map(value).collect(), misfit: None })
            }
            Stored::Single => {
                let array = dataset.read_slice::<f32, _, ndarray::IxDyn>(selection).map_err(failed)?;
                let values = array.into_raw_vec_and_offset().0;
                let misfit = values.iter().position(|value| !value.is_finite());
                Ok(Slice { misfit: misfit.map(|place| (place, f64::from(values[place]))), values })
            }
            Stored::Double => {
                let array = dataset.read_slice::<f64, _, ndarray::IxDyn>(selection).map_err(failed)?;
                let doubles = array.into_raw_vec_and_offset().0;
                let misfit = doubles.iter().position(|value| !fits_single(*value));
                let values = doubles.iter().map(|value| *value as f32).collect();
                Ok(Slice { values, misfit: misfit.map(|place| (place, doubles[place])) })
            }
        }
    }

    /// Splits a range of the first axis into pieces that cut no HDF5 chunk and hold about [`VALUES_PER_PIECE`] values.
    pub(crate) fn pieces(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let row_length =
            self.dataset.shape().iter().skip(1).fold(1, |n: usize, length| n.saturating_mul(*length)).max(1);
        let chunk = self.dataset.chunk().and_then(|chunk| chunk.first().copied()).unwrap_or(1);
        pieces(range, chunk, VALUES_PER_PIECE / row_length)
    }
}

fn stored(dataset: &Dataset) -> Result<Stored> {
    let dtype = dataset.dtype()?;
    match dtype.to_descriptor() {
        Ok(TypeDescriptor::Boolean) => Ok(Stored::Truth),
        Ok(TypeDescriptor::Float(FloatSize::U4)) => Ok(Stored::Single),
        Ok(TypeDescriptor::Float(_)) => Ok(Stored::Double),
        Ok(TypeDescriptor::Integer(size) | TypeDescriptor::Unsigned(size)) => {
            Ok(if matches!(size, IntSize::U1 | IntSize::U2) { Stored::Single } else { Stored::Double })
        }
        // half precision has no descriptor, but HDF5 converts it
        Err(_) if dtype.size() == 2 && dtype.conv_to::<f32>().is_some() => Ok(Stored::Single),
        Ok(other) => bail!("{} holds {other}, not numbers", label(dataset)),
        Err(error) => bail!("{} holds values of an unknown type ({error}), not numbers", label(dataset)),
    }
}

/// Whether single precision holds a value: finite, and exactly if it is whole.
pub(crate) fn fits_single(value: f64) -> bool {
    let single = value as f32;
    single.is_finite() && (value.fract() != 0.0 || f64::from(single) == value)
}

fn pieces(range: Range<usize>, chunk: usize, at_least: usize) -> Vec<Range<usize>> {
    let chunk = chunk.max(1);
    let step = chunk * (at_least / chunk).max(1);
    let mut pieces = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let end = ((start / step + 1) * step).min(range.end);
        pieces.push(start..end);
        start = end;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{fits_single, pieces};

    #[test]
    fn pieces_cover_the_range_and_cut_no_chunk() {
        assert_eq!(pieces(0..10, 4, 5), vec![0..4, 4..8, 8..10]);
        assert_eq!(pieces(3..10, 4, 8), vec![3..8, 8..10]);
        assert_eq!(pieces(0..3, 100, 1), vec![0..3]);
        assert!(pieces(5..5, 4, 5).is_empty());
    }

    #[test]
    fn whole_numbers_above_2_to_24_must_be_exact() {
        assert!(fits_single(16_777_216.0));
        assert!(!fits_single(16_777_217.0));
        assert!(fits_single(0.1));
        assert!(!fits_single(f64::NAN));
        assert!(!fits_single(1e300));
    }
}
