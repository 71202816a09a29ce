//! Crops: a square around the middle of each nucleus.

use anyhow::{Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::labels::{Labels, Region};
use crate::normalise::{Normalisation, Range};
use crate::plane::{Pixels, Plane};
use crate::problem::{Problem, require};

/// The largest side of a crop.
const LARGEST_SIDE: usize = 4096;

/// What a crop shows beside its own nucleus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Surroundings {
    /// Everything, as in Zhang et al. 2026.
    #[default]
    Keep,
    /// Everything but the pixels of other nuclei, which are 0.
    MaskNeighbours,
    /// Nothing: what is not the nucleus is 0.
    MaskAll,
}

/// How crops are cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cutting {
    /// Rows and columns of a crop: a power of two, from 8 to 4096.
    pub side: usize,
    /// What a crop shows beside its own nucleus.
    pub surroundings: Surroundings,
    /// Whether the mask of the nucleus is kept as a channel of its own, `nucleus_mask`, from which shapes are measured.
    pub keep_mask: bool,
}

impl Default for Cutting {
    fn default() -> Self {
        Self { side: 128, surroundings: Surroundings::Keep, keep_mask: true }
    }
}

impl Cutting {
    /// Ranges that types cannot express; empty when all is well.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let holds = self.side.is_power_of_two() && (8..=LARGEST_SIDE).contains(&self.side);
        let message = format!("is {}, but must be a power of two from 8 to {LARGEST_SIDE}", self.side);
        require(&mut problems, holds, "side", message);
        problems
    }

    /// Refuses fields that are smaller than a crop.
    pub(crate) fn ensure_fits(&self, height: usize, width: usize) -> Result<()> {
        let side = self.side;
        ensure!(
            side <= height && side <= width,
            "a crop of {side} × {side} pixels is larger than the field, {height} × {width}; set `side` to a smaller \
             power of two"
        );
        Ok(())
    }

    /// Which pixels of a window are shown: those that the field has and that are not masked.
    pub(crate) fn shown(&self, window: &Window, labels: &Labels, region: &Region) -> Vec<bool> {
        let mut shown = vec![false; window.side * window.side];
        window.rows(labels.height, labels.width, |source, target| {
            for (shown, &label) in shown[target].iter_mut().zip(&labels.labels[source]) {
                *shown = match self.surroundings {
                    Surroundings::Keep => true,
                    Surroundings::MaskNeighbours => label == 0 || label == region.label,
                    Surroundings::MaskAll => label == region.label,
                };
            }
        });
        shown
    }
}

/// The square of a field that a crop shows; it may reach beyond the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    top: i64,
    left: i64,
    side: usize,
}

impl Window {
    /// The square whose pixel `(side / 2, side / 2)` is the centroid, cut to whole numbers.
    pub(crate) fn around(centroid: [f64; 2], side: usize) -> Self {
        let start = |mean: f64| mean as i64 - (side / 2) as i64;
        Self { top: start(centroid[0]), left: start(centroid[1]), side }
    }

    /// The square about the middle of an image.
    pub(crate) fn middle(height: usize, width: usize, side: usize) -> Self {
        Self::around([(height / 2) as f64, (width / 2) as f64], side)
    }

    /// Which of its pixels a field has.
    pub(crate) fn inside(&self, height: usize, width: usize) -> Vec<bool> {
        let mut inside = vec![false; self.side * self.side];
        self.rows(height, width, |_, target| inside[target].fill(true));
        inside
    }

    /// Hands on, for each row that field and window share, the places in the field and those in the window.
    fn rows(&self, height: usize, width: usize, mut each: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>)) {
        let side = self.side as i64;
        let (first, last) = ((-self.left).clamp(0, side), (width as i64 - self.left).clamp(0, side));
        for row in 0..side {
            let source = self.top + row;
            if source < 0 || source >= height as i64 || first >= last {
                continue;
            }
            let start = (source * width as i64 + self.left + first) as usize;
            let length = (last - first) as usize;
            let target = (row * side + first) as usize;
            each(start..start + length, target..target + length);
        }
    }

    /// The pixels of a plane, 0 beyond the field.
    pub(crate) fn pixels(&self, plane: &Plane) -> Vec<f32> {
        let mut pixels = vec![0.0; self.side * self.side];
        let (height, width) = (plane.height(), plane.width());
        match plane.pixels() {
            Pixels::U8(values) => self.rows(height, width, |source, target| {
                pixels[target].iter_mut().zip(&values[source]).for_each(|(pixel, &value)| *pixel = f32::from(value));
            }),
            Pixels::U16(values) => self.rows(height, width, |source, target| {
                pixels[target].iter_mut().zip(&values[source]).for_each(|(pixel, &value)| *pixel = f32::from(value));
            }),
            Pixels::U32(values) => self.rows(height, width, |source, target| {
                pixels[target].iter_mut().zip(&values[source]).for_each(|(pixel, &value)| *pixel = value as f32);
            }),
            Pixels::F32(values) => self.rows(height, width, |source, target| {
                pixels[target].copy_from_slice(&values[source]);
            }),
        }
        pixels
    }

    /// 1 in the nucleus, 0 elsewhere.
    pub(crate) fn mask(&self, labels: &Labels, region: &Region) -> Vec<f32> {
        let mut pixels = vec![0.0; self.side * self.side];
        self.rows(labels.height, labels.width, |source, target| {
            let inside = labels.labels[source].iter().map(|&label| f32::from(u8::from(label == region.label)));
            pixels[target].iter_mut().zip(inside).for_each(|(pixel, inside)| *pixel = inside);
        });
        pixels
    }
}

