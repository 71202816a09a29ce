//! Heterochromatin and euchromatin: the brightest pixels of a DNA stain, and the rest.

use super::stain::{Stain, mean_and_sd};
use super::{named, ratio};

/// The pixels brighter than mean + k · sd of the nucleus, taken as heterochromatin, against the others.
///
/// A measure of earlier studies of chromatin images, whose names it has. Of normally distributed intensities 7 % are above
/// k = 1.5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chromatin {
    /// Pixels of heterochromatin.
    pub n_hetero: usize,
    /// Pixels of euchromatin.
    pub n_eu: usize,
    /// Sum of the intensities of heterochromatin.
    pub hetero_content: f64,
    /// Sum of the intensities of euchromatin.
    pub eu_content: f64,
}

impl Chromatin {
    /// Divides the pixels at mean + `sds` standard deviations.
    pub fn new(stain: &Stain<'_>, sds: f64) -> Chromatin {
        let (mean, sd) = mean_and_sd(stain.values());
        let threshold = mean + sds * sd;
        let mut chromatin = Chromatin { n_hetero: 0, n_eu: 0, hetero_content: 0.0, eu_content: 0.0 };
        for &value in stain.values() {
            if value > threshold {
                chromatin.n_hetero += 1;
                chromatin.hetero_content += value;
            } else {
                chromatin.n_eu += 1;
                chromatin.eu_content += value;
            }
        }
        chromatin
    }

    /// Shares and ratios by name; NaN where there is nothing to divide by.
    pub(super) fn features(&self) -> Vec<(String, f64)> {
        let (n_hetero, n_eu) = (self.n_hetero as f64, self.n_eu as f64);
        named([
            ("hc_area_nuc_area", ratio(n_hetero, n_hetero + n_eu)),
            ("hc_area_ec_area", ratio(n_hetero, n_eu)),
            ("hc_content_nuc_content", ratio(self.hetero_content, self.hetero_content + self.eu_content)),
            ("hc_content_ec_content", ratio(self.hetero_content, self.eu_content)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{rectangle, value};

    #[test]
    fn the_brightest_pixels_are_heterochromatin() {
        let rectangle = rectangle(1, 10);
        let nucleus = rectangle.nucleus();
        let mut intensity = [1.0; 10];
        intensity[3] = 11.0;
        // mean 2, sd 3: the threshold is 6.5
        let stain = Stain::new(&nucleus, &intensity).unwrap();
        let chromatin = Chromatin::new(&stain, 1.5);
        let expected = Chromatin { n_hetero: 1, n_eu: 9, hetero_content: 11.0, eu_content: 9.0 };
        assert_eq!(chromatin, expected);
        let features = chromatin.features();
        assert_eq!(value(&features, "hc_area_nuc_area"), 0.1);
        assert_eq!(value(&features, "hc_area_ec_area"), 1.0 / 9.0);
        assert_eq!(value(&features, "hc_content_nuc_content"), 0.55);
        assert_eq!(value(&features, "hc_content_ec_content"), 11.0 / 9.0);
        assert_eq!(Chromatin::new(&stain, 3.5).n_hetero, 0);
    }

    #[test]
    fn a_dark_nucleus_has_areas_but_no_content() {
        let rectangle = rectangle(2, 2);
        let nucleus = rectangle.nucleus();
        let features = Chromatin::new(&Stain::new(&nucleus, &[0.0; 4]).unwrap(), 1.5).features();
        assert_eq!(value(&features, "hc_area_nuc_area"), 0.0);
        assert!(value(&features, "hc_content_ec_content").is_nan());
    }
}
