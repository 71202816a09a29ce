//! Step 1: latent rows learned jointly with decoders, losses and priors (Zhang et al. 2026, Methods, eq. 1).

use super::checkpoint::{Checkpoint, Remember};
use super::rows::{RowFit, fit_rows};
use super::stage::{Moment, StageSettings, Work, backward, run_stage};
use super::{Adam, AdamRule, Fit, Learned, Stage};
use crate::data::{Dataset, Loader};
use crate::latent::LatentTable;
use crate::minibatch::Minibatch;
use crate::model::{Model, Objective, Space, Terms, trainable};
use crate::seed::{Purpose, Seed};
use crate::spec::{LatentFit, LatentOptimizer};
use anyhow::{Context, Result};
use tch::{Device, Tensor};

/// Learns a row per cell and space, and the decoders; rows of validation cells are fitted with frozen decoders.
///
/// # Errors
/// When data cannot be read, a component refuses its input, or a loss is not finite.
pub fn learn_rows(fit: &mut Fit<'_>) -> Result<Learned> {
    let settings = fit.experiment.fit.latent.clone();
    let (seed, device) = (fit.seed(), fit.device);
    let n_cells = fit.dataset.cells.len();
    seed.set_torch(Purpose::Latents, 0, 0);
    let validation = fit.validation();
    let mut work = RowsAndDecoders {
        model: fit.model,
        dataset: fit.dataset,
        tables: fresh_tables(fit, n_cells, settings.latent_optimizer)?,
        validation_tables: fresh_tables(fit, validation.len(), LatentOptimizer::RowwiseAdam)?,
        validation,
        leaves: Vec::new(),
        adam: Adam::new(
            trainable(&fit.model.generative),
            AdamRule::new(settings.learning_rate_decoder, settings.weight_decay),
        ),
        seed,
        device,
        settings: &settings,
    };
    let stage = StageSettings {
        stage: Stage::Rows,
        n_epochs: settings.n_epochs,
        minibatch: settings.minibatch,
        order: settings.order,
        validate_every_epochs: settings.validate_every_epochs,
        patience: settings.patience,
    };
    let is_whole = run_stage(fit, stage, &mut work)?;
    work.place_validation_rows();
    Ok(Learned { tables: work.tables, is_whole })
}

/// Tables of rows drawn by each space's prior, `initial_sd` times as wide.
fn fresh_tables(fit: &Fit<'_>, n_cells: usize, optimizer: LatentOptimizer) -> Result<Vec<LatentTable>> {
    let initial_sd = fit.experiment.fit.latent.initial_sd;
    let table = |space: &Space| {
        let rows = space.prior.initial_rows(n_cells as i64, space.dim, fit.device);
        let rows = rows.with_context(|| format!("prior of the latent space `{}`", space.name))?;
        Ok(LatentTable::new(rows * initial_sd, optimizer))
    };
    fit.model.spaces.iter().map(table).collect()
}

struct RowsAndDecoders<'a> {
    model: &'a Model,
    dataset: &'a Dataset,
    tables: Vec<LatentTable>,
    validation: Vec<usize>,
    validation_tables: Vec<LatentTable>,
    /// Rows of the present minibatch, one leaf per space.
    leaves: Vec<Tensor>,
    adam: Adam,
    seed: Seed,
    device: Device,
    settings: &'a LatentFit,
}

impl Work for RowsAndDecoders<'_> {
    fn terms(&mut self, minibatch: &Minibatch, moment: Moment) -> Result<Terms> {
        self.seed.set_torch(Purpose::Step, moment.epoch, moment.step);
        self.leaves = self.tables.iter().map(|table| table.leaf(&minibatch.cells)).collect();
        Objective::TRAINING.terms(self.model, &self.leaves, minibatch)
    }

    fn advance(&mut self, minibatch: &Minibatch, total: &Tensor) -> Result<()> {
        self.adam.zero_gradients();
        backward(total)?;
        self.adam.step();
        for (table, leaf) in self.tables.iter_mut().zip(&self.leaves) {
            let gradient = leaf.grad();
            if gradient.defined() {
                table.step(&minibatch.cells, &gradient, self.settings.learning_rate_latent);
            }
        }
        Ok(())
    }

    fn validate(&mut self, epoch: u64) -> Result<Vec<(String, f64)>> {
        let targets = self.model.target_values();
        let (dataset, device, minibatch) = (self.dataset, self.device, self.settings.minibatch);
        let rows = RowFit {
            model: self.model,
            loader: Loader { dataset, minibatch, targets: &targets, device },
            learning_rate: self.settings.learning_rate_latent,
            n_passes: self.settings.n_validation_passes,
            seed: self.seed,
            key: epoch,
        };
        fit_rows(&rows, &self.validation, &mut self.validation_tables)
    }

    fn state(&self) -> Vec<Tensor> {
        let mut state: Vec<Tensor> = self.model.variables().into_iter().map(|(_, tensor)| tensor).collect();
        state.extend(self.tables.iter().chain(&self.validation_tables).map(|table| table.rows().shallow_clone()));
        state
    }

    fn remember(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.tables.remember("rows", checkpoint)?;
        self.validation_tables.remember("validation_rows", checkpoint)?;
        self.adam.remember("adam", checkpoint)
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.tables.recall("rows", checkpoint)?;
        self.validation_tables.recall("validation_rows", checkpoint)?;
        self.adam.recall("adam", checkpoint)
    }
}

impl RowsAndDecoders<'_> {
    /// The fitted rows of validation cells take their places in the tables.
    fn place_validation_rows(&mut self) {
        let cells: Vec<i64> = self.validation.iter().map(|&cell| cell as i64).collect();
        let cells = Tensor::from_slice(&cells).to_device(self.device);
        for (table, fitted) in self.tables.iter_mut().zip(&self.validation_tables) {
            table.replace(&cells, fitted.rows());
        }
    }
}
