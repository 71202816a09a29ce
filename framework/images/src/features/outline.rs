//! Length and number of the borders of a nucleus, from the pixels around each corner.

use super::nucleus::Nucleus;
use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

/// Length of the border: each border pixel (one with a 4-neighbour outside) adds 1, √2 or (1 + √2) / 2 by how its border
/// neighbours lie; holes count, a single pixel has none.
///
/// Equals `skimage.measure.perimeter(mask, neighborhood=4)`.
///
/// # Units
/// Pixels.
///
/// # Source
/// Benkrid and Crookes, Design and FPGA implementation of a perimeter estimator, 2000.
pub fn perimeter(nucleus: &Nucleus<'_>) -> f64 {
    let framed = nucleus.framed();
    let (width, mask) = (framed.width, &framed.mask);
    let is_border = |place: usize| {
        mask[place] && !(mask[place - 1] && mask[place + 1] && mask[place - width] && mask[place + width])
    };
    // the frame is no border, and has no neighbours above or below
    let inner = width..mask.len() - width;
    let mut border = vec![0_usize; mask.len()];
    for place in inner.clone().filter(|&place| is_border(place)) {
        border[place] = 1;
    }
    let (mut n_straight, mut n_diagonal, mut n_both) = (0_usize, 0_usize, 0_usize);
    for place in inner.filter(|&place| border[place] == 1) {
        let beside = border[place - 1] + border[place + 1] + border[place - width] + border[place + width];
        let above = border[place - width - 1] + border[place - width + 1];
        let below = border[place + width - 1] + border[place + width + 1];
        match 1 + 2 * beside + 10 * (above + below) {
            5 | 7 | 15 | 17 | 25 | 27 => n_straight += 1,
            21 | 33 => n_diagonal += 1,
            13 | 23 => n_both += 1,
            _ => {}
        }
    }
    n_straight as f64 + n_diagonal as f64 * SQRT_2 + n_both as f64 * f64::midpoint(1.0, SQRT_2)
}

/// Length of the border by Crofton's formula: crossings of lines in four directions with it.
///
/// Equals `skimage.measure.perimeter_crofton(mask, directions=4)`.
///
/// # Units
/// Pixels.
pub fn perimeter_crofton(nucleus: &Nucleus<'_>) -> f64 {
    let one = PI / 4.0 * (1.0 + FRAC_1_SQRT_2);
    let (quarter, eighth) = (PI / 4.0, PI / 4.0 * FRAC_1_SQRT_2);
    let weights = [
        0.0,
        one,
        eighth,
        2.0 * eighth,
        0.0,
        one,
        0.0,
        eighth,
        quarter,
        2.0 * quarter,
        eighth,
        eighth,
        quarter,
        2.0 * quarter,
        0.0,
        0.0,
    ];
    corners(nucleus).iter().zip(weights).map(|(&n_corners, weight)| n_corners as f64 * weight).sum()
}

/// Pieces less holes, where pixels that touch at a corner hang together.
///
/// Equals `skimage.measure.euler_number(mask, connectivity=2)`.
pub fn euler_number(nucleus: &Nucleus<'_>) -> i64 {
    let weights = [0, 0, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0, -1, 0];
    corners(nucleus).iter().zip(weights).map(|(&n_corners, weight)| n_corners * weight).sum()
}

/// How often the four pixels around a corner are set in each of the 16 ways: lower right 1, upper right 2, lower left 4,
/// upper left 8.
fn corners(nucleus: &Nucleus<'_>) -> [i64; 16] {
    let framed = nucleus.framed();
    let mut counts = [0; 16];
    let rows = framed.mask.chunks_exact(framed.width);
    for (upper, lower) in rows.clone().zip(rows.skip(1)) {
        for (upper, lower) in upper.windows(2).zip(lower.windows(2)) {
            let pattern = [lower[1], upper[1], lower[0], upper[0]];
            counts[pattern.iter().rev().fold(0, |code, &is_set| 2 * code + usize::from(is_set))] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{disc, drawn, rectangle};

    #[test]
    fn holes_and_pieces_are_counted() {
        let euler = |rows: &[&str]| euler_number(&drawn(rows).nucleus());
        assert_eq!(euler(&["#"]), 1);
        assert_eq!(euler(&["###", "#.#", "###"]), 0);
        assert_eq!(euler(&["#.#"]), 2);
        assert_eq!(euler(&["#.", ".#"]), 1, "a shared corner joins");
        assert_eq!(euler(&[".#.", "#.#", ".#."]), 0, "and closes a hole");
    }

    #[test]
    fn a_rectangle_is_measured_between_the_centres_of_its_border_pixels() {
        assert_eq!(perimeter(&rectangle(10, 20).nucleus()), 2.0 * (9.0 + 19.0));
        assert_eq!(perimeter(&rectangle(1, 1).nucleus()), 0.0);
        assert!((perimeter_crofton(&rectangle(1, 1).nucleus()) - PI * (1.0 + FRAC_1_SQRT_2) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_disc_has_about_its_circumference() {
        let disc = disc(101, 40.0);
        let expected = 2.0 * PI * 40.0;
        assert!((perimeter(&disc.nucleus()) / expected - 1.0).abs() < 0.06);
        assert!((perimeter_crofton(&disc.nucleus()) / expected - 1.0).abs() < 0.01);
    }
}
