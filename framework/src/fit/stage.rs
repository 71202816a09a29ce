//! What every stage of learning does alike: epochs of minibatches, one guarded step each, then validation.

use super::checkpoint::{Checkpoint, Remember};
use super::stopping::Stopping;
use super::sums::Sums;
use super::{Event, Fit, NonFinite, Stage};
use crate::data::{Loader, visiting_order};
use crate::minibatch::{Features, Minibatch};
use crate::model::{Model, Terms};
use crate::spec::Order;
use anyhow::Result;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use tch::nn::VarStore;
use tch::{Device, Tensor, no_grad};

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

    /// Puts all that changes, but for the model, into a checkpoint.
    fn remember(&self, checkpoint: &mut Checkpoint) -> Result<()>;

    /// Becomes what was remembered.
    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()>;
}

/// Runs a stage, from its start or from a checkpoint; the best state is put back. Returns whether it came to its end: if
/// not, it was interrupted.
pub(super) fn run_stage(fit: &mut Fit<'_>, settings: StageSettings, work: &mut dyn Work) -> Result<bool> {
    let training = fit.training();
    let targets = fit.model.target_values();
    let (dataset, device, minibatch) = (fit.dataset, fit.device, settings.minibatch);
    let loader = Loader { dataset, minibatch, targets: &targets, device };
    let (stage, n_epochs) = (settings.stage, settings.n_epochs);
    let n_steps = loader.n_minibatches(training.len()) as u64;
    let mut course =
        Course { stage, n_steps, epoch: 0, step: 0, sums: Sums::default(), stopping: Stopping::new(settings.patience) };
    if let Some(checkpoint) = fit.checkpoints.take() {
        course.recall(fit.model, work, &checkpoint)?;
    }
    fit.observer.observe(&Event::Started {
        stage,
        n_epochs,
        n_steps,
        n_steps_done: course.epoch * n_steps + course.step,
    });
    let validates = settings.validate_every_epochs > 0 && !fit.validation().is_empty();
    let (mut is_whole, mut reason) = (true, "all epochs done");
    while course.epoch < n_epochs {
        let epoch = course.epoch;
        let order = visiting_order(&training, settings.order, fit.seed(), epoch);
        let Some(epoch_terms) = run_epoch(fit, &loader, &order, &mut course, work)? else {
            (is_whole, reason) = (false, "interrupted");
            break;
        };
        course.begin_next_epoch();
        if validates && (course.epoch.is_multiple_of(settings.validate_every_epochs) || course.epoch == n_epochs) {
            let terms = work.validate(epoch)?;
            let score = work.score(&terms);
            let is_best = course.stopping.note(score, epoch, &work.state());
            fit.observer.observe(&Event::Validation { stage, epoch, terms: &terms, score, is_best });
            if course.stopping.is_over() || work.is_over(epoch, &epoch_terms, Some(&terms)) {
                reason = "no better on validation cells";
                break;
            }
        } else if work.is_over(epoch, &epoch_terms, None) {
            reason = "no better on training cells";
            break;
        }
    }
    let n_done = course.epoch;
    let kept_epoch = course.stopping.restore(&work.state()).unwrap_or(n_done.saturating_sub(1));
    fit.observer.observe(&Event::Finished { stage, n_epochs: n_done, kept_epoch, reason });
    Ok(is_whole)
}

/// How far a stage is.
struct Course {
    stage: Stage,
    /// Steps of an epoch.
    n_steps: u64,
    /// The epoch that goes on.
    epoch: u64,
    /// Its steps that are done.
    step: u64,
    /// Its terms so far.
    sums: Sums,
    stopping: Stopping,
}

impl Course {
    fn begin_next_epoch(&mut self) {
        (self.epoch, self.step, self.sums) = (self.epoch + 1, 0, Sums::default());
    }

    /// The state of learning between two steps.
    fn checkpoint(&self, model: &Model, work: &dyn Work) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::default();
        checkpoint.note("stage", self.stage.name())?;
        checkpoint.note("epoch", self.epoch)?;
        checkpoint.note("step", self.step)?;
        self.sums.remember("sums", &mut checkpoint)?;
        self.stopping.remember("best", &mut checkpoint)?;
        for (name, tensor) in model.variables() {
            checkpoint.put(format!("model.{name}"), &tensor);
        }
        work.remember(&mut checkpoint)?;
        Ok(checkpoint)
    }

    fn recall(&mut self, model: &Model, work: &mut dyn Work, checkpoint: &Checkpoint) -> Result<()> {
        (self.epoch, self.step) = (checkpoint.fact("epoch")?, checkpoint.fact("step")?);
        self.sums.recall("sums", checkpoint)?;
        self.stopping.recall("best", checkpoint)?;
        for (name, tensor) in model.variables() {
            checkpoint.copy_into(&format!("model.{name}"), &tensor)?;
        }
        work.recall(checkpoint)
    }
}

