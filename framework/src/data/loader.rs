//! Minibatches ahead of time: a worker thread gathers rows while the model computes.

use super::Dataset;
use crate::TargetValues;
use crate::minibatch::Minibatch;
use crate::seed::{Purpose, Seed};
use crate::spec::Order;
use anyhow::Result;
use rand::seq::SliceRandom;
use std::ops::{ControlFlow, Range};
use std::sync::mpsc::sync_channel;
use tch::Device;

/// Minibatches that wait for the model at most.
const N_AHEAD: usize = 3;

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
            let (sender, receiver) = sync_channel(N_AHEAD);
            scope.spawn(move || {
                for range in minibatches(cells.len(), self.minibatch).into_iter().skip(first as usize) {
                    let minibatch = self.dataset.minibatch(&cells[range], self.targets);
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
    }
    cells
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
}
