//! Decoder-only learning: latent rows, priors and decoders together, without encoders (Schuster et al. 2024, Methods).

mod rows;

pub(crate) use rows::SteppedRows;
pub use rows::TriedRows;

use super::checkpoint::{Checkpoint, Remember};
use super::stage::{Moment, StageSettings, Work, run_stage};
use super::sums::Sums;
use super::{Adam, AdamRule, Fit, Learned, Stage, Window};
use crate::data::{Dataset, Loader, Subset};
use crate::infer::map_all;
use crate::latent::LatentTable;
use crate::minibatch::Minibatch;
use crate::model::{Model, Objective, Reduction, Space, Terms};
use crate::seed::{Purpose, Seed};
use crate::spec::DgdFit;
use anyhow::{Context, Result};
use std::ops::ControlFlow;
use tch::{Device, Tensor, no_grad};

/// How an epoch's rows are told that they are learned from: a log-likelihood, classes of covariates included.
const LEARNING: Objective = Objective { reduction: Reduction::Sum, ..Objective::TRAINING };

/// Learns rows, priors and decoders; then finds rows of all cells that were not learned from.
///
/// Rows of validation cells are fitted beside, one step an epoch, and decide when to stop; in the end they, and those of
/// test cells, are found as rows of any new cell are.
///
/// # Errors
/// When data cannot be read, a component refuses its input, or a loss is not finite.
pub fn learn_decoder_only(fit: &mut Fit<'_>) -> Result<Learned> {
    let settings = fit.experiment.fit.dgd.clone();
    let (seed, model) = (fit.seed(), fit.model);
    seed.set_torch(Purpose::Latents, 0, 0);
    let all: Vec<usize> = (0..fit.dataset.cells.len()).collect();
    let validation = fit.validation();
    let learned = DecoderOnly::new(model, starting_rows(fit, &all, true)?, &settings);
    let tried = TriedRows::new(model, starting_rows(fit, &validation, false)?, &settings);
    let (dataset, device) = (fit.dataset, fit.device);
    let window = Window::new(settings.min_epochs, settings.patience);
    let mut work = Learning { learned, tried, validation, dataset, seed, device, window, settings: &settings };
    let stage = StageSettings {
        stage: Stage::DecoderOnly,
        n_epochs: settings.n_epochs,
        minibatch: settings.minibatch,
        order: settings.order,
        validate_every_epochs: 1,
        patience: 0,
    };
    let is_whole = run_stage(fit, stage, &mut work)?;
    let mut tables = work.learned.into_tables();
    let others: Vec<usize> = [Subset::Validation, Subset::Test].into_iter().flat_map(|s| fit.split.of(s)).collect();
    if !others.is_empty() && is_whole {
        let rows = map_all(model, dataset, &others, device)?;
        let places: Vec<i64> = others.iter().map(|&cell| cell as i64).collect();
        let places = Tensor::from_slice(&places).to_device(device);
        tables.iter_mut().zip(&rows).for_each(|(table, rows)| table.replace(&places, rows));
    }
    Ok(Learned { tables, is_whole })
}

/// Rows drawn by each space's prior; those of cells whose classes are known, and are to be looked at, start at their class.
fn starting_rows(fit: &Fit<'_>, cells: &[usize], classes: bool) -> Result<Vec<Tensor>> {
    let rows = |(place, space): (usize, &Space)| -> Result<Tensor> {
        let known = fit.dataset.classes.get(place).and_then(Option::as_ref).filter(|_| classes);
        if let Some(known) = known {
            let known: Vec<i64> = cells.iter().map(|&cell| known[cell]).collect();
            let known = Tensor::from_slice(&known).to_device(fit.device);
            if let Some(rows) = no_grad(|| space.prior.rows_of_classes(&known))? {
                return Ok(rows.detach().copy());
            }
        }
        space.prior.initial_rows(cells.len() as i64, space.dim, fit.device)
    };
    let named = |(place, space): (usize, &Space)| {
        rows((place, space)).with_context(|| format!("prior of the latent space `{}`", space.name))
    };
    fit.model.spaces.iter().enumerate().map(named).collect()
}

