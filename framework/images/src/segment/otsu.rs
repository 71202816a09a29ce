//! Otsu's threshold.

/// Number of bins of the histogram.
const N_BINS: usize = 256;

/// The threshold that parts pixels into two classes of greatest variance between them (Otsu 1979).
///
/// The middle of one of 256 equal bins from the smallest to the largest pixel, as in scikit-image's `threshold_otsu` of
/// real numbers. A constant image has its only value.
pub fn otsu(pixels: &[f64]) -> f64 {
    let low = pixels.iter().copied().fold(f64::INFINITY, f64::min);
    let high = pixels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low >= high {
        return low;
    }
    let edge = |bin: usize| if bin == N_BINS { high } else { low + bin as f64 * ((high - low) / N_BINS as f64) };
    let edges: Vec<f64> = (0..=N_BINS).map(edge).collect();
    let middles: Vec<f64> = edges.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
    let counts = histogram(pixels, &edges);
    middles[widest(&counts, &middles)]
}

/// Pixels in each bin; a bin holds its lower edge, the last one both.
fn histogram(pixels: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut counts = vec![0.0; N_BINS];
    let (low, high) = (edges[0], edges[N_BINS]);
    for &pixel in pixels {
        let mut bin = (((pixel - low) / (high - low) * N_BINS as f64) as usize).min(N_BINS - 1);
        // the division above may round across an edge
        if pixel < edges[bin] {
            bin -= 1;
        } else if bin + 1 < N_BINS && pixel >= edges[bin + 1] {
            bin += 1;
        }
        counts[bin] += 1.0;
    }
    counts
}

/// The first bin after which parting the histogram gives the greatest variance between classes.
fn widest(counts: &[f64], middles: &[f64]) -> usize {
    let n_pixels: f64 = counts.iter().sum();
    let total: f64 = counts.iter().zip(middles).map(|(count, middle)| count * middle).sum();
    let (mut n_below, mut sum_below) = (0.0, 0.0);
    let (mut best, mut greatest) = (0, f64::NEG_INFINITY);
    for bin in 0..N_BINS - 1 {
        n_below += counts[bin];
        sum_below += counts[bin] * middles[bin];
        let n_above = n_pixels - n_below;
        let apart = sum_below / n_below - (total - sum_below) / n_above;
        let variance = n_below * n_above * apart * apart;
        if variance > greatest {
            (best, greatest) = (bin, variance);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_heaps_are_parted_between() {
        let pixels: Vec<f64> =
            (0..100).map(|n| if n < 70 { f64::from(n % 7) } else { 200.0 + f64::from(n % 5) }).collect();
        let threshold = otsu(&pixels);
        // the middle of the bin that holds 6, the last of the lower heap
        assert!((threshold - 6.0).abs() < 204.0 / 256.0, "{threshold}");
        let twice: Vec<f64> = pixels.iter().map(|value| 2.0 * value + 5.0).collect();
        assert!((otsu(&twice) - (2.0 * threshold + 5.0)).abs() < 1e-9);
        assert_eq!(otsu(&[4.0, 4.0]), 4.0);
    }
}
