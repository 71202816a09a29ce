//! Minibatches ahead of time: a worker thread gathers rows while the model computes.

use super::Dataset;
use crate::TargetValues;
use crate::minibatch::Minibatch;
use crate::seed::{Purpose, Seed};
use crate::spec::Order;
use anyhow::Result;
use rand::Rng;
use rand::seq::SliceRandom;
use std::ops::{ControlFlow, Range};
use std::sync::mpsc::sync_channel;
use tch::Device;

/// Cells whose measurements are brought closer at a time, where they lie close together on disk.
const READ_AHEAD: usize = CELLS_PER_BLOCK * BLOCKS_PER_WINDOW;

/// Neighbouring cells that `block_shuffled` keeps together.
const CELLS_PER_BLOCK: usize = 128;
/// Blocks whose cells `block_shuffled` mixes.
const BLOCKS_PER_WINDOW: usize = 32;

/// Hands out the minibatches of some cells.
pub struct Loader<'a> {
    /// The data.
    pub dataset: &'a Dataset,
    /// Cells per minibatch.
    pub minibatch: usize,
    /// The numbers that each modality's loss compares with.
    pub targets: &'a [TargetValues],
    /// Where minibatches are moved.
    pub device: Device,
}

impl Loader<'_> {
    /// Minibatches that wait for the model, at most.
    pub const MOST_AHEAD: usize = 3;

    /// Calls `each` with every minibatch of `cells`, in order, and its number, until it breaks.
    ///
    /// # Errors
    /// The first error of reading or of `each`; nothing is read after it.
    pub fn for_each(&self, cells: &[usize], each: impl FnMut(u64, Minibatch) -> Result<ControlFlow<()>>) -> Result<()> {
        self.for_each_from(0, cells, each)
    }

    /// The same, from minibatch `first` on.
    ///
    /// # Errors
    /// The first error of reading or of `each`; nothing is read after it.
    pub fn for_each_from(
        &self,
        first: u64,
        cells: &[usize],
        mut each: impl FnMut(u64, Minibatch) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(Self::MOST_AHEAD);
            scope.spawn(move || {
                let ranges = minibatches(cells.len(), self.minibatch);
                let n_together = (READ_AHEAD / self.minibatch.max(1)).max(1);
                for (place, range) in ranges.iter().enumerate().skip(first as usize) {
                    if place % n_together == 0 || place == first as usize {
                        let last = (place / n_together + 1) * n_together - 1;
                        self.dataset.read_ahead(&cells[range.start..ranges[last.min(ranges.len() - 1)].end]);
                    }
                    let minibatch = self.dataset.minibatch(&cells[range.clone()], self.targets);
                    let failed = minibatch.is_err();
                    if sender.send(minibatch).is_err() || failed {
                        break;
                    }
                }
            });
            for (step, minibatch) in (first..).zip(receiver) {
                if each(step, minibatch?.to_device(self.device))?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Number of minibatches of so many cells.
    pub fn n_minibatches(&self, n_cells: usize) -> usize {
        minibatches(n_cells, self.minibatch).len()
    }
}

/// Ranges of `size` cells; a last one of a single cell joins the one before, for a minibatch norm needs two.
pub fn minibatches(n_cells: usize, size: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> =
        (0..n_cells).step_by(size).map(|start| start..(start + size).min(n_cells)).collect();
    if ranges.len() > 1 && ranges.last().is_some_and(|last| last.len() == 1) {
        ranges.pop();
        if let Some(last) = ranges.last_mut() {
            last.end = n_cells;
        }
    }
    ranges
}

/// The order in which an epoch visits its cells.
pub fn visiting_order(cells: &[usize], order: Order, seed: Seed, epoch: u64) -> Vec<usize> {
    let mut cells = cells.to_vec();
    match order {
        Order::Reshuffled => cells.shuffle(&mut seed.generator(Purpose::Order, epoch, 0)),
        Order::Fixed => cells.shuffle(&mut seed.generator(Purpose::Order, 0, 0)),
        Order::Sequential => {}
        Order::BlockShuffled => return block_shuffled(&cells, &mut seed.generator(Purpose::Order, epoch, 0)),
    }
    cells
}

/// Blocks of neighbours in random order, then the cells of each few blocks in random order.
fn block_shuffled(cells: &[usize], generator: &mut impl Rng) -> Vec<usize> {
    let mut blocks: Vec<&[usize]> = cells.chunk_by(|a, b| a / CELLS_PER_BLOCK == b / CELLS_PER_BLOCK).collect();
    blocks.shuffle(generator);
    let mut order = Vec::with_capacity(cells.len());
    for window in blocks.chunks(BLOCKS_PER_WINDOW) {
        let start = order.len();
        window.iter().for_each(|block| order.extend_from_slice(block));
        order[start..].shuffle(generator);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minibatch_has_a_single_cell() {
        for n_cells in 2..200 {
            for size in 2..20 {
                let ranges = minibatches(n_cells, size);
                assert!(ranges.iter().all(|range| range.len() > 1), "{n_cells} cells by {size}: {ranges:?}");
                assert_eq!(ranges.iter().map(|range| range.len()).sum::<usize>(), n_cells);
                assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            }
        }
    }

    #[test]
    fn orders_are_seeded_and_fixed_ones_repeat() {
        let cells: Vec<usize> = (0..50).collect();
        let order = |kind, epoch| visiting_order(&cells, kind, Seed(1), epoch);
        assert_eq!(order(Order::Fixed, 0), order(Order::Fixed, 5));
        assert_ne!(order(Order::Reshuffled, 0), order(Order::Reshuffled, 5));
        assert_eq!(order(Order::Reshuffled, 5), order(Order::Reshuffled, 5));
        assert_eq!(order(Order::Sequential, 5), cells);
    }

    #[test]
    fn shuffled_blocks_stay_close_and_lose_no_cell() {
        // cells as a split leaves them: not all, and none of the second block
        let cells: Vec<usize> = (0..50_000).filter(|cell| cell % 7 != 3 && cell / CELLS_PER_BLOCK != 1).collect();
        let order = |epoch| visiting_order(&cells, Order::BlockShuffled, Seed(1), epoch);
        let first = order(0);
        assert_eq!(first, order(0));
        assert_ne!(first, order(1));
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, cells);
        for window in first.chunks(cells.len() / 40) {
            let blocks: std::collections::HashSet<usize> = window.iter().map(|cell| cell / CELLS_PER_BLOCK).collect();
            assert!(blocks.len() <= 2 * BLOCKS_PER_WINDOW, "{} cells of {} blocks", window.len(), blocks.len());
        }
        // neighbours do not follow each other
        let n_following = first.windows(2).filter(|pair| pair[1] == pair[0] + 1).count();
        assert!(n_following < first.len() / 100, "{n_following} of {}", first.len());
    }
}