/// Runs what is left of an epoch; returns the means of its terms, those of an earlier part included. `None` when it was
/// interrupted, and so kept as a checkpoint.
fn run_epoch(
    fit: &mut Fit<'_>,
    loader: &Loader<'_>,
    order: &[usize],
    course: &mut Course,
    work: &mut dyn Work,
) -> Result<Option<Vec<(String, f64)>>> {
    let start = Instant::now();
    let Fit { model, dataset, ref mut observer, interrupted, ref mut checkpoints, .. } = *fit;
    let averages = Averages::of(model, fit.device);
    let (stage, epoch) = (course.stage, course.epoch);
    loader.for_each_from(course.step, order, |step, minibatch| {
        if interrupted.load(Relaxed) {
            return Ok(ControlFlow::Break(()));
        }
        let before = averages.copies();
        let mut terms = work.terms(&minibatch, Moment { epoch, step })?;
        course.step = step + 1;
        let Some(total) = terms.total() else { return Ok(ControlFlow::Continue(())) };
        if total.device() == Device::Cpu && !total.double_value(&[]).is_finite() {
            averages.put_back(&before);
            course.step = step;
            let is_kept = checkpoints.are_kept() && checkpoints.write(course.checkpoint(model, work)?).is_ok();
            return Err(NonFinite { is_kept, ..non_finite(course, &terms, &minibatch, &dataset.cells) }.into());
        }
        work.advance(&minibatch, &total)?;
        work.penalties().into_iter().for_each(|(name, value)| terms.push(name, value, 1.0));
        course.sums.add(&terms, minibatch.n_cells());
        observer.observe(&Event::Step { stage, epoch, step });
        if checkpoints.is_due() {
            checkpoints.write(course.checkpoint(model, work)?)?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if interrupted.load(Relaxed) {
        if checkpoints.are_kept() {
            checkpoints.write(course.checkpoint(model, work)?)?;
        }
        return Ok(None);
    }
    let terms = course.sums.means();
    work.end_epoch(epoch)?;
    if let Some((name, value)) = terms.iter().find(|(_, value)| !value.is_finite()) {
        anyhow::bail!(
            "the term `{name}` is {value} after epoch {epoch} of `fit.{}`; lower the learning rate",
            stage.name()
        );
    }
    let (secs, n_steps_done) = (start.elapsed().as_secs_f64(), (epoch + 1) * course.n_steps);
    observer.observe(&Event::Epoch { stage, epoch, n_steps_done, terms: &terms, secs });
    Ok(Some(terms))
}

/// Running averages of a model: a forward pass in training changes them, before its loss is known.
struct Averages {
    tensors: Vec<Tensor>,
}

impl Averages {
    /// Those that may have to be put back: none on a GPU, where a loss is not looked at before the epoch has ended.
    fn of(model: &Model, device: Device) -> Averages {
        if device != Device::Cpu {
            return Averages { tensors: Vec::new() };
        }
        let learned = |vars: &VarStore| vars.trainable_variables().iter().map(Tensor::data_ptr).collect::<Vec<_>>();
        let learned = [learned(&model.generative), learned(&model.inference)].concat();
        let tensors = model.variables().into_iter().map(|(_, tensor)| tensor);
        Averages { tensors: tensors.filter(|tensor| !learned.contains(&tensor.data_ptr())).collect() }
    }

    fn copies(&self) -> Vec<Tensor> {
        self.tensors.iter().map(Tensor::copy).collect()
    }

    fn put_back(&self, copies: &[Tensor]) {
        no_grad(|| self.tensors.iter().zip(copies).for_each(|(tensor, copy)| tensor.shallow_clone().copy_(copy)));
    }
}

/// Names the terms, and the first cell whose features are not finite (else the first of the minibatch).
fn non_finite(at: &Course, terms: &Terms, minibatch: &Minibatch, cells: &[String]) -> NonFinite {
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
        step: at.step,
        terms: named,
        first_cell: cells.get(cell).cloned().unwrap_or_default(),
        is_kept: false,
    }
}