/// Brings the shown pixels of a crop to 0 to 1, the others to 0; whether it has any contrast.
///
/// `range` is that of the field or plate; none: that of the crop itself.
pub(crate) fn normalised(
    pixels: &mut [f32],
    shown: &[bool],
    range: Option<Range>,
    normalisation: &Normalisation,
) -> bool {
    let own = || {
        let mut seen: Vec<f32> =
            pixels.iter().zip(shown).filter(|(_, shown)| **shown).map(|(value, _)| *value).collect();
        if seen.is_empty() { Range { low: 0.0, high: 0.0 } } else { normalisation.range_of(&mut seen) }
    };
    let range = range.unwrap_or_else(own);
    let mut extremes = (f32::INFINITY, f32::NEG_INFINITY);
    for (pixel, &shown) in pixels.iter_mut().zip(shown) {
        *pixel = if shown { range.scale(*pixel) } else { 0.0 };
        extremes = (extremes.0.min(*pixel), extremes.1.max(*pixel));
    }
    extremes.0 < extremes.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels `10 · row + column + 1` of a field of 6 × 8.
    fn field() -> Plane {
        let pixel = |at: usize| (10 * (at / 8) + at % 8 + 1) as u8;
        Plane::new(6, 8, Pixels::U8((0..48).map(pixel).collect())).unwrap()
    }

    #[test]
    fn the_centroid_is_cut_to_whole_numbers_and_borders_are_zero() {
        let window = Window::around([2.9, 3.2], 4);
        let pixels = window.pixels(&field());
        // rows 0 to 3, columns 1 to 4
        assert_eq!(&pixels[..4], [2.0, 3.0, 4.0, 5.0]);
        assert_eq!(pixels[2 * 4 + 2], 24.0);
        let corner = Window::around([0.0, 7.9], 4).pixels(&field());
        assert_eq!(corner, [0., 0., 0., 0., 0., 0., 0., 0., 6., 7., 8., 0., 16., 17., 18., 0.]);
    }

    #[test]
    fn neighbours_are_masked_when_asked_for() {
        let mut labels = Labels { height: 6, width: 8, labels: vec![0; 48] };
        labels.labels[2 * 8 + 3] = 4;
        labels.labels[2 * 8 + 4] = 9;
        let region = labels.regions()[0];
        let window = Window::around(region.centroid, 4);
        let hidden = |surroundings| {
            let shown = Cutting { surroundings, ..Cutting::default() }.shown(&window, &labels, &region);
            (0..16).filter(|&at| !shown[at]).collect::<Vec<usize>>()
        };
        assert_eq!(hidden(Surroundings::Keep), [0_usize; 0]);
        assert_eq!(hidden(Surroundings::MaskNeighbours), [11]);
        assert_eq!(hidden(Surroundings::MaskAll).len(), 15);
        assert_eq!(window.mask(&labels, &region).iter().sum::<f32>(), 1.0);
        assert_eq!(window.mask(&labels, &region)[10], 1.0);
    }

    #[test]
    fn a_range_of_the_crop_leaves_out_what_is_not_shown() {
        let mut pixels = [5.0, 1.0, 3.0, 900.0];
        let shown = [true, true, true, false];
        assert!(normalised(&mut pixels, &shown, None, &Normalisation::default()));
        assert_eq!(pixels, [1.0, 0.0, 0.5, 0.0]);
        let mut constant = [5.0; 4];
        assert!(!normalised(&mut constant, &[true; 4], None, &Normalisation::default()));
        assert_eq!(constant, [0.0; 4]);
    }

    #[test]
    fn sides_are_powers_of_two_and_fit() {
        for side in [0, 4, 100, 8192] {
            assert_eq!(Cutting { side, ..Cutting::default() }.validate()[0].key, "side");
        }
        assert!(Cutting { side: 64, ..Cutting::default() }.validate().is_empty());
        let error = Cutting::default().ensure_fits(200, 100).unwrap_err().to_string();
        assert!(
            error.starts_with("a crop of 128 × 128 pixels is larger than the field, 200 × 100; set `side`"),
            "{error}"
        );
    }
}
