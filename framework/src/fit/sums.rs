//! Means of loss terms over an epoch, summed on the device and read once.

use super::checkpoint::{Checkpoint, Remember};
use crate::model::Terms;
use anyhow::Result;
use indexmap::IndexMap;
use tch::Tensor;

/// Running sums of named terms, weighted by cells.
#[derive(Debug, Default)]
pub(super) struct Sums {
    terms: IndexMap<String, (Tensor, f64)>,
}

impl Sums {
    /// Adds the terms of a minibatch of `n_cells` cells.
    pub(super) fn add(&mut self, terms: &Terms, n_cells: i64) {
        let n_cells = n_cells as f64;
        for (name, value) in terms.names().zip(terms.values().unbind(0)) {
            match self.terms.get_mut(name) {
                Some((sum, weight)) => {
                    *sum += value * n_cells;
                    *weight += n_cells;
                }
                None => {
                    self.terms.insert(name.to_owned(), (value * n_cells, n_cells));
                }
            }
        }
    }

    /// Means by name: the one moment at which the host waits for the device.
    pub(super) fn means(&self) -> Vec<(String, f64)> {
        let mean = |(name, (sum, weight)): (&String, &(Tensor, f64))| (name.clone(), sum.double_value(&[]) / weight);
        self.terms.iter().map(mean).collect()
    }
}

impl Remember for Sums {
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let weights: Vec<(&String, f64)> = self.terms.iter().map(|(term, (_, weight))| (term, *weight)).collect();
        checkpoint.note(name, weights)?;
        self.terms.iter().for_each(|(term, (sum, _))| checkpoint.put(format!("{name}.{term}"), sum));
        Ok(())
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        let weights: Vec<(String, f64)> = checkpoint.fact(name)?;
        let of = |(term, weight): (String, f64)| {
            let sum = checkpoint.tensor(&format!("{name}.{term}"))?.shallow_clone();
            Ok((term, (sum, weight)))
        };
        self.terms = weights.into_iter().map(of).collect::<Result<_>>()?;
        Ok(())
    }
}
