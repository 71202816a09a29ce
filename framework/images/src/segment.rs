//! Nuclei found in a plane of stained DNA, by steps that are all in the open.
//!
//! Gaussian smoothing → threshold (Otsu's, or a stated one) → holes filled → Euclidean distance to the background →
//! seeds at its peaks → watershed of the distance from the seeds → nuclei of unlikely area, or at the border, dropped.
//! Each step gives what scikit-image and SciPy give for the same values (`tests/golden`). A network that segments better
//! writes a mask, and the mask is read instead.

mod distance;
mod gaussian;
mod holes;
mod otsu;
mod seeds;
mod watershed;

use anyhow::{Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::distance::distance_to_background;
pub use self::gaussian::gaussian;
pub use self::holes::fill_holes;
pub use self::otsu::otsu;
pub use self::seeds::seeds;
pub use self::watershed::watershed;

use crate::labels::{Labels, Region};
use crate::plane::Plane;
use crate::problem::{Problem, require};

/// How nuclei are found in a plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Segmentation {
    /// Standard deviation of the Gaussian that smooths the plane, in pixels; 0: none.
    pub smoothing_pixels: f64,
    /// Pixels above this are nucleus, in the numbers of the file; left out: Otsu's threshold of each field.
    pub threshold: Option<f64>,
    /// What the threshold is multiplied by, above 0; below 1 finds paler nuclei.
    pub threshold_factor: f64,
    /// Whether background that a nucleus encloses becomes nucleus.
    pub fill_holes: bool,
    /// Smallest distance between the middles of two nuclei, in pixels, from 1: about the radius of a nucleus.
    pub min_distance_pixels: usize,
    /// Smallest area of a nucleus, in pixels.
    pub min_area_pixels: u32,
    /// Largest area of a nucleus, in pixels; left out: none is too large.
    pub max_area_pixels: Option<u32>,
    /// Whether nuclei that touch the border of the field are dropped.
    pub drop_border: bool,
}

impl Default for Segmentation {
    fn default() -> Self {
        Self {
            smoothing_pixels: 1.0,
            threshold: None,
            threshold_factor: 1.0,
            fill_holes: true,
            min_distance_pixels: 7,
            min_area_pixels: 50,
            max_area_pixels: None,
            drop_border: true,
        }
    }
}

