//! A number that judges a space, with the number of cells behind it.

use anyhow::{Result, ensure};
use serde::Serialize;

/// Scores that compare all pairs of cells take a seeded random subset of this size where there are more.
pub const MAX_PAIRED_CELLS: usize = crate::silhouette::MAX_SILHOUETTE_CELLS;

/// A score of a space.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The score; its range and direction stand with the function.
    pub value: f64,
    /// Cells used: all, or a seeded random subset.
    pub n_cells_used: usize,
    /// Cells given.
    pub n_cells: usize,
}

/// Refuses codes that are not one per cell.
pub(crate) fn check_codes(n_cells: usize, codes: &[&[u32]]) -> Result<()> {
    for of_cells in codes {
        ensure!(
            of_cells.len() == n_cells && n_cells > 0,
            "{} labels for {n_cells} cells; expected one per cell, at least one",
            of_cells.len()
        );
    }
    Ok(())
}
