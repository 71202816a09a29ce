//! Rows of cells that a model has not seen, found by optimisation with everything else frozen.

use super::sums::Sums;
use crate::data::{Loader, minibatches};
use crate::latent::LatentTable;
use crate::minibatch::Minibatch;
use crate::model::{EarlyGradients, Model, Objective, trainable};
use crate::seed::{Purpose, Seed};
use anyhow::Result;
use std::ops::ControlFlow;
use tch::{Kind, Tensor, no_grad};

/// How rows are fitted.
pub struct RowFit<'a> {
    /// The frozen model.
    pub model: &'a Model,
    /// Hands out the cells.
    pub loader: Loader<'a>,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Passes over the cells.
    pub n_passes: u64,
    /// Seed of the noise.
    pub seed: Seed,
    /// Tells one fit from another with the same seed.
    pub key: u64,
}

/// Moves the rows of `cells` (row i of each table belongs to `cells[i]`) for some passes, then returns the mean of each
/// reconstruction term without noise.
///
/// # Errors
/// When data cannot be read or a component refuses its input.
pub fn fit_rows(fit: &RowFit<'_>, cells: &[usize], tables: &mut [LatentTable]) -> Result<Vec<(String, f64)>> {
    let frozen = Frozen::new(trainable(&fit.model.generative));
    let ranges = minibatches(cells.len(), fit.loader.minibatch);
    for pass in 0..fit.n_passes {
        fit.loader.for_each(cells, |step, minibatch| {
            fit.seed.set_torch(Purpose::Validation, fit.key * 1_000_003 + pass, step);
            let places = places(&ranges[step as usize], &minibatch);
            move_rows(fit, &minibatch, &places, tables)?;
            Ok(ControlFlow::Continue(()))
        })?;
    }
    let mut sums = Sums::default();
    fit.loader.for_each(cells, |step, minibatch| {
        let places = places(&ranges[step as usize], &minibatch);
        let rows: Vec<Tensor> = tables.iter().map(|table| table.rows().index_select(0, &places)).collect();
        let terms = no_grad(|| Objective::EVALUATION.terms(fit.model, &rows, &minibatch))?;
        sums.add(&terms, minibatch.n_cells());
        Ok(ControlFlow::Continue(()))
    })?;
    drop(frozen);
    Ok(sums.means())
}

pub(super) fn places(range: &std::ops::Range<usize>, minibatch: &Minibatch) -> Tensor {
    Tensor::arange_start(range.start as i64, range.end as i64, (Kind::Int64, minibatch.cells.device()))
}

fn move_rows(fit: &RowFit<'_>, minibatch: &Minibatch, places: &Tensor, tables: &mut [LatentTable]) -> Result<()> {
    let objective = Objective { training: false, noise: false, ..Objective::TRAINING };
    let leaves: Vec<Tensor> = tables.iter().map(|table| table.leaf(places)).collect();
    // Rows are independent: the mean over the minibatch must not make their steps depend on its size.
    let n_cells = minibatch.n_cells() as f64;
    let terms = objective.terms_taken(fit.model, &leaves, minibatch, &mut EarlyGradients::times(n_cells))?;
    let Some(total) = terms.total_times(n_cells) else { return Ok(()) };
    total.backward();
    for (table, leaf) in tables.iter_mut().zip(&leaves) {
        let gradient = leaf.grad();
        if gradient.defined() {
            table.step(places, &gradient, fit.learning_rate);
        }
    }
    Ok(())
}

/// Parameters that take no gradient while this lives.
pub(crate) struct Frozen {
    parameters: Vec<Tensor>,
}

impl Frozen {
    pub(crate) fn new(parameters: Vec<Tensor>) -> Frozen {
        for parameter in &parameters {
            let _ = parameter.set_requires_grad(false);
        }
        Frozen { parameters }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for parameter in &self.parameters {
            let _ = parameter.set_requires_grad(true);
        }
    }
}
