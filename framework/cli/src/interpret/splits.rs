//! Which cells are held out.

use analysis::CellSplit;
use anyhow::Result;
use std::collections::BTreeSet;

/// Share of the cells, or of the groups of cells, that each split holds out.
pub(super) const TEST_SHARE: f64 = 0.2;

/// Splits of some cells: of cells at random, or of groups, such as donors, as a whole; `groups` has one entry per cell.
///
/// # Errors
/// When there are fewer than two cells, or groups.
pub(super) fn splits(n_cells: usize, groups: Option<&[u32]>, n_splits: usize) -> Result<Vec<CellSplit>> {
    let draw = |seed: u64| match groups {
        None => CellSplit::random(n_cells, TEST_SHARE, seed),
        Some(groups) => {
            let n_groups = groups.iter().collect::<BTreeSet<_>>().len();
            let n_held_out = ((n_groups as f64 * TEST_SHARE).round() as usize).max(1);
            CellSplit::by_group(groups, n_held_out, seed)
        }
    };
    (0..n_splits as u64).map(draw).collect()
}
