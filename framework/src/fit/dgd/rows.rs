//! Rows of a decoder-only model: gradients gathered over an epoch, or taken at every minibatch.

use crate::fit::AdamRule;
use crate::fit::checkpoint::{Checkpoint, Remember};
use crate::fit::rows::Frozen;
use crate::latent::LatentTable;
use crate::minibatch::Minibatch;
use crate::model::{Model, Objective, Terms, trainable};
use crate::spec::{DgdFit, LatentOptimizer, RowStep};
use anyhow::{Context, Result};
use tch::{Tensor, no_grad};

/// Latent rows and the gradients that they have gathered since their last step.
pub(crate) struct SteppedRows {
    tables: Vec<LatentTable>,
    gathered: Vec<Tensor>,
    leaves: Vec<Tensor>,
    learning_rate: f64,
    step: RowStep,
}

impl SteppedRows {
    /// Rows that start from these, one tensor per space.
    pub(crate) fn new(rows: Vec<Tensor>, rule: AdamRule, step: RowStep) -> SteppedRows {
        let optimizer = match step {
            RowStep::PerEpoch => LatentOptimizer::DenseAdam,
            RowStep::PerMinibatch => LatentOptimizer::RowwiseAdam,
        };
        SteppedRows {
            gathered: rows.iter().map(Tensor::zeros_like).collect(),
            tables: rows.into_iter().map(|rows| LatentTable::with_rule(rows, optimizer, rule)).collect(),
            leaves: Vec::new(),
            learning_rate: rule.learning_rate,
            step,
        }
    }

    /// Rows as a model is learned with them.
    pub(super) fn learned(rows: Vec<Tensor>, settings: &DgdFit) -> SteppedRows {
        SteppedRows::new(rows, settings.rule(settings.learning_rate_latent, 0.0), settings.row_step)
    }

    /// The rows of some cells as leaves of a new graph.
    pub(crate) fn open(&mut self, cells: &Tensor) -> &[Tensor] {
        self.leaves = self.tables.iter().map(|table| table.leaf(cells)).collect();
        &self.leaves
    }

    /// The rows that were opened.
    pub(super) fn leaves(&self) -> &[Tensor] {
        &self.leaves
    }

    /// Takes the gradients that the rows that were opened hold.
    pub(crate) fn take_gradients(&mut self, cells: &Tensor) {
        let gradients: Vec<Tensor> = self.leaves.iter().map(Tensor::grad).collect();
        self.take(cells, &gradients);
    }

    /// Takes these gradients of the rows that were opened, one tensor per space, undefined for none.
    pub(super) fn take(&mut self, cells: &Tensor, gradients: &[Tensor]) {
        for (place, gradient) in gradients.iter().enumerate() {
            if !gradient.defined() {
                continue;
            }
            match self.step {
                RowStep::PerEpoch => {
                    let _ = no_grad(|| self.gathered[place].index_add_(0, cells, gradient));
                }
                RowStep::PerMinibatch => self.tables[place].step(cells, gradient, self.learning_rate),
            }
        }
        self.leaves.clear();
    }

    /// The rows of a space: n_cells × dim.
    pub(super) fn of_space(&self, space: usize) -> &Tensor {
        self.tables[space].rows()
    }

    /// The rows of all spaces.
    pub(crate) fn into_tables(self) -> Vec<LatentTable> {
        self.tables
    }

    /// Steps along what was gathered.
    pub(crate) fn end_epoch(&mut self) {
        if self.step == RowStep::PerEpoch {
            for (table, gathered) in self.tables.iter_mut().zip(&mut self.gathered) {
                table.step_all(gathered, self.learning_rate);
                let _ = gathered.zero_();
            }
        }
    }
}

impl Remember for SteppedRows {
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        self.tables.remember(name, checkpoint)?;
        for (place, gathered) in self.gathered.iter().enumerate() {
            checkpoint.put(format!("{name}.{place}.gathered"), gathered);
        }
        Ok(())
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.tables.recall(name, checkpoint)?;
        let mut gathered = self.gathered.iter().enumerate();
        gathered.try_for_each(|(place, one)| checkpoint.copy_into(&format!("{name}.{place}.gathered"), one))
    }
}

/// Rows of cells that a model is not learned from: stepped as those of the others are, everything else frozen.
pub struct TriedRows<'a> {
    model: &'a Model,
    rows: SteppedRows,
}

impl<'a> TriedRows<'a> {
    /// Rows that start from these: one tensor per space, a row per cell.
    pub fn new(model: &'a Model, rows: Vec<Tensor>, settings: &DgdFit) -> TriedRows<'a> {
        TriedRows { model, rows: SteppedRows::learned(rows, settings) }
    }

    /// The terms of a minibatch whose cells have the rows at these places (i64, [n_cells]), and their gradients gathered.
    /// Classes of covariates are not looked at.
    ///
    /// # Errors
    /// When a component refuses its input.
    pub fn gather(&mut self, places: &Tensor, minibatch: &Minibatch) -> Result<Terms> {
        let _frozen = Frozen::new(trainable(&self.model.generative));
        let terms = Objective::LIKELIHOOD.terms(self.model, self.rows.open(places), minibatch)?;
        if let Some(total) = terms.total() {
            total.f_backward().context("the gradient of the loss cannot be computed")?;
        }
        self.rows.take_gradients(places);
        Ok(terms)
    }

    /// Steps rows along what they gathered.
    pub fn end_epoch(&mut self) {
        self.rows.end_epoch();
    }

    /// The rows of a space: n_cells × dim.
    pub fn rows(&self, space: usize) -> &Tensor {
        self.rows.of_space(space)
    }
}

impl Remember for TriedRows<'_> {
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        self.rows.remember(name, checkpoint)
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.rows.recall(name, checkpoint)
    }
}
