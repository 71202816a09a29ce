//! Texture: how often grey levels meet at a distance.

use super::grey::GreyLevels;
use std::f64::consts::FRAC_PI_4;

/// Farther than any nucleus is wide.
const MAX_DISTANCE_PIXELS: usize = 1 << 30;

/// Pairs of grey levels at one distance in one direction, counted both ways: scikit-image's `graycomatrix` with `symmetric`
/// and `normed`. Only pairs with both pixels inside the mask count, so that the outline is no texture; for a mask that is a
/// whole rectangle the two are equal.
#[derive(Clone, Debug)]
pub struct Glcm {
    n_levels: usize,
    /// Pairs (first, second) at `first * (n_levels + 1) + second`; the last level is "outside the mask".
    counts: Vec<u32>,
}

/// Haralick's measures of texture, P being the share of pairs with levels i and j; scikit-image's `graycoprops`.
///
/// # Source
/// Haralick, Shanmugam and Dinstein, Textural features for image classification, 1973.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Texture {
    /// Σ P (i − j)².
    pub contrast: f64,
    /// Σ P |i − j|.
    pub dissimilarity: f64,
    /// Σ P / (1 + (i − j)²).
    pub homogeneity: f64,
    /// Angular second moment Σ P².
    pub asm: f64,
    /// √(Σ P²), the square root being taken before directions are averaged.
    pub energy: f64,
    /// Σ P (i − μ)(j − μ) / σ², from −1 to 1; 1 where only one level occurs, as scikit-image has it.
    pub correlation: f64,
}

impl Glcm {
    /// Counts pairs at a distance in the direction of an angle, rounded to whole rows and columns as scikit-image does.
    ///
    /// # Units
    /// distance: pixels; angle: radians, from the columns' axis towards higher rows.
    pub fn new(levels: &GreyLevels<'_>, distance: usize, angle: f64) -> Glcm {
        let (n_levels, width) = (levels.n_levels(), levels.width());
        let stride = n_levels + 1;
        let mut counts = vec![0_u32; stride * stride];
        let distance = distance.min(MAX_DISTANCE_PIXELS) as f64;
        let n_rows_on = (angle.sin() * distance).round() as isize;
        let n_columns_on = (angle.cos() * distance).round() as isize;
        // counted both ways in the end: the second pixel is always in a later row
        let (n_rows_on, n_columns_on) =
            if n_rows_on < 0 { (-n_rows_on, -n_columns_on) } else { (n_rows_on, n_columns_on) };
        let shift = n_columns_on.unsigned_abs();
        let rows = levels.in_box().chunks_exact(width);
        for (first, second) in rows.clone().zip(rows.skip(n_rows_on.unsigned_abs())) {
            let Some(n_pairs) = width.checked_sub(shift) else { break };
            let (first, second) = if n_columns_on < 0 {
                (&first[shift..], &second[..n_pairs])
            } else {
                (&first[..n_pairs], &second[shift..])
            };
            for (&first, &second) in first.iter().zip(second) {
                counts[usize::from(first) * stride + usize::from(second)] += 1;
            }
        }
        Glcm { n_levels, counts }
    }

    /// Measures of the pairs; `None` where there is no pair.
    pub fn texture(&self) -> Option<Texture> {
        let n_levels = self.n_levels;
        let count = |one: usize, two: usize| u64::from(self.counts[one * (n_levels + 1) + two]);
        let (mut by_difference, mut marginal) = (vec![0_u64; n_levels], vec![0_u64; n_levels]);
        let (mut n_squared, mut products) = (0_u128, 0_u128);
        for one in 0..n_levels {
            for two in one..n_levels {
                // both ways; a pair of equal levels is then in one entry twice
                let n = count(one, two) + count(two, one);
                if n == 0 {
                    continue;
                }
                let n_entries = if one == two { 1 } else { 2 };
                by_difference[two - one] += n * n_entries;
                marginal[one] += n;
                marginal[two] += n * (n_entries - 1);
                n_squared += u128::from(n * n * n_entries);
                products += u128::from(n * n_entries) * (one * two) as u128;
            }
        }
        let total: u64 = marginal.iter().sum();
        let shares = by_difference.iter().enumerate().map(|(step, &n)| (step as f64, n as f64 / total as f64));
        let asm = n_squared as f64 / (total as f64).powi(2);
        (total > 0).then(|| Texture {
            contrast: shares.clone().map(|(step, share)| share * step * step).sum(),
            dissimilarity: shares.clone().map(|(step, share)| share * step).sum(),
            homogeneity: shares.map(|(step, share)| share / (1.0 + step * step)).sum(),
            asm,
            energy: asm.sqrt(),
            correlation: correlation(&marginal, products),
        })
    }
}

