//! The one-step baseline: variational encoders and decoders learned together (Zhang et al. 2026, Methods).

use super::checkpoint::{Checkpoint, Remember};
use super::encoders::validate_encoders;
use super::stage::{Moment, StageSettings, Work, run_stage};
use super::{Adam, AdamRule, Fit, Learned, Stage};
use crate::data::{Augmentation, Dataset, Loader, turn_minibatch};
use crate::infer::{Estimate, encode};
use crate::minibatch::{Minibatch, Part};
use crate::model::{Branch, Model, Terms, trainable};
use crate::nn::FirstLayers;
use crate::seed::{Purpose, Seed};
use crate::spec::{OneStepFit, Schedule};
use anyhow::{Context, Result};
use tch::{Device, Kind, Tensor, no_grad};

/// Learns encoders and decoders together.
///
/// # Errors
/// When data cannot be read, a component refuses its input, or a loss is not finite.
pub fn learn_at_once(fit: &mut Fit<'_>) -> Result<Learned> {
    let settings = fit.experiment.fit.one_step.clone();
    let mut parameters = trainable(&fit.model.generative);
    parameters.extend(trainable(&fit.model.inference));
    let mut work = OneStep {
        model: fit.model,
        dataset: fit.dataset,
        validation: fit.validation(),
        adam: Adam::new(parameters, AdamRule::new(settings.learning_rate, settings.weight_decay)),
        seed: fit.seed(),
        device: fit.device,
        settings: &settings,
        is_turned: turned(fit),
        first_layers: FirstLayers::default(),
    };
    let n_modalities = fit.model.branches.len() as u64;
    let passes = if settings.schedule == Schedule::Alternating { n_modalities } else { 1 };
    let stage = StageSettings {
        stage: Stage::OneStep,
        n_epochs: settings.n_epochs * passes,
        minibatch: settings.minibatch,
        order: settings.order,
        validate_every_epochs: settings.validate_every_epochs * passes,
        patience: settings.patience,
    };
    Ok(Learned { tables: Vec::new(), is_whole: run_stage(fit, stage, &mut work)? })
}

struct OneStep<'a> {
    model: &'a Model,
    dataset: &'a Dataset,
    validation: Vec<usize>,
    adam: Adam,
    seed: Seed,
    device: Device,
    settings: &'a OneStepFit,
    /// The modalities whose images are turned.
    is_turned: Vec<bool>,
    /// First layers that the latest terms went through.
    first_layers: FirstLayers,
}

/// The modalities whose images are turned.
fn turned(fit: &Fit<'_>) -> Vec<bool> {
    let is_turned = |spec: &dyn crate::ModalitySpec| spec.augmentation() == Some(Augmentation::Turns);
    fit.experiment.modalities.values().map(|entry| is_turned(entry.spec.as_ref())).collect()
}

impl Work for OneStep<'_> {
    fn terms(&mut self, minibatch: &Minibatch, moment: Moment) -> Result<Terms> {
        self.seed.set_torch(Purpose::Step, moment.epoch, moment.step);
        let turned;
        let mut minibatch = minibatch;
        if self.is_turned.contains(&true) {
            turned = turn_minibatch(minibatch, &self.is_turned, (self.seed, moment.epoch, moment.step))?;
            minibatch = &turned;
        }
        let (terms, first_layers) = FirstLayers::during(|| self.all_terms(minibatch, moment.epoch));
        self.first_layers = first_layers;
        terms
    }

    fn advance(&mut self, _minibatch: &Minibatch, total: &Tensor) -> Result<()> {
        self.adam.descend_through(total, &std::mem::take(&mut self.first_layers), &[])?;
        Ok(())
    }

    fn validate(&mut self, _epoch: u64) -> Result<Vec<(String, f64)>> {
        let targets = self.model.target_values();
        let (dataset, device, minibatch) = (self.dataset, self.device, self.settings.minibatch);
        let loader = Loader { dataset, minibatch, targets: &targets, device };
        validate_encoders(self.model, &loader, &self.validation)
    }

    fn state(&self) -> Vec<Tensor> {
        self.model.variables().into_iter().map(|(_, tensor)| tensor).collect()
    }

    fn remember(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.adam.remember("adam", checkpoint)
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.adam.recall("adam", checkpoint)
    }
}

/// One modality's share of a step.
struct Turn<'a> {
    index: usize,
    branch: &'a Branch,
    part: &'a Part,
    minibatch: &'a Minibatch,
    means: &'a [Option<Estimate>],
}

