//! How bright the pixels of a nucleus are.

use super::named;
use super::stain::{Stain, mean_and_sd};

/// The distribution of the intensities inside the mask.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    ascending: Vec<f64>,
    mean: f64,
    sd: f64,
}

impl Distribution {
    /// The distribution of a stain in its nucleus.
    pub fn new(stain: &Stain<'_>) -> Distribution {
        let (mean, sd) = mean_and_sd(stain.values());
        let mut ascending = stain.values().to_vec();
        ascending.sort_unstable_by(f64::total_cmp);
        Distribution { ascending, mean, sd }
    }

    /// Mean; scikit-image's `intensity_mean`.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Standard deviation, divided by the number of pixels; scikit-image's `intensity_std`.
    pub fn sd(&self) -> f64 {
        self.sd
    }

    /// Value below which a share of the pixels lie, by linear interpolation; numpy's `quantile`. A share outside 0 … 1 is
    /// taken as the nearer end.
    pub fn quantile(&self, share: f64) -> f64 {
        let last = self.ascending.len() - 1;
        let place = (share * last as f64).clamp(0.0, last as f64);
        let below = place as usize;
        let (low, high) = (self.ascending[below], self.ascending[(below + 1).min(last)]);
        low + (high - low) * (place - below as f64)
    }

    /// Sum over the pixels.
    pub fn integrated(&self) -> f64 {
        self.mean * self.ascending.len() as f64
    }

    /// m₃ / m₂^1.5 with central moments divided by n; NaN where all are equal. scipy's `skew`.
    pub fn skewness(&self) -> f64 {
        let second = self.central(2);
        if self.is_flat(second) { f64::NAN } else { self.central(3) / second.powf(1.5) }
    }

    /// m₄ / m₂² − 3, 0 for a normal distribution; NaN where all are equal. scipy's `kurtosis` (Fisher's).
    pub fn kurtosis(&self) -> f64 {
        let second = self.central(2);
        if self.is_flat(second) { f64::NAN } else { self.central(4) / (second * second) - 3.0 }
    }

    fn central(&self, power: i32) -> f64 {
        self.ascending.iter().map(|value| (value - self.mean).powi(power)).sum::<f64>() / self.ascending.len() as f64
    }

    /// Whether only rounding makes a difference; scipy's rule.
    fn is_flat(&self, second: f64) -> bool {
        second <= (f64::EPSILON * self.mean).powi(2)
    }

    /// These numbers by name.
    pub(super) fn features(&self) -> Vec<(String, f64)> {
        named([
            ("intensity_mean", self.mean),
            ("intensity_sd", self.sd),
            ("intensity_min", self.quantile(0.0)),
            ("intensity_max", self.quantile(1.0)),
            ("intensity_q25", self.quantile(0.25)),
            ("intensity_q50", self.quantile(0.5)),
            ("intensity_q75", self.quantile(0.75)),
            ("intensity_integrated", self.integrated()),
            ("intensity_skewness", self.skewness()),
            ("intensity_kurtosis", self.kurtosis()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::rectangle;

    fn distribution(values: &[f32]) -> Distribution {
        let rectangle = rectangle(1, values.len());
        let nucleus = rectangle.nucleus();
        Distribution::new(&Stain::new(&nucleus, values).unwrap())
    }

    #[test]
    fn moments_and_quantiles_are_those_counted_by_hand() {
        let found = distribution(&[4.0, 0.0, 1.0, 3.0]);
        assert_eq!((found.mean(), found.integrated()), (2.0, 8.0));
        assert_eq!((found.sd(), found.skewness()), (2.5_f64.sqrt(), 0.0));
        assert_eq!(found.kurtosis(), 8.5 / 6.25 - 3.0);
        assert_eq!((found.quantile(0.25), found.quantile(0.5), found.quantile(0.75)), (0.75, 2.0, 3.25));
        assert_eq!((found.quantile(-1.0), found.quantile(2.0)), (0.0, 4.0));
        let right = distribution(&[0.0, 0.0, 0.0, 4.0]);
        assert!((right.skewness() - 6.0 / 3_f64.powf(1.5)).abs() < 1e-15, "{}", right.skewness());
    }

    #[test]
    fn equal_intensities_have_no_skewness() {
        for found in [distribution(&[0.1; 7]), distribution(&[0.0; 3]), distribution(&[5.0])] {
            assert!(found.skewness().is_nan() && found.kurtosis().is_nan(), "{found:?}");
        }
    }
}
