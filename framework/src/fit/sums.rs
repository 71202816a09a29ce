//! Means of loss terms over an epoch, summed on the device and read once.

use crate::model::Terms;
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
