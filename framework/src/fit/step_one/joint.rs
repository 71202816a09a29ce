//! Latent rows and decoders stepped together at every minibatch.

use crate::fit::checkpoint::{Checkpoint, Remember};
use crate::fit::{Adam, AdamRule};
use crate::latent::LatentTable;
use crate::minibatch::Minibatch;
use crate::model::{EarlyGradients, Model, Objective, Terms, trainable};
use crate::spec::LatentFit;
use anyhow::Result;
use tch::Tensor;

/// Rows and decoders as step 1 learns them, minibatch by minibatch: both are stepped at every one.
pub struct RowsAndDecoders<'a> {
    model: &'a Model,
    tables: Vec<LatentTable>,
    /// Rows of the present minibatch, one leaf per space.
    leaves: Vec<Tensor>,
    /// Their gradients.
    row_gradients: Vec<Tensor>,
    adam: Adam,
    /// Gradients of the latest terms that were taken decoder by decoder.
    early: EarlyGradients,
    learning_rate_latent: f64,
}

impl<'a> RowsAndDecoders<'a> {
    /// Learning that starts from these tables (one per space, a row per cell of the data set).
    pub fn new(model: &'a Model, tables: Vec<LatentTable>, settings: &LatentFit) -> RowsAndDecoders<'a> {
        let rule = AdamRule::new(settings.learning_rate_decoder, settings.weight_decay);
        RowsAndDecoders {
            model,
            tables,
            leaves: Vec::new(),
            row_gradients: Vec::new(),
            adam: Adam::new(trainable(&model.generative), rule),
            early: EarlyGradients::default(),
            learning_rate_latent: settings.learning_rate_latent,
        }
    }

    /// The terms of a minibatch, with a graph from their total to the rows. Noise and dropout are drawn from libtorch's generator.
    ///
    /// # Errors
    /// When a component refuses its input.
    pub fn terms(&mut self, minibatch: &Minibatch) -> Result<Terms> {
        self.leaves = self.tables.iter().map(|table| table.leaf(&minibatch.cells)).collect();
        self.early = EarlyGradients::of(trainable(&self.model.generative));
        Objective::TRAINING.terms_taken(self.model, &self.leaves, minibatch, &mut self.early)
    }

    /// The gradients of the latest terms' total by these parameters, undefined where it does not depend on one; the graph stays.
    ///
    /// # Errors
    /// When a gradient cannot be computed.
    pub fn gradients(&self, total: &Tensor, parameters: &[Tensor]) -> Result<Vec<Tensor>> {
        let mut gradients = Tensor::f_run_backward(&[total], parameters, true, false)?;
        self.early.add_to(parameters, &mut gradients);
        Ok(gradients)
    }

    /// Moves decoders, losses, priors and rows along the gradients of the minibatch's total.
    ///
    /// # Errors
    /// When the gradient cannot be computed.
    pub fn advance(&mut self, minibatch: &Minibatch, total: &Tensor) -> Result<()> {
        self.row_gradients = self.adam.descend_after(&std::mem::take(&mut self.early), total, &self.leaves)?;
        for (table, gradient) in self.tables.iter_mut().zip(&self.row_gradients) {
            if gradient.defined() {
                table.step(&minibatch.cells, gradient, self.learning_rate_latent);
            }
        }
        Ok(())
    }

    /// The gradients that the rows of the latest minibatch had, one tensor per space: n_cells × dim, undefined where
    /// there was none.
    pub fn row_gradients(&self) -> &[Tensor] {
        &self.row_gradients
    }

    /// The model.
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The table of each space.
    pub fn tables(&self) -> &[LatentTable] {
        &self.tables
    }

    /// The table of each space, when learning is over: what steps need is let go of.
    pub fn into_tables(self) -> Vec<LatentTable> {
        self.tables.iter().map(|table| LatentTable::learned(table.rows().shallow_clone())).collect()
    }

    /// Rows of some cells become those of other tables, one per space.
    pub(super) fn replace(&mut self, cells: &Tensor, others: &[LatentTable]) {
        self.tables.iter_mut().zip(others).for_each(|(table, other)| table.replace(cells, other.rows()));
    }

    pub(super) fn remember(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.tables.remember("rows", checkpoint)?;
        self.adam.remember("adam", checkpoint)
    }

    pub(super) fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.tables.recall("rows", checkpoint)?;
        self.adam.recall("adam", checkpoint)
    }
}
