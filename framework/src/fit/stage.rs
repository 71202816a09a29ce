//! What every stage of learning does alike: epochs of minibatches, one guarded step each, then validation.

use super::stopping::Stopping;
use super::sums::Sums;
use super::{Event, Fit, NonFinite, Stage};
use crate::data::{Loader, visiting_order};
use crate::minibatch::{Features, Minibatch};
use crate::model::Terms;
use crate::spec::Order;
use anyhow::{Context, Result};
use std::ops::ControlFlow;
use std::time::Instant;
use tch::{Device, Tensor};

/// The settings that stages have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct StageSettings {
    pub(super) stage: Stage,
    pub(super) n_epochs: u64,
    pub(super) minibatch: usize,
    pub(super) order: Order,
    pub(super) validate_every_epochs: u64,
    pub(super) patience: u64,
}

/// Where a step is in a stage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) epoch: u64,
    pub(super) step: u64,
}

/// What a stage does with a minibatch and with its validation cells.
pub(super) trait Work {
    /// The terms of a minibatch, with a graph; randomness must be keyed by the moment.
    fn terms(&mut self, minibatch: &Minibatch, moment: Moment) -> Result<Terms>;

    /// Moves the parameters along the gradients of the minibatch's total.
    fn advance(&mut self, minibatch: &Minibatch, total: &Tensor) -> Result<()>;

    /// What is added to the objective without a graph, as told after the latest step: named values.
    fn penalties(&self) -> Vec<(String, Tensor)> {
        Vec::new()
    }

    /// Is called after the last minibatch of an epoch.
    fn end_epoch(&mut self, _epoch: u64) -> Result<()> {
        Ok(())
    }

    /// Whether learning is over by a rule of the stage's own, given the epoch's terms and those of the validation cells.
    fn is_over(&mut self, _epoch: u64, _terms: &[(String, f64)], _validation: Option<&[(String, f64)]>) -> bool {
        false
    }

    /// The number that says how good validation terms are: lower is better.
    fn score(&self, terms: &[(String, f64)]) -> f64 {
        terms.iter().map(|(_, value)| value).sum()
    }

    /// Means of the terms over the validation cells.
    fn validate(&mut self, epoch: u64) -> Result<Vec<(String, f64)>>;

    /// The tensors of which the best are kept.
    fn state(&self) -> Vec<Tensor>;
}

/// Runs a stage to its end; the best state is put back.
pub(super) fn run_stage(fit: &mut Fit<'_>, settings: StageSettings, work: &mut dyn Work) -> Result<()> {
    let training = fit.training();
    let targets = fit.model.target_values();
    let (dataset, device, minibatch) = (fit.dataset, fit.device, settings.minibatch);
    let loader = Loader { dataset, minibatch, targets: &targets, device };
    let n_steps = loader.n_minibatches(training.len()) as u64;
    let stage = settings.stage;
    fit.observer.observe(&Event::Started { stage, n_epochs: settings.n_epochs, n_steps });
    let validates = settings.validate_every_epochs > 0 && !fit.validation().is_empty();
    let mut stopping = Stopping::new(settings.patience);
    let (mut n_done, mut reason) = (0, "all epochs done");
    for epoch in 0..settings.n_epochs {
        let order = visiting_order(&training, settings.order, fit.seed(), epoch);
        let epoch_terms = run_epoch(fit, &loader, &order, Place { stage, epoch, n_steps }, work)?;
        n_done = epoch + 1;
        if fit.is_interrupted() {
            reason = "interrupted";
            break;
        }
        if validates && (n_done % settings.validate_every_epochs == 0 || n_done == settings.n_epochs) {
            let terms = work.validate(epoch)?;
            let score = work.score(&terms);
            let is_best = stopping.note(score, epoch, &work.state());
            fit.observer.observe(&Event::Validation { stage, epoch, terms: &terms, score, is_best });
            if stopping.is_over() || work.is_over(epoch, &epoch_terms, Some(&terms)) {
                reason = "no better on validation cells";
                break;
            }
        } else if work.is_over(epoch, &epoch_terms, None) {
            reason = "no better on training cells";
            break;
        }
    }
    let kept_epoch = stopping.restore(&work.state()).unwrap_or(n_done.saturating_sub(1));
    fit.observer.observe(&Event::Finished { stage, n_epochs: n_done, kept_epoch, reason });
    Ok(())
}

#[derive(Clone, Copy)]
struct Place {
    stage: Stage,
    epoch: u64,
    n_steps: u64,
}

fn run_epoch(
    fit: &mut Fit<'_>,
    loader: &Loader<'_>,
    order: &[usize],
    at: Place,
    work: &mut dyn Work,
) -> Result<Vec<(String, f64)>> {
    let start = Instant::now();
    let mut sums = Sums::default();
    let Place { stage, epoch, n_steps } = at;
    let cells = &fit.dataset.cells;
    let observer = &mut *fit.observer;
    let interrupted = fit.interrupted;
    loader.for_each(order, |step, minibatch| {
        if interrupted.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(ControlFlow::Break(()));
        }
        let mut terms = work.terms(&minibatch, Moment { epoch, step })?;
        let Some(total) = terms.total() else { return Ok(ControlFlow::Continue(())) };
        if total.device() == Device::Cpu && !total.double_value(&[]).is_finite() {
            return Err(non_finite(at, step, &terms, &minibatch, cells).into());
        }
        work.advance(&minibatch, &total)?;
        work.penalties().into_iter().for_each(|(name, value)| terms.push(name, value, 1.0));
        sums.add(&terms, minibatch.n_cells());
        observer.observe(&Event::Step { stage, epoch, step });
        Ok(ControlFlow::Continue(()))
    })?;
    if !interrupted.load(std::sync::atomic::Ordering::Relaxed) {
        work.end_epoch(epoch)?;
    }
    let terms = sums.means();
    if let Some((name, value)) = terms.iter().find(|(_, value)| !value.is_finite()) {
        anyhow::bail!(
            "the term `{name}` is {value} after epoch {epoch} of `fit.{}`; lower the learning rate",
            stage.name()
        );
    }
    let secs = start.elapsed().as_secs_f64();
    observer.observe(&Event::Epoch { stage, epoch, n_steps_done: (epoch + 1) * n_steps, terms: &terms, secs });
    Ok(terms)
}

/// Names the terms, and the first cell whose features are not finite (else the first of the minibatch).
fn non_finite(at: Place, step: u64, terms: &Terms, minibatch: &Minibatch, cells: &[String]) -> NonFinite {
    let values = Vec::<f64>::try_from(&terms.values()).unwrap_or_default();
    let named = terms.names().map(str::to_owned).zip(values).collect();
    let place = minibatch.parts.iter().flatten().find_map(|part| {
        let Features::Dense(dense) = Features::Dense(part.input.to_dense()) else { return None };
        let finite = dense.flatten(1, -1).isfinite().all_dim(1, false);
        let bad = finite.logical_not().nonzero();
        (bad.size()[0] > 0).then(|| part.measured_rows(&minibatch.cells).int64_value(&[bad.int64_value(&[0, 0])]))
    });
    let cell = place.unwrap_or_else(|| minibatch.cells.int64_value(&[0])) as usize;
    NonFinite {
        stage: at.stage,
        epoch: at.epoch,
        step,
        terms: named,
        first_cell: cells.get(cell).cloned().unwrap_or_default(),
    }
}

/// Backward of a total, with libtorch's errors made ours.
pub(super) fn backward(total: &Tensor) -> Result<()> {
    total.f_backward().context("the gradient of the loss cannot be computed")
}
