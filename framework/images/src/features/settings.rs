//! What a user may choose about features.

use super::grey::{GreyRange, MAX_LEVELS};
use anyhow::{Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Widest ring and bell, which bound the work per pixel.
const MAX_REACH_PIXELS: usize = 256;

/// Distances, levels and thresholds of features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FeatureSettings {
    /// Distances of the pairs of pixels whose grey levels make up the texture, in pixels, each above 0. Directions are
    /// 0°, 45°, 90° and 135°, averaged.
    pub glcm_distances_pixels: Vec<usize>,
    /// Grey levels of texture and entropy, 2 to 256.
    pub n_grey_levels: u16,
    /// Intensities that the grey levels divide: `"within_mask"`, or `{ fixed = { low = 0, high = 255 } }`.
    pub grey_range: GreyRange,
    /// Standard deviations above the mean of the nucleus from which a pixel is heterochromatin.
    pub heterochromatin_sds: f64,
    /// Standard deviation of the narrow Gaussian that finds foci, in pixels: about that of a focus, or less.
    pub foci_sigma_small_pixels: f64,
    /// Standard deviation of the wide Gaussian that is taken off, in pixels, above that of the narrow one.
    pub foci_sigma_large_pixels: f64,
    /// Standard deviations above the mean difference of the two from which a pixel is of a focus.
    pub foci_sds: f64,
    /// Least number of pixels of a focus, from 1.
    pub foci_min_area_pixels: usize,
    /// Pixels between the nucleus and the ring around it, where the border is unsure.
    pub ring_inner_pixels: usize,
    /// Distance of the outer side of the ring from the nucleus, in pixels, above that of the inner one, at most 256.
    pub ring_outer_pixels: usize,
}

impl Default for FeatureSettings {
    fn default() -> Self {
        FeatureSettings {
            glcm_distances_pixels: vec![1, 5, 20],
            n_grey_levels: 32,
            grey_range: GreyRange::WithinMask,
            heterochromatin_sds: 1.5,
            foci_sigma_small_pixels: 1.0,
            foci_sigma_large_pixels: 3.0,
            foci_sds: 3.0,
            foci_min_area_pixels: 4,
            ring_inner_pixels: 1,
            ring_outer_pixels: 6,
        }
    }
}

impl FeatureSettings {
    /// What is wrong, by key; nothing for settings that can be used.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key, message| {
            if !holds {
                problems.push((key, message));
            }
        };
        let mut distances = self.glcm_distances_pixels.clone();
        distances.sort_unstable();
        distances.dedup();
        let holds = distances.len() == self.glcm_distances_pixels.len() && !distances.contains(&0);
        let message = format!("is {:?}, but must be different distances above 0", self.glcm_distances_pixels);
        require(holds, "glcm_distances_pixels", message);
        let levels = self.n_grey_levels;
        let message = format!("is {levels}, but must be from 2 to {MAX_LEVELS}");
        require((2..=MAX_LEVELS).contains(&levels), "n_grey_levels", message);
        if let GreyRange::Fixed { low, high } = self.grey_range {
            let holds = low < high && low.is_finite() && high.is_finite();
            require(
                holds,
                "grey_range",
                format!("is from {low} to {high}, but must be from a lower to a higher number"),
            );
        }
        for (key, sds) in [("heterochromatin_sds", self.heterochromatin_sds), ("foci_sds", self.foci_sds)] {
            require(sds.is_finite() && sds >= 0.0, key, format!("is {sds}, but must be a number from 0"));
        }
        let (small, large) = (self.foci_sigma_small_pixels, self.foci_sigma_large_pixels);
        require(small > 0.0, "foci_sigma_small_pixels", format!("is {small}, but must be above 0"));
        let message =
            format!("is {large}, but must be above `foci_sigma_small_pixels` and at most {}", MAX_REACH_PIXELS / 4);
        require(large > small && large * 4.0 <= MAX_REACH_PIXELS as f64, "foci_sigma_large_pixels", message);
        require(self.foci_min_area_pixels > 0, "foci_min_area_pixels", "is 0, but must be from 1".to_owned());
        let outer = self.ring_outer_pixels;
        let message = format!("is {outer}, but must be above `ring_inner_pixels` and at most {MAX_REACH_PIXELS}");
        require(self.ring_inner_pixels < outer && outer <= MAX_REACH_PIXELS, "ring_outer_pixels", message);
        problems
    }

    /// Refuses settings that cannot be used.
    ///
    /// # Errors
    /// All [`problems`](FeatureSettings::problems), in one message.
    pub fn validate(&self) -> Result<()> {
        let problems: Vec<String> =
            self.problems().into_iter().map(|(key, message)| format!("`{key}` {message}")).collect();
        ensure!(problems.is_empty(), "{}", problems.join("; "));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold_and_unknown_keys_do_not() {
        assert_eq!(FeatureSettings::default().problems(), []);
        let read = |text| serde_json::from_str::<FeatureSettings>(text);
        assert_eq!(read("{}").unwrap(), FeatureSettings::default());
        assert!(read("{\"ring\": 1}").unwrap_err().to_string().contains("unknown field `ring`"));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let settings = FeatureSettings {
            glcm_distances_pixels: vec![1, 1],
            n_grey_levels: 1,
            grey_range: GreyRange::Fixed { low: 1.0, high: 1.0 },
            heterochromatin_sds: f64::NAN,
            foci_sigma_small_pixels: 0.0,
            foci_sigma_large_pixels: 65.0,
            foci_sds: -1.0,
            foci_min_area_pixels: 0,
            ring_inner_pixels: 6,
            ring_outer_pixels: 6,
        };
        let keys: Vec<_> = settings.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), 9, "{keys:?}");
        let message = settings.validate().unwrap_err().to_string();
        assert!(message.starts_with("`glcm_distances_pixels` is [1, 1], but must be different"), "{message}");
        assert!(message.contains("`ring_outer_pixels` is 6, but must be above `ring_inner_pixels`"), "{message}");
    }
}
