//! The pixels of one nucleus in an image.

use anyhow::{Result, ensure};
use std::ops::Range;

/// One nucleus: which pixels of an image belong to it. The pixels need not hang together, and may touch the border, beyond
/// which nothing belongs to it.
#[derive(Clone, Debug)]
pub struct Nucleus<'a> {
    height: usize,
    width: usize,
    mask: &'a [bool],
    rows: Range<usize>,
    columns: Range<usize>,
    runs: Vec<Run>,
    n_pixels: usize,
}

/// Neighbouring pixels of a nucleus in one row of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub row: usize,
    pub columns: Range<usize>,
}

/// The mask within the box around a nucleus, with a frame of pixels that do not belong to it.
pub(super) struct Framed {
    pub width: usize,
    pub mask: Vec<bool>,
}

impl<'a> Nucleus<'a> {
    /// The pixels for which the mask is set.
    ///
    /// # Shapes
    /// mask: height × width, row by row.
    ///
    /// # Errors
    /// When the mask is not of that size, or nowhere set.
    pub fn new(height: usize, width: usize, mask: &'a [bool]) -> Result<Nucleus<'a>> {
        ensure!(
            height.checked_mul(width) == Some(mask.len()),
            "the mask has {} pixels; expected {height} × {width}",
            mask.len()
        );
        let mut runs = Vec::new();
        for (row, pixels) in mask.chunks_exact(width.max(1)).enumerate() {
            let mut start = 0;
            for group in pixels.chunk_by(|left, right| left == right) {
                if group[0] {
                    runs.push(Run { row, columns: start..start + group.len() });
                }
                start += group.len();
            }
        }
        ensure!(
            !runs.is_empty(),
            "the mask of {height} × {width} pixels is empty; leave out labels that have no pixel"
        );
        let rows = runs[0].row..runs[runs.len() - 1].row + 1;
        let left = runs.iter().map(|run| run.columns.start).min().unwrap_or(0);
        let right = runs.iter().map(|run| run.columns.end).max().unwrap_or(0);
        let n_pixels = runs.iter().map(|run| run.columns.len()).sum();
        Ok(Nucleus { height, width, mask, rows, columns: left..right, runs, n_pixels })
    }

    /// Rows of the image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of the image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels of the image, row by row: whether they belong to the nucleus.
    pub fn mask(&self) -> &'a [bool] {
        self.mask
    }

    /// Pixels of the nucleus; scikit-image's `area`.
    pub fn n_pixels(&self) -> usize {
        self.n_pixels
    }

    /// Rows and columns of the smallest box around the nucleus; scikit-image's `bbox`.
    pub fn bounds(&self) -> (Range<usize>, Range<usize>) {
        (self.rows.clone(), self.columns.clone())
    }

    /// Pixels of the smallest box around the nucleus; scikit-image's `area_bbox`.
    pub fn bbox_area(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The pixels, row by row.
    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Indices of the pixels of the nucleus in its box, row by row.
    pub(super) fn pixels_in_box(&self) -> impl Iterator<Item = usize> + '_ {
        let width = self.columns.len();
        self.runs.iter().flat_map(move |run| {
            let start = (run.row - self.rows.start) * width;
            run.columns.clone().map(move |column| start + column - self.columns.start)
        })
    }

    /// The box with one pixel of frame on each side.
    pub(super) fn framed(&self) -> Framed {
        let width = self.columns.len() + 2;
        let mut mask = vec![false; width * (self.rows.len() + 2)];
        for run in &self.runs {
            let start = (run.row - self.rows.start + 1) * width + run.columns.start - self.columns.start + 1;
            mask[start..start + run.columns.len()].fill(true);
        }
        Framed { width, mask }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::drawn;

    #[test]
    fn runs_and_bounds_are_those_of_the_mask() {
        let drawn = drawn(&[".....", ".##.#", ".....", "...##"]);
        let nucleus = drawn.nucleus();
        assert_eq!((nucleus.n_pixels(), nucleus.bbox_area()), (5, 12));
        assert_eq!(nucleus.bounds(), (1..4, 1..5));
        let runs: Vec<_> = nucleus.runs().iter().map(|run| (run.row, run.columns.clone())).collect();
        assert_eq!(runs, [(1, 1..3), (1, 4..5), (3, 3..5)]);
        assert_eq!(nucleus.pixels_in_box().collect::<Vec<_>>(), [0, 1, 3, 10, 11]);
        assert_eq!(nucleus.framed().mask.iter().filter(|set| **set).count(), 5);
    }

    #[test]
    fn masks_of_another_size_and_empty_ones_are_refused() {
        let message = |result: Result<Nucleus<'_>>| result.unwrap_err().to_string();
        assert_eq!(message(Nucleus::new(2, 2, &[true; 3])), "the mask has 3 pixels; expected 2 × 2");
        assert!(message(Nucleus::new(1, 2, &[false; 2])).contains("is empty"));
        assert!(message(Nucleus::new(0, 0, &[])).contains("is empty"));
        assert!(Nucleus::new(usize::MAX, 2, &[true]).is_err());
    }
}
