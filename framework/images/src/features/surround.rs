//! A protein inside the nucleus against the ring around it.

use super::nucleus::Nucleus;
use super::settings::FeatureSettings;
use super::stain::Stain;
use super::{named, ratio};
use anyhow::{Result, ensure};
use std::ops::Range;

/// Which pixels around a nucleus belong to other nuclei.
#[derive(Clone, Copy, Debug, Default)]
pub struct Neighbours<'a> {
    labels: Option<&'a [u32]>,
}

/// Intensity of a nucleus, of the ring around it, and of all that belongs to no other nucleus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surround {
    /// Mean inside the mask.
    pub nuclear_mean: f64,
    /// Mean in the ring; NaN where no pixel is in it.
    pub ring_mean: f64,
    /// Share of the mask in the sum over all pixels of the image that belong to no other nucleus; NaN where this is 0.
    pub intranuclear_share: f64,
}

impl<'a> Neighbours<'a> {
    /// No other nucleus is known.
    pub fn none() -> Neighbours<'a> {
        Neighbours { labels: None }
    }

    /// Every pixel outside the nucleus whose label is not 0 belongs to another nucleus.
    ///
    /// # Shapes
    /// labels: height × width of the nucleus's image, row by row.
    ///
    /// # Errors
    /// When there is not one label per pixel.
    pub fn new(nucleus: &Nucleus<'_>, labels: &'a [u32]) -> Result<Neighbours<'a>> {
        let (height, width) = (nucleus.height(), nucleus.width());
        ensure!(
            labels.len() == height * width,
            "the labels are of {} pixels; expected {height} × {width}, as the mask has",
            labels.len()
        );
        Ok(Neighbours { labels: Some(labels) })
    }

    /// Whether a pixel outside the nucleus is of another nucleus.
    fn has(&self, place: usize) -> bool {
        self.labels.is_some_and(|labels| labels.get(place).is_some_and(|&label| label != 0))
    }
}

impl Surround {
    /// Measures a stain. The ring holds the pixels farther than `ring_inner_pixels` from the nearest pixel of the mask and
    /// at most `ring_outer_pixels` (between centres): the dilation by the larger disc less that by the smaller one.
    pub fn new(stain: &Stain<'_>, neighbours: &Neighbours<'_>, settings: &FeatureSettings) -> Surround {
        let (nucleus, intensity) = (stain.nucleus(), stain.intensity());
        let (mut sum, mut n_pixels) = (0.0, 0_usize);
        for place in ring(nucleus, settings.ring_inner_pixels, settings.ring_outer_pixels) {
            if !neighbours.has(place) {
                sum += f64::from(intensity[place]);
                n_pixels += 1;
            }
        }
        let outside = intensity.iter().zip(nucleus.mask()).enumerate();
        let outside = outside.filter(|(place, (_, inside))| !**inside && !neighbours.has(*place));
        let outside: f64 = outside.map(|(_, (&value, _))| f64::from(value)).sum();
        let nuclear: f64 = stain.values().iter().sum();
        Surround {
            nuclear_mean: nuclear / nucleus.n_pixels() as f64,
            ring_mean: sum / n_pixels as f64,
            intranuclear_share: ratio(nuclear, nuclear + outside),
        }
    }

    /// These numbers by name; `nuclear_ring_ratio` is the mean inside the mask through that in the ring.
    pub(super) fn features(&self) -> Vec<(String, f64)> {
        named([
            ("ring_mean", self.ring_mean),
            ("nuclear_ring_ratio", ratio(self.nuclear_mean, self.ring_mean)),
            ("intranuclear_share", self.intranuclear_share),
        ])
    }
}

