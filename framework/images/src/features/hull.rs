//! The convex hull of a nucleus.

use super::nucleus::Nucleus;

/// The convex hull of a nucleus: all pixels whose centre is in the smallest convex polygon around the nucleus.
///
/// The polygon holds the middles of the four sides of each pixel of the nucleus, so that a pixel has some extent;
/// scikit-image's `convex_hull_image` with its defaults (`offset_coordinates`, `include_borders`). Corners are multiples
/// of a half and all decisions are made in whole numbers.
#[derive(Clone, Debug)]
pub struct Hull {
    /// First and last column of the hull in each row of the nucleus's box.
    rows: Vec<(i64, i64)>,
}

/// A point in half pixels: (row, column).
type Point = (i64, i64);

impl Hull {
    /// The hull of a nucleus.
    pub fn new(nucleus: &Nucleus<'_>) -> Hull {
        let (rows, _) = nucleus.bounds();
        let ends = nucleus.runs().iter().map(|run| {
            let row = (run.row - rows.start) as i64;
            (row, run.columns.start as i64, run.columns.end as i64 - 1)
        });
        Hull { rows: columns_inside(&polygon(ends), rows.len()) }
    }

    /// Pixels of the hull; scikit-image's `area_convex`.
    pub fn area(&self) -> usize {
        self.rows.iter().map(|(first, last)| (last - first + 1) as usize).sum()
    }

    /// Largest distance of two points of the hull's border, which runs half way between its pixels and their neighbours
    /// outside; scikit-image's `feret_diameter_max`.
    ///
    /// # Units
    /// Pixels.
    pub fn feret_diameter_max(&self) -> f64 {
        let ends = self.rows.iter().enumerate().map(|(row, &(first, last))| (row as i64, first, last));
        let corners = polygon(ends);
        // corners of a hull of whole numbers are few: about the perimeter to the power 2/3
        let squared = |(row, column): Point, other: Point| (row - other.0).pow(2) + (column - other.1).pow(2);
        let pairs = corners.iter().enumerate().flat_map(|(n, &one)| corners[n..].iter().map(move |&two| (one, two)));
        let largest = pairs.map(|(one, two)| squared(one, two)).max().unwrap_or(0);
        (largest as f64).sqrt() / 2.0
    }
}

/// Corners of the smallest convex polygon around the sides of pixels: (row, first column, last column) of each run.
fn polygon(runs: impl Iterator<Item = (i64, i64, i64)>) -> Vec<Point> {
    let mut points = Vec::new();
    for (row, first, last) in runs {
        let (row, first, last) = (2 * row, 2 * first, 2 * last);
        points.extend([(row, first - 1), (row, last + 1)]);
        for column in [first, last] {
            points.extend([(row - 1, column), (row + 1, column)]);
        }
    }
    points.sort_unstable();
    points.dedup();
    let mut corners = half_hull(points.iter().copied());
    let back = half_hull(points.iter().rev().copied());
    // each half ends where the other starts
    corners.pop();
    corners.extend(&back[..back.len() - 1]);
    corners
}

/// The corners on one side of the line from the first to the last of sorted points (Andrew's monotone chain).
fn half_hull(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut corners: Vec<Point> = Vec::new();
    for point in points {
        while let [.., before, last] = corners[..] {
            let turn = (last.0 - before.0) * (point.1 - before.1) - (last.1 - before.1) * (point.0 - before.0);
            if turn > 0 {
                break;
            }
            corners.pop();
        }
        corners.push(point);
    }
    corners
}

/// First and last column whose pixel centre is in a convex polygon or on its border, for each row from 0.
fn columns_inside(corners: &[Point], n_rows: usize) -> Vec<(i64, i64)> {
    let mut rows = vec![(i64::MAX, i64::MIN); n_rows];
    let next = corners.iter().cycle().skip(1);
    for (&one, &two) in corners.iter().zip(next) {
        let (upper, lower) = if one.0 < two.0 { (one, two) } else { (two, one) };
        let height = lower.0 - upper.0;
        if height == 0 {
            continue;
        }
        let first = (upper.0 + 1).div_euclid(2).max(0);
        let last = lower.0.div_euclid(2).min(n_rows as i64 - 1);
        for row in first..=last {
            // where the side crosses the row, as a fraction of pixels
            let numerator = upper.1 * height + (lower.1 - upper.1) * (2 * row - upper.0);
            let denominator = 2 * height;
            let columns = &mut rows[row as usize];
            columns.0 = columns.0.min(-(-numerator).div_euclid(denominator));
            columns.1 = columns.1.max(numerator.div_euclid(denominator));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{drawn, rectangle};

    #[test]
    fn what_is_convex_is_its_own_hull() {
        for (height, width) in [(1, 1), (1, 7), (5, 1), (4, 6)] {
            assert_eq!(Hull::new(&rectangle(height, width).nucleus()).area(), height * width);
        }
        let diamond = drawn(&["..#..", ".###.", "#####", ".###.", "..#.."]);
        assert_eq!(Hull::new(&diamond.nucleus()).area(), 13);
    }

    #[test]
    fn notches_and_gaps_are_filled() {
        let hull = |rows: &[&str]| Hull::new(&drawn(rows).nucleus()).area();
        assert_eq!(hull(&["###", "#..", "###"]), 9);
        assert_eq!(hull(&["#...#"]), 5);
        assert_eq!(hull(&["#..", "...", "..#"]), 3, "the diagonal only");
        assert_eq!(hull(&["#.", "..", "..", "#."]), 4, "empty rows, too");
    }

    #[test]
    fn the_longest_distance_runs_between_sides_of_pixels() {
        let feret = |height, width| Hull::new(&rectangle(height, width).nucleus()).feret_diameter_max();
        assert_eq!(feret(1, 1), 1.0);
        assert_eq!(feret(1, 7), 7.0);
        // from the left side of one corner pixel to the right side of the opposite one: 4 columns and 2 rows apart
        assert_eq!(feret(3, 4), 20_f64.sqrt());
    }
}
