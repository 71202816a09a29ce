//! Gaussian smoothing.

/// A Gaussian is cut off this many standard deviations from its middle, as SciPy does.
const CUT: f64 = 4.0;

/// A plane smoothed by a Gaussian of a standard deviation in pixels; pixels at the border go on beyond it.
///
/// First along columns, then along rows, the two halves of the kernel added before they are weighed: the sums of SciPy's
/// `gaussian_filter(mode="nearest")`.
///
/// # Shapes
/// `pixels`: `size.0 × size.1`, row by row; so is the result.
pub fn gaussian(pixels: &[f64], size: (usize, usize), sigma: f64) -> Vec<f64> {
    let half = half_kernel(sigma);
    if half.len() == 1 {
        return pixels.to_vec();
    }
    along_rows(&along_columns(pixels, size, &half), size.1, &half)
}

/// The weights from the middle outwards; they and their mirror image sum to 1.
fn half_kernel(sigma: f64) -> Vec<f64> {
    if sigma <= 0.0 {
        return vec![1.0];
    }
    let radius = (CUT * sigma + 0.5) as usize;
    let weight = |place: usize| (-0.5 / (sigma * sigma) * (place * place) as f64).exp();
    let weights: Vec<f64> = (0..=radius).map(weight).collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    weights.iter().map(|weight| weight / total).collect()
}

fn along_columns(pixels: &[f64], (height, width): (usize, usize), half: &[f64]) -> Vec<f64> {
    let mut smoothed = vec![0.0; pixels.len()];
    let row_of = |row: usize| &pixels[row * width..(row + 1) * width];
    for (row, target) in smoothed.chunks_exact_mut(width).enumerate() {
        target.iter_mut().zip(row_of(row)).for_each(|(sum, value)| *sum = value * half[0]);
        for (offset, weight) in half.iter().enumerate().skip(1).rev() {
            let (above, below) = (row_of(row.saturating_sub(offset)), row_of((row + offset).min(height - 1)));
            for ((sum, above), below) in target.iter_mut().zip(above).zip(below) {
                *sum += (above + below) * weight;
            }
        }
    }
    smoothed
}

fn along_rows(pixels: &[f64], width: usize, half: &[f64]) -> Vec<f64> {
    let mut smoothed = vec![0.0; pixels.len()];
    let radius = half.len() - 1;
    let mut padded = vec![0.0; width + 2 * radius];
    for (source, target) in pixels.chunks_exact(width).zip(smoothed.chunks_exact_mut(width)) {
        padded[..radius].fill(source[0]);
        padded[radius..radius + width].copy_from_slice(source);
        padded[radius + width..].fill(source[width - 1]);
        target.iter_mut().zip(source).for_each(|(sum, value)| *sum = value * half[0]);
        for (offset, weight) in half.iter().enumerate().skip(1).rev() {
            let (left, right) = (&padded[radius - offset..], &padded[radius + offset..]);
            for ((sum, left), right) in target.iter_mut().zip(left).zip(right) {
                *sum += (left + right) * weight;
            }
        }
    }
    smoothed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_constants_are_kept() {
        let mut point = vec![0.0; 21 * 17];
        point[10 * 17 + 8] = 3.0;
        let smoothed = gaussian(&point, (21, 17), 1.5);
        assert!((smoothed.iter().sum::<f64>() - 3.0).abs() < 1e-12);
        assert!((smoothed[9 * 17 + 8] - smoothed[10 * 17 + 9]).abs() < 1e-15, "round");
        assert!(gaussian(&[5.0; 6], (2, 3), 4.0).iter().all(|value| (value - 5.0).abs() < 1e-12));
        assert_eq!(gaussian(&point, (21, 17), 0.0), point);
    }
}
