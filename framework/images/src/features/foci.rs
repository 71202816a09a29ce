//! Foci: small spots that are brighter than what is around them.

use super::named;
use super::settings::FeatureSettings;
use super::smoothing::smoothed;
use super::stain::{Stain, mean_and_sd};

/// Differences below this share of the largest intensity are rounding.
const LEAST_CONTRAST: f64 = 1e-9;

/// The bright spots of a nucleus: the image smoothed by a narrow less that smoothed by a wide Gaussian, both inside the mask
/// only; pixels where this is above its mean + k · sd over the nucleus; pieces of these (joined at sides and corners) with
/// enough pixels.
///
/// Widths, k and the least size are those of the settings. The threshold is the nucleus's own: it rises with the spots, so
/// that among many bright ones faint ones are missed, and noise without any spot has a piece now and then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foci {
    /// Pixels of each spot, in the order of their first pixels.
    pub areas: Vec<usize>,
}

impl Foci {
    /// Finds the spots of a stain.
    pub fn new(stain: &Stain<'_>, settings: &FeatureSettings) -> Foci {
        let (nucleus, values) = (stain.nucleus(), stain.values());
        let narrow = smoothed(nucleus, values, settings.foci_sigma_small_pixels);
        let wide = smoothed(nucleus, values, settings.foci_sigma_large_pixels);
        let contrast: Vec<f64> = narrow.iter().zip(wide).map(|(narrow, wide)| narrow - wide).collect();
        let (mean, sd) = mean_and_sd(&contrast);
        let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        let threshold = mean + (settings.foci_sds * sd).max(LEAST_CONTRAST * largest);
        let framed = nucleus.framed();
        let mut is_bright = framed.mask;
        let inside: Vec<usize> = (0..is_bright.len()).filter(|&place| is_bright[place]).collect();
        for (&place, contrast) in inside.iter().zip(contrast) {
            is_bright[place] = contrast > threshold;
        }
        let mut areas = areas_of_pieces(&mut is_bright, framed.width);
        areas.retain(|&area| area >= settings.foci_min_area_pixels);
        Foci { areas }
    }

    /// Number of spots and their mean area in pixels (NaN where there is none), by name.
    pub(super) fn features(&self) -> Vec<(String, f64)> {
        let n = self.areas.len() as f64;
        named([("foci_count", n), ("foci_area_mean", self.areas.iter().sum::<usize>() as f64 / n)])
    }
}

/// Pixels of each piece that hangs together at sides or corners, and clears the image, which has an empty frame.
fn areas_of_pieces(is_set: &mut [bool], width: usize) -> Vec<usize> {
    let mut areas = Vec::new();
    let mut waiting = Vec::new();
    for start in 0..is_set.len() {
        if !std::mem::take(&mut is_set[start]) {
            continue;
        }
        waiting.push(start);
        let mut area = 0;
        while let Some(place) = waiting.pop() {
            area += 1;
            for row in [place - width, place, place + width] {
                let three = (row - 1..=row + 1).filter(|&other| std::mem::take(&mut is_set[other]));
                waiting.extend(three);
            }
        }
        areas.push(area);
    }
    areas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{disc, drawn, value};

    const SIZE: usize = 60;

    /// A flat nucleus with round spots of a given width.
    fn spotted(spots: &[(f64, f64)], sigma: f64) -> Vec<f32> {
        let at = |place: usize| {
            let (row, column) = ((place / SIZE) as f64, (place % SIZE) as f64);
            let bump = |spot: &(f64, f64)| {
                let squared = (row - spot.0).powi(2) + (column - spot.1).powi(2);
                60.0 * (-0.5 * squared / sigma.powi(2)).exp()
            };
            (40.0 + spots.iter().map(bump).sum::<f64>()) as f32
        };
        (0..SIZE * SIZE).map(at).collect()
    }

    fn foci(intensity: &[f32]) -> Foci {
        let disc = disc(SIZE, 28.0);
        let nucleus = disc.nucleus();
        Foci::new(&Stain::new(&nucleus, intensity).unwrap(), &FeatureSettings::default())
    }

    #[test]
    fn spots_are_counted_wherever_they_lie() {
        let spots = [(30.0, 30.0), (30.0, 44.0), (15.0, 20.0), (45.0, 25.0), (20.0, 40.0), (4.0, 30.0)];
        for n_spots in 1..=spots.len() {
            let found = foci(&spotted(&spots[..n_spots], 1.5));
            assert_eq!(found.areas.len(), n_spots, "{found:?}");
            assert_eq!(value(&found.features(), "foci_count"), n_spots as f64);
        }
    }

    #[test]
    fn flat_nuclei_and_their_outlines_have_none() {
        let mut dark_outside = vec![0.0; SIZE * SIZE];
        for (pixel, inside) in dark_outside.iter_mut().zip(disc(SIZE, 28.0).mask) {
            *pixel = if inside { 0.1 } else { 0.0 };
        }
        for intensity in [vec![0.0; SIZE * SIZE], vec![0.1; SIZE * SIZE], dark_outside] {
            let found = foci(&intensity);
            assert!(found.areas.is_empty(), "{found:?}");
            assert!(value(&found.features(), "foci_area_mean").is_nan());
        }
    }

    #[test]
    fn pieces_join_at_corners() {
        let mut rows = drawn(&[".....", ".#.#.", ".##..", "....."]).mask;
        assert_eq!(areas_of_pieces(&mut rows, 5), [4]);
        let mut apart = drawn(&["......", ".#..#.", ".#..#.", "....#.", "......"]).mask;
        assert_eq!(areas_of_pieces(&mut apart, 6), [2, 3]);
    }
}