/// Rows, priors and decoders as they are learned, minibatch by minibatch.
///
/// Priors, then trunk, decoders and losses are stepped at every minibatch; rows once an epoch along the gradients that they
/// gathered, or at every minibatch.
pub struct DecoderOnly<'a> {
    model: &'a Model,
    rows: SteppedRows,
    optimizers: Vec<Adam>,
    /// What each optimizer steps.
    learned: Vec<Vec<Tensor>>,
}

impl<'a> DecoderOnly<'a> {
    /// Learning that starts from these rows (one tensor per space, a row per cell of the data set).
    pub fn new(model: &'a Model, rows: Vec<Tensor>, settings: &DgdFit) -> DecoderOnly<'a> {
        let mut groups: Vec<(AdamRule, Vec<Tensor>)> = vec![
            (settings.rule(settings.learning_rate_prior, 0.0), Vec::new()),
            (settings.rule(settings.learning_rate_covariate, 0.0), Vec::new()),
            (settings.rule(settings.learning_rate_decoder, settings.l1), Vec::new()),
            (settings.rule(settings.learning_rate_decoder, 0.0), Vec::new()),
        ];
        for (name, tensor) in model.variables().into_iter().filter(|(_, tensor)| tensor.requires_grad()) {
            groups[group_of(model, &name, &tensor)].1.push(tensor);
        }
        let handles = |parameters: &[Tensor]| parameters.iter().map(Tensor::shallow_clone).collect::<Vec<_>>();
        let learned = groups.iter().map(|(_, parameters)| handles(parameters)).collect();
        let optimizers = groups.into_iter().map(|(rule, parameters)| Adam::new(parameters, rule)).collect();
        DecoderOnly { model, rows: SteppedRows::learned(rows, settings), optimizers, learned }
    }

    /// The terms of a minibatch, with a graph.
    ///
    /// # Errors
    /// When a component refuses its input.
    pub fn terms(&mut self, minibatch: &Minibatch) -> Result<Terms> {
        let leaves = self.rows.open(&minibatch.cells);
        LEARNING.terms(self.model, leaves, minibatch)
    }

    /// Steps priors and decoders along the gradients of the minibatch's total, and gathers those of its rows.
    ///
    /// # Errors
    /// When the gradient cannot be computed.
    pub fn advance(&mut self, minibatch: &Minibatch, total: &Tensor) -> Result<()> {
        // gradients are handed on, not added to what parameters hold: a pass over a wide decoder is spared
        let learned = self.learned.iter().flatten().chain(self.rows.leaves());
        let learned: Vec<Tensor> = learned.map(Tensor::shallow_clone).collect();
        let gradients = Tensor::f_run_backward(&[total], &learned, false, false);
        let gradients = gradients.context("the gradient of the loss cannot be computed")?;
        let mut rest = &gradients[..];
        for (optimizer, learned) in self.optimizers.iter_mut().zip(&self.learned) {
            let (own, others) = rest.split_at(learned.len());
            optimizer.step_along(own);
            rest = others;
        }
        self.rows.take(&minibatch.cells, rest);
        Ok(())
    }

    /// The L1 penalty as it was at the latest step: a scalar; `None` without one.
    pub fn l1(&self) -> Option<Tensor> {
        self.optimizers.iter().find_map(Adam::l1_norm)
    }

    /// Steps rows along what they gathered, and lets priors adapt.
    ///
    /// # Errors
    /// When a prior cannot.
    pub fn end_epoch(&mut self) -> Result<()> {
        self.rows.end_epoch();
        for space in &self.model.spaces {
            space.prior.after_epoch().with_context(|| format!("prior of the latent space `{}`", space.name))?;
        }
        Ok(())
    }

    /// The rows of a space: n_cells × dim.
    pub fn rows(&self, space: usize) -> &Tensor {
        self.rows.of_space(space)
    }

    /// The rows of all spaces.
    pub fn into_tables(self) -> Vec<LatentTable> {
        self.rows.into_tables()
    }
}

impl Remember for DecoderOnly<'_> {
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        self.rows.remember(&format!("{name}.rows"), checkpoint)?;
        self.optimizers.remember(&format!("{name}.adam"), checkpoint)
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.rows.recall(&format!("{name}.rows"), checkpoint)?;
        self.optimizers.recall(&format!("{name}.adam"), checkpoint)
    }
}

