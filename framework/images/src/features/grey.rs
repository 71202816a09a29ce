//! Intensities in few grey levels, for what counts how often they occur.

use super::nucleus::Nucleus;
use super::stain::Stain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most grey levels.
pub(super) const MAX_LEVELS: u16 = 256;

/// Which intensities the grey levels divide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GreyRange {
    /// From the least to the largest intensity inside the mask: texture does not depend on how bright a nucleus is.
    #[default]
    WithinMask,
    /// The same for all nuclei; what lies outside counts as the first or the last level.
    Fixed {
        /// Intensity at which the first level starts.
        low: f32,
        /// Intensity at which the last level ends, above `low`.
        high: f32,
    },
}

/// The grey levels of the pixels of a nucleus: ⌊n (intensity − low) / (high − low)⌋ of n levels of equal width, the largest
/// intensity being of the last level. All are 0 where `low` is `high`.
#[derive(Clone, Debug)]
pub struct GreyLevels<'a> {
    nucleus: &'a Nucleus<'a>,
    n_levels: usize,
    in_box: Vec<u16>,
}

impl<'a> GreyLevels<'a> {
    /// The levels of a stain inside its nucleus; at least 1 level and at most 256.
    pub fn new(stain: &Stain<'a>, range: GreyRange, n_levels: u16) -> GreyLevels<'a> {
        let (nucleus, n_levels) = (stain.nucleus(), n_levels.clamp(1, MAX_LEVELS));
        let (low, high) = match range {
            GreyRange::Fixed { low, high } => (f64::from(low), f64::from(high)),
            GreyRange::WithinMask => {
                let values = stain.values().iter().copied();
                (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max))
            }
        };
        let n = f64::from(n_levels);
        let last = n - 1.0;
        let level =
            |value: f64| if high > low { (n * (value - low) / (high - low)).floor().clamp(0.0, last) } else { 0.0 };
        let mut in_box = vec![n_levels; nucleus.bbox_area()];
        for (place, &value) in nucleus.pixels_in_box().zip(stain.values()) {
            in_box[place] = level(value) as u16;
        }
        GreyLevels { nucleus, n_levels: usize::from(n_levels), in_box }
    }

    /// Number of levels.
    pub fn n_levels(&self) -> usize {
        self.n_levels
    }

    /// Shannon's entropy of the levels inside the mask, −Σ p log₂ p; scikit-image's `shannon_entropy` of the levels.
    ///
    /// # Units
    /// Bits, from 0 to log₂ of the number of levels.
    pub fn entropy(&self) -> f64 {
        let mut counts = vec![0_usize; self.n_levels];
        for place in self.nucleus.pixels_in_box() {
            counts[usize::from(self.in_box[place])] += 1;
        }
        let n = self.nucleus.n_pixels() as f64;
        let shares = counts.iter().filter(|count| **count > 0).map(|&count| count as f64 / n);
        // 0.0 rather than −0.0 for one level
        shares.map(|share| -share * share.log2()).sum::<f64>() + 0.0
    }

    /// Level of each pixel of the box around the nucleus, row by row; the number of levels outside the mask.
    pub(super) fn in_box(&self) -> &[u16] {
        &self.in_box
    }

    /// Columns of the box.
    pub(super) fn width(&self) -> usize {
        self.nucleus.bounds().1.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::drawn;

    #[test]
    fn levels_divide_the_range_evenly() {
        let drawn = drawn(&["#####."]);
        let nucleus = drawn.nucleus();
        let stain = Stain::new(&nucleus, &[0.0, 1.0, 4.9, 5.0, 10.0, 99.0]).unwrap();
        let levels = |range| GreyLevels::new(&stain, range, 2).in_box().to_vec();
        assert_eq!(levels(GreyRange::WithinMask), [0, 0, 0, 1, 1]);
        assert_eq!(levels(GreyRange::Fixed { low: 0.5, high: 2.5 }), [0, 0, 1, 1, 1]);
        let entropy = GreyLevels::new(&stain, GreyRange::WithinMask, 2).entropy();
        let expected = -(0.6 * 0.6_f64.log2() + 0.4 * 0.4_f64.log2());
        assert!((entropy - expected).abs() < 1e-15);
    }

    #[test]
    fn equal_intensities_are_one_level() {
        let drawn = drawn(&["##"]);
        let nucleus = drawn.nucleus();
        let levels = GreyLevels::new(&Stain::new(&nucleus, &[3.0; 2]).unwrap(), GreyRange::WithinMask, 8);
        assert_eq!((levels.in_box(), levels.entropy()), (&[0, 0][..], 0.0));
    }

    #[test]
    fn the_range_is_read_by_name() {
        let read = |text| serde_json::from_str::<GreyRange>(text);
        assert_eq!(read("\"within_mask\"").unwrap(), GreyRange::WithinMask);
        let fixed = read("{\"fixed\": {\"low\": 0, \"high\": 255}}").unwrap();
        assert_eq!(fixed, GreyRange::Fixed { low: 0.0, high: 255.0 });
        assert!(read("{\"fixed\": {\"low\": 0, \"top\": 255}}").is_err());
    }
}
