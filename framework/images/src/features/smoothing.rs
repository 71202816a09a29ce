//! Gaussian smoothing of the inside of a nucleus, to which nothing outside it adds.

use super::nucleus::Nucleus;

/// Standard deviations at which the bell is cut off; scipy's `truncate`.
const REACH: f64 = 4.0;

/// Values inside a nucleus, smoothed: G∗(m v) / G∗m, where G is a Gaussian and m the mask; row by row, as the values are.
pub(super) fn smoothed(nucleus: &Nucleus<'_>, values: &[f64], sigma: f64) -> Vec<f64> {
    let (rows, columns) = nucleus.bounds();
    let width = columns.len();
    let bell = bell(sigma, rows.len().max(width));
    let spread = |values: &mut dyn Iterator<Item = f64>| {
        let mut image = vec![0.0; nucleus.bbox_area()];
        for (place, value) in nucleus.pixels_in_box().zip(values) {
            image[place] = value;
        }
        along_columns(&along_rows(&image, width, &bell), width, &bell)
    };
    let weighted = spread(&mut values.iter().copied());
    let weights = spread(&mut std::iter::repeat(1.0));
    nucleus.pixels_in_box().map(|place| weighted[place] / weights[place]).collect()
}

/// Weights from the middle outwards, as far as there are pixels; those of both sides sum to 1.
fn bell(sigma: f64, n_pixels: usize) -> Vec<f64> {
    let radius = ((REACH * sigma + 0.5) as usize).min(n_pixels);
    let heights: Vec<f64> = (0..=radius).map(|step| (-0.5 * (step as f64 / sigma).powi(2)).exp()).collect();
    let total = 2.0 * heights.iter().sum::<f64>() - heights[0];
    heights.into_iter().map(|height| height / total).collect()
}

fn along_rows(image: &[f64], width: usize, bell: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; image.len()];
    for (row, out) in image.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        add(out, row, bell[0]);
        for (step, &weight) in bell.iter().enumerate().skip(1).take(width - 1) {
            add(&mut out[step..], &row[..width - step], weight);
            add(&mut out[..width - step], &row[step..], weight);
        }
    }
    out
}

fn along_columns(image: &[f64], width: usize, bell: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; image.len()];
    add(&mut out, image, bell[0]);
    let n_rows = image.len() / width;
    for (step, &weight) in bell.iter().enumerate().skip(1).take(n_rows - 1) {
        let shift = step * width;
        add(&mut out[shift..], &image[..image.len() - shift], weight);
        add(&mut out[..image.len() - shift], &image[shift..], weight);
    }
    out
}

/// out += weight · values
fn add(out: &mut [f64], values: &[f64], weight: f64) {
    out.iter_mut().zip(values).for_each(|(out, value)| *out += weight * value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{disc, rectangle};

    #[test]
    fn what_is_flat_stays_flat_up_to_the_outline() {
        let disc = disc(15, 6.0);
        let nucleus = disc.nucleus();
        let values = vec![3.0; nucleus.n_pixels()];
        assert!(smoothed(&nucleus, &values, 2.0).iter().all(|value| (value - 3.0).abs() < 1e-14));
    }

    #[test]
    fn a_point_becomes_the_bell() {
        let rectangle = rectangle(1, 201);
        let nucleus = rectangle.nucleus();
        let mut values = vec![0.0; 201];
        values[100] = 1.0;
        let found = smoothed(&nucleus, &values, 3.0);
        assert!((found[100] / found[103] - 0.5_f64.exp()).abs() < 1e-12);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!((found[112] > 0.0, found[113]), (true, 0.0));
    }
}