/// Correlation of the two levels of a pair, from how often each level occurs and the sum of the products; in whole numbers.
fn correlation(marginal: &[u64], products: u128) -> f64 {
    let sum = |power: u32| -> i128 {
        marginal.iter().enumerate().map(|(level, &n)| i128::from(n) * (level as i128).pow(power)).sum()
    };
    let (n, mean, square) = (sum(0), sum(1), sum(2));
    let variance = n * square - mean * mean;
    if variance == 0 { 1.0 } else { (n * products as i128 - mean * mean) as f64 / variance as f64 }
}

impl Texture {
    /// Means over the directions 0°, 45°, 90° and 135° that have a pair at this distance; all NaN where none has.
    ///
    /// # Units
    /// distance: pixels.
    pub fn new(levels: &GreyLevels<'_>, distance: usize) -> Texture {
        let angles = (0..4).map(|quarter| f64::from(quarter) * FRAC_PI_4);
        let found: Vec<Texture> = angles.filter_map(|angle| Glcm::new(levels, distance, angle).texture()).collect();
        let mean = |of: fn(&Texture) -> f64| found.iter().map(of).sum::<f64>() / found.len() as f64;
        Texture {
            contrast: mean(|texture| texture.contrast),
            dissimilarity: mean(|texture| texture.dissimilarity),
            homogeneity: mean(|texture| texture.homogeneity),
            asm: mean(|texture| texture.asm),
            energy: mean(|texture| texture.energy),
            correlation: mean(|texture| texture.correlation),
        }
    }

    /// These numbers by name.
    pub(super) fn features(&self, distance: usize) -> Vec<(String, f64)> {
        let features = [
            ("contrast", self.contrast),
            ("dissimilarity", self.dissimilarity),
            ("homogeneity", self.homogeneity),
            ("asm", self.asm),
            ("energy", self.energy),
            ("correlation", self.correlation),
        ];
        features.into_iter().map(|(name, value)| (format!("glcm_{name}_{distance}"), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::grey::GreyRange;
    use crate::features::stain::Stain;
    use crate::features::testing::{Drawn, drawn, rectangle};

    fn texture(drawn: &Drawn, intensity: &[f32], distance: usize, angle: Option<f64>) -> Option<Texture> {
        let nucleus = drawn.nucleus();
        let stain = Stain::new(&nucleus, intensity).unwrap();
        let levels = GreyLevels::new(&stain, GreyRange::Fixed { low: 0.0, high: 4.0 }, 4);
        match angle {
            Some(angle) => Glcm::new(&levels, distance, angle).texture(),
            None => Some(Texture::new(&levels, distance)),
        }
    }

    #[test]
    fn the_textbook_example_has_its_contrasts() {
        // Haralick's four rows; contrasts as counted by hand and as scikit-image's documentation prints them
        let intensity = [0, 0, 1, 1, 0, 0, 1, 1, 0, 2, 2, 2, 2, 2, 3, 3].map(|value| value as f32);
        let contrast = |distance, angle| texture(&rectangle(4, 4), &intensity, distance, Some(angle)).unwrap().contrast;
        assert!((contrast(1, 0.0) - 7.0 / 12.0).abs() < 1e-15);
        assert!((contrast(1, 2.0 * FRAC_PI_4) - 1.0).abs() < 1e-15);
        assert!((contrast(2, 0.0) - 1.25).abs() < 1e-15);
        assert!((contrast(2, 2.0 * FRAC_PI_4) - 2.75).abs() < 1e-15);
    }

    #[test]
    fn pairs_that_leave_the_mask_are_not_counted() {
        let with_gap = drawn(&["##.##"]);
        let found = texture(&with_gap, &[0.0, 0.0, 3.0, 1.0, 1.0], 1, Some(0.0)).unwrap();
        assert_eq!((found.contrast, found.asm, found.correlation), (0.0, 0.5, 1.0));
        let across = texture(&with_gap, &[0.0, 0.0, 3.0, 1.0, 1.0], 3, Some(0.0)).unwrap();
        assert_eq!((across.contrast, across.homogeneity, across.correlation), (1.0, 0.5, -1.0));
    }

    #[test]
    fn directions_without_a_pair_are_left_out_of_the_mean() {
        let row = rectangle(1, 3);
        let one_row = texture(&row, &[0.0, 2.0, 0.0], 1, None).unwrap();
        assert_eq!(Some(one_row), texture(&row, &[0.0, 2.0, 0.0], 1, Some(0.0)));
        assert_eq!((one_row.contrast, one_row.dissimilarity), (4.0, 2.0));
        let too_far = texture(&row, &[0.0, 2.0, 0.0], 20, None).unwrap();
        assert!(too_far.contrast.is_nan() && too_far.energy.is_nan());
    }
}