/// Which optimizer a parameter belongs to: priors, priors of covariates, penalised weights, the rest.
fn group_of(model: &Model, name: &str, tensor: &Tensor) -> usize {
    if let Some(of_prior) = name.strip_prefix("prior.") {
        let is_own = |space: &&Space| of_prior.strip_prefix(&space.name).is_some_and(|rest| rest.starts_with('.'));
        let is_covariate = model.spaces.iter().filter(is_own).any(|space| space.is_covariate);
        return usize::from(is_covariate);
    }
    let is_weight = name.ends_with("weight") && tensor.dim() >= 2 && !name.starts_with("loss.");
    if is_weight { 2 } else { 3 }
}

struct Learning<'a> {
    learned: DecoderOnly<'a>,
    tried: TriedRows<'a>,
    validation: Vec<usize>,
    dataset: &'a Dataset,
    seed: Seed,
    device: Device,
    window: Window,
    settings: &'a DgdFit,
}

impl Work for Learning<'_> {
    fn terms(&mut self, minibatch: &Minibatch, moment: Moment) -> Result<Terms> {
        self.seed.set_torch(Purpose::Step, moment.epoch, moment.step);
        self.learned.terms(minibatch)
    }

    fn advance(&mut self, minibatch: &Minibatch, total: &Tensor) -> Result<()> {
        self.learned.advance(minibatch, total)
    }

    fn penalties(&self) -> Vec<(String, Tensor)> {
        self.learned.l1().map(|value| ("l1".to_owned(), value)).into_iter().collect()
    }

    fn end_epoch(&mut self, _epoch: u64) -> Result<()> {
        self.learned.end_epoch()
    }

    /// Reconstruction of the validation cells before this epoch's step of their rows.
    fn validate(&mut self, _epoch: u64) -> Result<Vec<(String, f64)>> {
        let model = self.learned.model;
        let targets = model.target_values();
        let (dataset, device, minibatch) = (self.dataset, self.device, self.settings.minibatch);
        let loader = Loader { dataset, minibatch, targets: &targets, device };
        let ranges = crate::data::minibatches(self.validation.len(), minibatch);
        let (tried, mut sums) = (&mut self.tried, Sums::default());
        loader.for_each(&self.validation, |step, minibatch| {
            let terms = tried.gather(&super::rows::places(&ranges[step as usize], &minibatch), &minibatch)?;
            if terms.names().next().is_some() {
                sums.add(&terms, minibatch.n_cells());
            }
            Ok(ControlFlow::Continue(()))
        })?;
        tried.end_epoch();
        let means = sums.means();
        Ok(means.into_iter().filter(|(name, _)| model.branch(name).is_some()).collect())
    }

    fn is_over(&mut self, epoch: u64, terms: &[(String, f64)], validation: Option<&[(String, f64)]>) -> bool {
        let loss = self.score(validation.unwrap_or(terms));
        self.window.note(epoch, loss)
    }

    /// The loss per cell: reconstruction, priors and penalty, whichever are among the terms.
    fn score(&self, terms: &[(String, f64)]) -> f64 {
        let model = self.learned.model;
        let weight = |name: &str| match model.branch(name) {
            Some(branch) => model.branches[branch].weight * model.branches[branch].n_features as f64,
            None if name == "l1" => 1.0 / self.settings.minibatch as f64,
            None => 1.0,
        };
        terms.iter().map(|(name, value)| value * weight(name)).sum()
    }

    /// The state of the last epoch is kept, as published.
    fn state(&self) -> Vec<Tensor> {
        Vec::new()
    }

    fn remember(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.learned.remember("learned", checkpoint)?;
        self.tried.remember("tried", checkpoint)?;
        self.window.remember("window", checkpoint)
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.learned.recall("learned", checkpoint)?;
        self.tried.recall("tried", checkpoint)?;
        self.window.recall("window", checkpoint)
    }
}
