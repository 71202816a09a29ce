//! Silhouette of labels: whether cells of one label lie together.

use anyhow::Result;
use tch::Tensor;

use crate::score::Score;
use crate::silhouette::silhouette;

/// Mean silhouette of the labels, (s + 1) / 2: 0 … 1, higher is better, 0.5 for labels that mix.
///
/// Above [`crate::MAX_PAIRED_CELLS`] cells, of a seeded random subset.
///
/// # Shapes
/// space: n_cells × n_dimensions; labels: one per cell.
///
/// # Errors
/// As [`crate::silhouette`](fn@crate::silhouette).
///
/// # Source
/// Luecken et al. 2022; scib-metrics 0.5.10 `silhouette_label`.
pub fn silhouette_label(space: &Tensor, labels: &[u32], seed: u64) -> Result<Score> {
    let found = silhouette(space, labels, seed)?;
    Ok(Score { value: (found.mean + 1.0) / 2.0, n_cells_used: found.n_cells_used, n_cells: found.n_cells })
}
