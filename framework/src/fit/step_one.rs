//! Step 1: latent rows learned jointly with decoders, losses and priors (Zhang et al. 2026, Methods, eq. 1).

mod joint;

pub use joint::RowsAndDecoders;

use super::checkpoint::{Checkpoint, Remember};
use super::rows::{RowFit, fit_rows};
use super::stage::{Moment, StageSettings, Work, run_stage};
use super::{Fit, Learned, Stage};
use crate::data::{Dataset, Loader};
use crate::latent::LatentTable;
use crate::minibatch::Minibatch;
use crate::model::{Space, Terms};
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
    let tables = fresh_tables(fit, n_cells, settings.latent_optimizer)?;
    let mut work = StepOne {
        learned: RowsAndDecoders::new(fit.model, tables, &settings),
        dataset: fit.dataset,
        validation_tables: fresh_tables(fit, validation.len(), LatentOptimizer::RowwiseAdam)?,
        validation,
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
    Ok(Learned { tables: work.learned.into_tables(), is_whole })
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

struct StepOne<'a> {
    learned: RowsAndDecoders<'a>,
    dataset: &'a Dataset,
    validation: Vec<usize>,
    validation_tables: Vec<LatentTable>,
    seed: Seed,
    device: Device,
    settings: &'a LatentFit,
}

impl Work for StepOne<'_> {
    fn terms(&mut self, minibatch: &Minibatch, moment: Moment) -> Result<Terms> {
        self.seed.set_torch(Purpose::Step, moment.epoch, moment.step);
        self.learned.terms(minibatch)
    }

    fn advance(&mut self, minibatch: &Minibatch, total: &Tensor) -> Result<()> {
        self.learned.advance(minibatch, total)
    }

    fn validate(&mut self, epoch: u64) -> Result<Vec<(String, f64)>> {
        let targets = self.learned.model().target_values();
        let (dataset, device, minibatch) = (self.dataset, self.device, self.settings.minibatch);
        let rows = RowFit {
            model: self.learned.model(),
            loader: Loader { dataset, minibatch, targets: &targets, device },
            learning_rate: self.settings.learning_rate_latent,
            n_passes: self.settings.n_validation_passes,
            seed: self.seed,
            key: epoch,
        };
        fit_rows(&rows, &self.validation, &mut self.validation_tables)
    }

    fn state(&self) -> Vec<Tensor> {
        let variables = self.learned.model().variables();
        let mut state: Vec<Tensor> = variables.into_iter().map(|(_, tensor)| tensor).collect();
        state.extend(
            self.learned.tables().iter().chain(&self.validation_tables).map(|table| table.rows().shallow_clone()),
        );
        state
    }

    fn remember(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.learned.remember(checkpoint)?;
        self.validation_tables.remember("validation_rows", checkpoint)
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.learned.recall(checkpoint)?;
        self.validation_tables.recall("validation_rows", checkpoint)
    }
}

impl StepOne<'_> {
    /// The fitted rows of validation cells take their places in the tables.
    fn place_validation_rows(&mut self) {
        let cells: Vec<i64> = self.validation.iter().map(|&cell| cell as i64).collect();
        let cells = Tensor::from_slice(&cells).to_device(self.device);
        self.learned.replace(&cells, &self.validation_tables);
    }
}