impl Segmentation {
    /// Ranges that types cannot express; empty when all is well.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let sigma = self.smoothing_pixels;
        let holds = (0.0..=100.0).contains(&sigma);
        require(&mut problems, holds, "smoothing_pixels", format!("is {sigma}, but must be from 0 to 100"));
        let factor = self.threshold_factor;
        let holds = factor > 0.0 && factor.is_finite();
        require(&mut problems, holds, "threshold_factor", format!("is {factor}, but must be above 0"));
        let holds = self.threshold.is_none_or(f64::is_finite);
        require(&mut problems, holds, "threshold", "is not a number");
        let holds = (1..=10_000).contains(&self.min_distance_pixels);
        let message = format!("is {}, but must be from 1 to 10000", self.min_distance_pixels);
        require(&mut problems, holds, "min_distance_pixels", message);
        let holds = self.max_area_pixels.is_none_or(|largest| largest >= self.min_area_pixels);
        let message = format!("is below `min_area_pixels`, {}; no nucleus could be both", self.min_area_pixels);
        require(&mut problems, holds, "max_area_pixels", message);
        problems
    }

    /// The nuclei of a plane, numbered from 1 in the order of their first pixels; there may be none.
    ///
    /// # Errors
    /// If every pixel is the same, or every pixel is above the threshold.
    pub fn segment(&self, plane: &Plane) -> Result<Labels> {
        let (low, high) = plane.extremes();
        ensure!(low < high, "every pixel is {low}; nuclei cannot be found in a constant image");
        let (height, width) = (plane.height(), plane.width());
        let size = (height, width);
        let (mut nucleus, threshold) = self.above_threshold(plane);
        if self.fill_holes {
            fill_holes(&mut nucleus, size);
        }
        let Some(distances) = distance_to_background(&nucleus, size) else {
            bail!("every pixel is above the threshold, {threshold:.4}; expected background between nuclei");
        };
        let seeds = seeds(&distances, size, self.min_distance_pixels);
        let labels = watershed(&distances, &seeds, size);
        let labels = Labels { height, width, labels };
        Ok(labels.keep(|region| self.is_likely(region)))
    }

    /// Which pixels are brighter than the threshold once they are smoothed, and the threshold.
    fn above_threshold(&self, plane: &Plane) -> (Vec<bool>, f64) {
        let smoothed = gaussian(&plane.to_f64(), (plane.height(), plane.width()), self.smoothing_pixels);
        let threshold = self.threshold.unwrap_or_else(|| otsu(&smoothed)) * self.threshold_factor;
        (smoothed.iter().map(|&value| value > threshold).collect(), threshold)
    }

    fn is_likely(&self, region: &Region) -> bool {
        region.n_pixels >= self.min_area_pixels
            && self.max_area_pixels.is_none_or(|largest| region.n_pixels <= largest)
            && !(self.drop_border && region.touches_border)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Pixels;

    /// Bright discs on a dim ground.
    fn discs(size: (usize, usize), discs: &[(f64, f64, f64)]) -> Plane {
        let inside = |row: usize, column: usize| {
            discs.iter().any(|&(y, x, radius)| (row as f64 - y).hypot(column as f64 - x) <= radius)
        };
        let pixel = |place: usize| if inside(place / size.1, place % size.1) { 200 } else { 20 };
        Plane::new(size.0, size.1, Pixels::U8((0..size.0 * size.1).map(pixel).collect())).unwrap()
    }

    #[test]
    fn touching_nuclei_are_parted_and_those_at_the_border_dropped() {
        let plane = discs((60, 90), &[(30.0, 25.0, 10.0), (30.0, 42.0, 10.0), (20.0, 75.0, 8.0), (59.0, 70.0, 9.0)]);
        let regions = Segmentation::default().segment(&plane).unwrap().regions();
        let middles: Vec<[i64; 2]> = regions.iter().map(|one| one.centroid.map(|mean| mean.round() as i64)).collect();
        assert_eq!(middles, [[20, 75], [30, 25], [30, 42]]);
        let with_border = Segmentation { drop_border: false, ..Segmentation::default() };
        assert_eq!(with_border.segment(&plane).unwrap().regions().len(), 4);
        let large = Segmentation { min_area_pixels: 250, ..Segmentation::default() };
        assert_eq!(large.segment(&plane).unwrap().regions().len(), 2);
        let small = Segmentation { max_area_pixels: Some(250), ..Segmentation::default() };
        assert_eq!(small.segment(&plane).unwrap().regions().len(), 1);
        let bright = Segmentation { threshold: Some(250.0), ..Segmentation::default() };
        assert_eq!(bright.segment(&plane).unwrap().regions().len(), 0);
    }

    #[test]
    fn a_constant_image_and_one_without_background_are_refused() {
        let constant = Plane::new(9, 9, Pixels::U16(vec![12; 81])).unwrap();
        let error = Segmentation::default().segment(&constant).unwrap_err().to_string();
        assert_eq!(error, "every pixel is 12; nuclei cannot be found in a constant image");
        let low = Segmentation { threshold: Some(1.0), ..Segmentation::default() };
        let error = low.segment(&discs((30, 30), &[(15.0, 15.0, 5.0)])).unwrap_err().to_string();
        assert!(error.starts_with("every pixel is above the threshold, 1.0000"), "{error}");
    }

    #[test]
    fn ranges_are_checked_all_at_once() {
        let wrong = Segmentation {
            smoothing_pixels: f64::NAN,
            threshold_factor: 0.0,
            min_distance_pixels: 0,
            max_area_pixels: Some(10),
            ..Segmentation::default()
        };
        let keys: Vec<String> = wrong.validate().into_iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["smoothing_pixels", "threshold_factor", "min_distance_pixels", "max_area_pixels"]);
        assert!(Segmentation::default().validate().is_empty());
    }
}
