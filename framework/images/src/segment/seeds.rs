//! Seeds: the middles of nuclei.

use std::collections::{HashMap, VecDeque};

/// Places of the peaks of a map of distances, highest first, none nearer to a higher one than `min_distance` pixels.
///
/// A peak is above 0 and as high as everything in a square of `2 · min_distance + 1` pixels around it; of equal ones the
/// first in reading order comes first. Distances between peaks are the larger of rows and columns. The same as
/// scikit-image's `peak_local_max(exclude_border=False)`.
///
/// # Shapes
/// `heights`: `size.0 × size.1`, row by row.
pub fn seeds(heights: &[f64], size: (usize, usize), min_distance: usize) -> Vec<usize> {
    let highest = highest_around(heights, size, min_distance);
    let mut peaks: Vec<usize> =
        (0..heights.len()).filter(|&at| heights[at] > 0.0 && heights[at] >= highest[at]).collect();
    peaks.sort_by(|&a, &b| heights[b].total_cmp(&heights[a]));
    if min_distance > 1 { spaced(&peaks, size.1, min_distance) } else { peaks }
}

/// The largest value in a square around each pixel.
fn highest_around(heights: &[f64], (height, width): (usize, usize), reach: usize) -> Vec<f64> {
    let mut along_rows = vec![0.0; heights.len()];
    for (source, target) in heights.chunks_exact(width).zip(along_rows.chunks_exact_mut(width)) {
        sliding_maximum(source, reach, target);
    }
    let mut highest = vec![0.0; heights.len()];
    let (mut column, mut result) = (vec![0.0; height], vec![0.0; height]);
    for x in 0..width {
        column.iter_mut().enumerate().for_each(|(y, value)| *value = along_rows[y * width + x]);
        sliding_maximum(&column, reach, &mut result);
        result.iter().enumerate().for_each(|(y, &value)| highest[y * width + x] = value);
    }
    highest
}

/// The largest value within `reach` of each place, in one pass: candidates wait in falling order.
fn sliding_maximum(values: &[f64], reach: usize, target: &mut [f64]) {
    let mut waiting: VecDeque<usize> = VecDeque::new();
    let mut next = 0;
    for (place, target) in target.iter_mut().enumerate() {
        while next < values.len() && next <= place + reach {
            while waiting.back().is_some_and(|&last| values[last] <= values[next]) {
                waiting.pop_back();
            }
            waiting.push_back(next);
            next += 1;
        }
        while waiting.front().is_some_and(|&first| first + reach < place) {
            waiting.pop_front();
        }
        *target = waiting.front().map_or(values[place], |&first| values[first]);
    }
}

/// The peaks that are not nearer than `spacing` to one before them; met in squares of that side, so that only
/// neighbouring squares are searched.
fn spaced(peaks: &[usize], width: usize, spacing: usize) -> Vec<usize> {
    let mut squares: HashMap<(usize, usize), Vec<usize>> = HashMap::new();
    let mut kept = Vec::new();
    for &peak in peaks {
        let (row, column) = (peak / width, peak % width);
        let (y, x) = (row / spacing, column / spacing);
        let near = (y.saturating_sub(1)..=y + 1).flat_map(|y| (x.saturating_sub(1)..=x + 1).map(move |x| (y, x)));
        let mut others = near.filter_map(|square| squares.get(&square)).flatten();
        let is_near =
            |&&other: &&usize| (other / width).abs_diff(row) < spacing && (other % width).abs_diff(column) < spacing;
        if !others.any(|other| is_near(&other)) {
            squares.entry((y, x)).or_default().push(peak);
            kept.push(peak);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_of_near_peaks_stays() {
        let mut heights = vec![0.0; 9 * 9];
        heights[2 * 9 + 2] = 3.0;
        heights[2 * 9 + 4] = 5.0;
        heights[7 * 9 + 7] = 1.0;
        assert_eq!(seeds(&heights, (9, 9), 2), [22, 70]);
        assert_eq!(seeds(&heights, (9, 9), 1), [22, 20, 70]);
        // equal ones: the first in reading order
        heights[2 * 9 + 3] = 5.0;
        assert_eq!(seeds(&heights, (9, 9), 3), [21, 70]);
    }

    #[test]
    fn the_sliding_maximum_is_that_of_a_search() {
        let values: Vec<f64> = (0..40).map(|n| f64::from(n * 17 % 23)).collect();
        for reach in 0..12 {
            let mut found = vec![0.0; values.len()];
            sliding_maximum(&values, reach, &mut found);
            for (place, value) in found.iter().enumerate() {
                let around = &values[place.saturating_sub(reach)..(place + reach + 1).min(values.len())];
                assert_eq!(*value, around.iter().copied().fold(f64::MIN, f64::max), "reach {reach}, place {place}");
            }
        }
    }
}
