//! When to stop, and which state to keep.

use super::checkpoint::{Checkpoint, Remember};
use anyhow::Result;
use std::collections::VecDeque;
use tch::{Tensor, no_grad};

/// Stops when a loss is above those of as many epochs before (the code of Schuster et al. 2024).
///
/// Up to epoch `min_epochs` nothing is noted; then losses are collected until there are `n_epochs`; from then on learning
/// goes on while a loss is not above all of the last `n_epochs`.
#[derive(Debug, Clone)]
pub struct Window {
    min_epochs: u64,
    n_epochs: u64,
    losses: VecDeque<f64>,
}

impl Window {
    /// Watches the last `n_epochs` losses from epoch `min_epochs` on; 0 never stops.
    pub fn new(min_epochs: u64, n_epochs: u64) -> Window {
        Window { min_epochs, n_epochs, losses: VecDeque::new() }
    }

    /// Takes note of the loss of an epoch (from 0); returns whether to stop.
    pub fn note(&mut self, epoch: u64, loss: f64) -> bool {
        if self.n_epochs == 0 || epoch < self.min_epochs {
            return false;
        }
        if (self.losses.len() as u64) < self.n_epochs {
            self.losses.push_back(loss);
            return false;
        }
        if self.losses.iter().all(|earlier| loss > *earlier) {
            return true;
        }
        self.losses.pop_front();
        self.losses.push_back(loss);
        false
    }
}

impl Remember for Window {
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.note(name, &self.losses)
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.losses = checkpoint.fact(name)?;
        Ok(())
    }
}

/// Watches a validation score and keeps a copy of the tensors at its lowest.
pub(super) struct Stopping {
    patience: u64,
    n_without: u64,
    best: Option<Best>,
}

struct Best {
    score: f64,
    epoch: u64,
    state: Vec<Tensor>,
}

impl Stopping {
    /// Stops after `patience` scores without improvement; 0 never stops.
    pub(super) fn new(patience: u64) -> Stopping {
        Stopping { patience, n_without: 0, best: None }
    }

    /// Takes note of a score; returns whether it is the lowest so far, in which case `state` is copied.
    pub(super) fn note(&mut self, score: f64, epoch: u64, state: &[Tensor]) -> bool {
        let is_best = self.best.as_ref().is_none_or(|best| score < best.score);
        if is_best {
            self.n_without = 0;
            self.best = Some(Best { score, epoch, state: state.iter().map(|tensor| tensor.detach().copy()).collect() });
        } else {
            self.n_without += 1;
        }
        is_best
    }

    /// Whether patience is at its end.
    pub(super) fn is_over(&self) -> bool {
        self.patience > 0 && self.n_without >= self.patience
    }

    /// Puts the best state back into `state` and returns its epoch; does nothing if no score was noted or no state is kept.
    pub(super) fn restore(&self, state: &[Tensor]) -> Option<u64> {
        let best = self.best.as_ref().filter(|best| !best.state.is_empty())?;
        no_grad(|| {
            for (tensor, kept) in state.iter().zip(&best.state) {
                tensor.detach().copy_(kept);
            }
        });
        Some(best.epoch)
    }
}

impl Remember for Stopping {
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let best = self.best.as_ref().map(|best| (best.score, best.epoch, best.state.len()));
        checkpoint.note(name, (self.n_without, best))?;
        for (place, tensor) in self.best.iter().flat_map(|best| &best.state).enumerate() {
            checkpoint.put(format!("{name}.{place}"), tensor);
        }
        Ok(())
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        let (n_without, best): (u64, Option<(f64, u64, usize)>) = checkpoint.fact(name)?;
        self.n_without = n_without;
        self.best = match best {
            None => None,
            Some((score, epoch, n_tensors)) => {
                let tensor = |place| Ok(checkpoint.tensor(&format!("{name}.{place}"))?.shallow_clone());
                Some(Best { score, epoch, state: (0..n_tensors).map(tensor).collect::<Result<_>>()? })
            }
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_score_is_kept() {
        let mut state = [Tensor::from_slice(&[0f32])];
        let mut stopping = Stopping::new(2);
        let mut stopped_at = None;
        for (epoch, score) in [3.0, 1.0, 2.0, 1.5, 0.5].into_iter().enumerate() {
            state[0] += 1.0;
            stopping.note(score, epoch as u64, &state);
            if stopping.is_over() {
                stopped_at = Some(epoch);
                break;
            }
        }
        assert_eq!(stopped_at, Some(3));
        assert_eq!(stopping.restore(&state), Some(1));
        assert_eq!(state[0].double_value(&[0]), 2.0);
    }
}