impl OneStep<'_> {
    fn all_terms(&self, minibatch: &Minibatch, epoch: u64) -> Result<Terms> {
        let means = self.means(minibatch)?;
        let mut terms = Terms::default();
        for (index, (branch, part)) in self.model.branches.iter().zip(&minibatch.parts).enumerate() {
            let Some(part) = part.as_ref().filter(|part| part.n_cells() > 1) else { continue };
            if self.is_turn_of(index, epoch) {
                let modality = Turn { index, branch, part, minibatch, means: &means };
                self.modality_terms(&modality, &mut terms).with_context(|| format!("modality `{}`", branch.name))?;
            }
        }
        Ok(terms)
    }

    /// With the alternating schedule, epoch e belongs to modality e mod J.
    fn is_turn_of(&self, modality: usize, epoch: u64) -> bool {
        match self.settings.schedule {
            Schedule::Joint => true,
            Schedule::Alternating => epoch % self.model.branches.len() as u64 == modality as u64,
        }
    }

    /// What every encoder (in evaluation mode, no graph) makes of the minibatch, as constants to be matched.
    fn means(&self, minibatch: &Minibatch) -> Result<Vec<Option<Estimate>>> {
        let estimate = |(branch, part): (&Branch, &Option<Part>)| {
            part.as_ref().map(|part| no_grad(|| encode(self.model, branch, part.observed(), false))).transpose()
        };
        self.model.branches.iter().zip(&minibatch.parts).map(estimate).collect()
    }

    /// Reconstruction from a drawn row, divergence, and the distance of shared rows to the other modalities' means.
    fn modality_terms(&self, turn: &Turn<'_>, terms: &mut Terms) -> Result<()> {
        let (model, branch, part) = (self.model, turn.branch, turn.part);
        let posterior = encode(model, branch, part.observed(), true)?;
        let drawn = posterior.drawn();
        let full = branch.decoder.decode(&drawn.read(model, branch, &branch.reads)?, true)?;
        terms.push(&branch.name, branch.loss.per_cell(&full, &part.target)?.mean(None::<Kind>), branch.weight);
        if let Some(decoder) = &branch.shared_decoder {
            let shared = decoder.decode(&drawn.read(model, branch, &branch.reads_shared)?, true)?;
            let loss = branch.loss.per_cell(&shared, &part.target)?.mean(None::<Kind>);
            terms.push(format!("{}_from_shared", branch.name), loss, branch.weight);
        }
        self.divergence_terms(branch, &posterior, terms)?;
        self.match_terms(turn, &posterior, terms);
        Ok(())
    }

    fn divergence_terms(&self, branch: &Branch, posterior: &Estimate, terms: &mut Terms) -> Result<()> {
        for &space in &branch.reads {
            let (Some(mean), Some(log_sd)) = (&posterior.rows[space], &posterior.log_sds[space]) else { continue };
            let space = &self.model.spaces[space];
            let divergence = space.prior.divergence(mean, log_sd)?.mean(None::<Kind>);
            let name = format!("divergence_{}_{}", branch.name, space.name);
            terms.push(name, divergence, self.settings.divergence_weight);
        }
        Ok(())
    }

    fn match_terms(&self, turn: &Turn<'_>, posterior: &Estimate, terms: &mut Terms) {
        for (other, mean) in turn.means.iter().enumerate().filter(|(other, _)| *other != turn.index) {
            let (Some(mean), Some(other_part)) = (mean, &turn.minibatch.parts[other]) else { continue };
            for &space in &turn.branch.reads_shared {
                let (Some(own), Some(theirs)) = (&posterior.rows[space], &mean.rows[space]) else { continue };
                let (own, theirs) = match turn.part.common_with(other_part, turn.minibatch.n_cells()) {
                    None => (own.shallow_clone(), theirs.shallow_clone()),
                    Some((in_own, in_theirs)) => (own.index_select(0, &in_own), theirs.index_select(0, &in_theirs)),
                };
                if own.size()[0] > 0 {
                    let distance = (own - theirs).square().mean(None::<Kind>);
                    let other = &self.model.branches[other].name;
                    let name = format!("match_{}_{other}_{}", turn.branch.name, self.model.spaces[space].name);
                    terms.push(name, distance, self.settings.match_weight);
                }
            }
        }
    }
}
