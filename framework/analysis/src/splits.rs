//! Cells to learn from and cells to judge by, drawn at random or by whole groups.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::random::subset;
use crate::tensor::check_rows;

/// Cells that something is fitted on, and other cells that it is judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellSplit {
    /// Rows to fit on, ascending.
    pub train: Vec<usize>,
    /// Rows to judge by, ascending, none of them in `train`.
    pub test: Vec<usize>,
}

impl CellSplit {
    /// Draws this share of the cells (rounded, at least one) as test cells; the others are for training.
    ///
    /// # Errors
    /// When there are fewer than two cells or the share is not between 0 and 1.
    pub fn random(n_cells: usize, test_share: f64, seed: u64) -> Result<Self> {
        ensure!(n_cells > 1, "{n_cells} cells cannot be split; expected two or more");
        ensure!(
            test_share > 0.0 && test_share < 1.0,
            "the share of test cells is {test_share}; expected 0 < share < 1"
        );
        let n_test = ((n_cells as f64 * test_share).round() as usize).clamp(1, n_cells - 1);
        let mut held = vec![false; n_cells];
        subset(n_cells, n_test, seed).into_iter().for_each(|cell| held[cell] = true);
        Ok(Self::of(&held))
    }

    /// Holds out all cells of some groups (donors, plates) drawn at random; `groups` has one entry per cell.
    ///
    /// # Errors
    /// When no group, or every group, would be held out.
    pub fn by_group(groups: &[u32], n_held_out: usize, seed: u64) -> Result<Self> {
        let all: Vec<u32> = groups.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        ensure!(
            n_held_out > 0 && n_held_out < all.len(),
            "{n_held_out} of {} groups were to be held out; expected at least 1, and 1 left to learn from",
            all.len()
        );
        let held: BTreeSet<u32> = subset(all.len(), n_held_out, seed).into_iter().map(|place| all[place]).collect();
        Ok(Self::of(&groups.iter().map(|group| held.contains(group)).collect::<Vec<_>>()))
    }

    fn of(held: &[bool]) -> Self {
        let (test, train) = (0..held.len()).partition(|&cell| held[cell]);
        Self { train, test }
    }

    /// Refuses cells that do not exist and cells on both sides.
    pub(crate) fn check(&self, n_cells: usize) -> Result<()> {
        check_rows(&self.train, n_cells, "the list of training cells")?;
        check_rows(&self.test, n_cells, "the list of test cells")?;
        let train: BTreeSet<usize> = self.train.iter().copied().collect();
        let both = self.test.iter().find(|cell| train.contains(cell));
        ensure!(
            both.is_none(),
            "cell {} is both a training and a test cell; expected each cell in one of them",
            both.copied().unwrap_or_default()
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_is_held_out_and_another_seed_holds_out_others() {
        let split = CellSplit::random(101, 0.2, 3).unwrap();
        assert_eq!((split.test.len(), split.train.len()), (20, 81));
        split.check(101).unwrap();
        assert!(split.train.is_sorted() && split.test.is_sorted());
        assert_eq!(split, CellSplit::random(101, 0.2, 3).unwrap());
        assert_ne!(split, CellSplit::random(101, 0.2, 4).unwrap());
        assert!(CellSplit::random(1, 0.2, 0).is_err() && CellSplit::random(5, 1.0, 0).is_err());
        assert_eq!(CellSplit::random(2, 0.01, 0).unwrap().test.len(), 1);
    }

    #[test]
    fn groups_are_held_out_whole() {
        let groups = [7, 3, 7, 9, 3, 9, 9];
        let split = CellSplit::by_group(&groups, 1, 1).unwrap();
        let held = groups[split.test[0]];
        assert!(groups.iter().enumerate().all(|(cell, &group)| split.test.contains(&cell) == (group == held)));
        assert!(CellSplit::by_group(&groups, 3, 1).unwrap_err().to_string().contains("3 of 3 groups"));
        assert!(CellSplit::by_group(&groups, 0, 1).is_err());
    }

    #[test]
    fn a_cell_on_both_sides_is_named() {
        let split = CellSplit { train: vec![0, 2], test: vec![1, 2] };
        assert!(split.check(3).unwrap_err().to_string().contains("cell 2 is both"));
        assert!(split.check(2).unwrap_err().to_string().contains("cell 2"));
    }
}
