//! Which cells are held out.

use analysis::CellSplit;
use anyhow::Result;
use framework::data::{Split, Subset};
use std::collections::BTreeSet;

/// Share of the cells, or of the groups of cells, that each split holds out.
const TEST_SHARE: f64 = 0.2;
/// Fewer cells on either side are not judged.
const MIN_CELLS: usize = 20;
/// Splits where groups are held out.
const N_GROUPED_SPLITS: usize = 5;

/// Which cells are learned from, and which judge.
#[derive(Debug, Clone, Copy)]
pub struct HeldOut<'a> {
    /// The run's own split.
    pub split: &'a Split,
    /// The group of each cell of the data set, such as a donor, where groups are held out as a whole instead, in five splits;
    /// cells without a group are left out.
    pub groups: Option<&'a [Option<u32>]>,
    /// Seed of a random split, where the run's own has too few cells on a side.
    pub seed: u64,
}

impl HeldOut<'_> {
    /// Whether a cell of the data set can be on either side.
    pub(super) fn has(&self, cell: usize) -> bool {
        self.groups.is_none_or(|groups| groups[cell].is_some())
    }

    /// Splits of some cells of the data set, as places among them; none where they are too few.
    ///
    /// # Errors
    /// When groups cannot be held out.
    pub(super) fn splits(&self, cells: &[usize]) -> Result<Vec<CellSplit>> {
        let is_enough = |split: &CellSplit| split.train.len() >= MIN_CELLS && split.test.len() >= MIN_CELLS;
        if let Some(groups) = self.groups {
            let groups: Vec<u32> = cells.iter().filter_map(|&cell| groups[cell]).collect();
            let n_groups = groups.iter().collect::<BTreeSet<_>>().len();
            if n_groups < 2 {
                return Ok(Vec::new());
            }
            let splits = splits(cells.len(), Some(&groups), N_GROUPED_SPLITS)?;
            return Ok(splits.into_iter().filter(is_enough).collect());
        }
        let of = |wanted: Subset| -> Vec<usize> {
            (0..cells.len()).filter(|&row| self.split.subsets()[cells[row]] == wanted).collect()
        };
        let own = CellSplit { train: of(Subset::Training), test: of(Subset::Test) };
        match (is_enough(&own), cells.len() >= 5 * MIN_CELLS) {
            (true, _) => Ok(vec![own]),
            (false, true) => CellSplit::random(cells.len(), TEST_SHARE, self.seed).map(|split| vec![split]),
            (false, false) => Ok(Vec::new()),
        }
    }
}

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