/// Places of the pixels that are farther from a nucleus than `inner` pixels and not farther than `outer`.
fn ring(nucleus: &Nucleus<'_>, inner: usize, outer: usize) -> Vec<usize> {
    let everything = nucleus.height() + nucleus.width();
    let (inner, outer) = (inner.min(everything), outer.min(everything));
    let widened = |range: Range<usize>, end: usize| range.start.saturating_sub(outer)..(range.end + outer).min(end);
    let (rows, columns) = nucleus.bounds();
    let (rows, columns) = (widened(rows, nucleus.height()), widened(columns, nucleus.width()));
    let (width, far) = (columns.len(), outer + 1);
    let vertical = distances_along_columns(nucleus, &rows, &columns, far);
    let mut places = Vec::new();
    let mut nearest = vec![0; width];
    for (row, vertical) in rows.zip(vertical.chunks_exact(width)) {
        // the nearest pixel of the mask is in a column that is `step` away
        let squared: Vec<usize> = vertical.iter().map(|distance| distance * distance).collect();
        nearest.copy_from_slice(&squared);
        for step in 1..far.min(width) {
            let lower = |(nearest, squared): (&mut usize, &usize)| *nearest = (*nearest).min(squared + step * step);
            nearest[step..].iter_mut().zip(&squared).for_each(lower);
            nearest.iter_mut().zip(&squared[step..]).for_each(lower);
        }
        let is_ring = |squared: usize| squared > inner * inner && squared <= outer * outer;
        let start = row * nucleus.width() + columns.start;
        places.extend((0..width).filter(|&n| is_ring(nearest[n])).map(|n| start + n));
    }
    places
}

/// Distance of each pixel of a window to the nearest pixel of the mask in its column, at most `far`.
fn distances_along_columns(
    nucleus: &Nucleus<'_>,
    rows: &Range<usize>,
    columns: &Range<usize>,
    far: usize,
) -> Vec<usize> {
    let width = columns.len();
    let mask = rows.clone().flat_map(|row| &nucleus.mask()[row * nucleus.width()..][columns.clone()]);
    let mut distances: Vec<usize> = mask.map(|&inside| if inside { 0 } else { far }).collect();
    for place in width..distances.len() {
        distances[place] = distances[place].min(distances[place - width] + 1);
    }
    for place in (width..distances.len()).rev() {
        distances[place - width] = distances[place - width].min(distances[place] + 1);
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{drawn, rectangle, value};

    fn settings(inner: usize, outer: usize) -> FeatureSettings {
        FeatureSettings { ring_inner_pixels: inner, ring_outer_pixels: outer, ..FeatureSettings::default() }
    }

    #[test]
    fn a_ring_is_a_disc_less_a_smaller_one() {
        let point = drawn(&[".......", ".......", ".......", "...#...", ".......", ".......", "......."]);
        let nucleus = point.nucleus();
        // by brute force
        for (inner, outer) in [(0, 1), (0, 2), (1, 3), (2, 4)] {
            let squared = |place: usize| (place / 7).abs_diff(3).pow(2) + (place % 7).abs_diff(3).pow(2);
            let expected: Vec<usize> =
                (0..49).filter(|&place| squared(place) > inner * inner && squared(place) <= outer * outer).collect();
            assert_eq!(ring(&nucleus, inner, outer), expected);
        }
        assert_eq!(ring(&nucleus, 0, 1).len(), 4);
    }

    #[test]
    fn other_nuclei_are_left_out() {
        let drawn = drawn(&["..#.."]);
        let nucleus = drawn.nucleus();
        let intensity = [5.0, 2.0, 8.0, 4.0, 1.0];
        let stain = Stain::new(&nucleus, &intensity).unwrap();
        let all = Surround::new(&stain, &Neighbours::none(), &settings(0, 1));
        assert_eq!(all, Surround { nuclear_mean: 8.0, ring_mean: 3.0, intranuclear_share: 0.4 });
        let labels = [0, 0, 1, 2, 2];
        let neighbours = Neighbours::new(&nucleus, &labels).unwrap();
        let alone = Surround::new(&stain, &neighbours, &settings(0, 1));
        assert_eq!(alone, Surround { nuclear_mean: 8.0, ring_mean: 2.0, intranuclear_share: 8.0 / 15.0 });
        assert_eq!(value(&alone.features(), "nuclear_ring_ratio"), 4.0);
        let message = Neighbours::new(&nucleus, &labels[1..]).unwrap_err().to_string();
        assert!(message.contains("4 pixels; expected 1 × 5"), "{message}");
    }

    #[test]
    fn a_nucleus_that_fills_its_crop_has_no_ring() {
        let rectangle = rectangle(3, 3);
        let nucleus = rectangle.nucleus();
        let stain = Stain::new(&nucleus, &[2.0; 9]).unwrap();
        let features = Surround::new(&stain, &Neighbours::none(), &settings(1, 3)).features();
        assert!(value(&features, "ring_mean").is_nan() && value(&features, "nuclear_ring_ratio").is_nan());
        assert_eq!(value(&features, "intranuclear_share"), 1.0);
    }
}
