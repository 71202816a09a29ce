//! Structural similarity of two images (Wang et al. 2004).

use super::ImageForm;

/// Standard deviation of the window, in pixels.
const SIGMA: f64 = 1.5;
/// Pixels of the window on each side of its middle: 3.5 σ.
const RADIUS: usize = 5;
const WINDOW: usize = 2 * RADIUS + 1;
/// (K1 L)² and (K2 L)² with K1 = 0.01, K2 = 0.03 and a data range L of 1.
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// Mean over all places where the whole window lies inside the image, and over channels; `None` where there is no such place.
pub(super) fn structural_similarity(x: &[f32], y: &[f32], form: ImageForm) -> Option<f64> {
    if form.height < WINDOW || form.width < WINDOW {
        return None;
    }
    let n = form.height * form.width;
    let weights = weights();
    let channels = x.chunks_exact(n).zip(y.chunks_exact(n)).map(|(x, y)| of_channel(x, y, form.width, &weights));
    Some(channels.sum::<f64>() / form.channels as f64)
}

fn of_channel(x: &[f32], y: &[f32], width: usize, weights: &[f64; WINDOW]) -> f64 {
    let pairs = || x.iter().zip(y).map(|(x, y)| (f64::from(*x), f64::from(*y)));
    let mean = |of: fn((f64, f64)) -> f64| averaged(&pairs().map(of).collect::<Vec<_>>(), width, weights);
    let (mean_x, mean_y) = (mean(|(x, _)| x), mean(|(_, y)| y));
    let (xx, yy, xy) = (mean(|(x, _)| x * x), mean(|(_, y)| y * y), mean(|(x, y)| x * y));
    let at = |place: usize| {
        let (ux, uy) = (mean_x[place], mean_y[place]);
        let (vx, vy, vxy) = (xx[place] - ux * ux, yy[place] - uy * uy, xy[place] - ux * uy);
        ((2.0 * ux * uy + C1) * (2.0 * vxy + C2)) / ((ux * ux + uy * uy + C1) * (vx + vy + C2))
    };
    (0..mean_x.len()).map(at).sum::<f64>() / mean_x.len() as f64
}

/// Weighted means over the window about each place at which it lies inside the image: along columns, then along rows.
fn averaged(image: &[f64], width: usize, weights: &[f64; WINDOW]) -> Vec<f64> {
    let height = image.len() / width;
    let mut down = vec![0.0; (height - 2 * RADIUS) * width];
    for (row, sums) in down.chunks_exact_mut(width).enumerate() {
        for (offset, weight) in weights.iter().enumerate() {
            let values = &image[(row + offset) * width..][..width];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
        }
    }
    let across = |row: &[f64]| -> Vec<f64> {
        row.windows(WINDOW)
            .map(|values| values.iter().zip(weights).map(|(value, weight)| value * weight).sum())
            .collect()
    };
    down.chunks_exact(width).flat_map(across).collect()
}

fn weights() -> [f64; WINDOW] {
    let weights: [f64; WINDOW] = std::array::from_fn(|place| {
        let distance = place as f64 - RADIUS as f64;
        (-0.5 * distance * distance / (SIGMA * SIGMA)).exp()
    });
    let total: f64 = weights.iter().sum();
    weights.map(|weight| weight / total)
}
