//! Step 2: encoders learn to find the rows of step 1 from what was measured; decoders and rows are frozen
//! (Zhang et al. 2026, Methods).

use super::checkpoint::{Checkpoint, Remember};
use super::rows::Frozen;
use super::stage::{Moment, StageSettings, Work, run_stage};
use super::sums::Sums;
use super::{Adam, AdamRule, Fit, Stage};
use crate::data::{Dataset, Loader};
use crate::infer::{Estimate, encode, predict, reconstruct};
use crate::latent::LatentTable;
use crate::minibatch::{Features, Minibatch, Observed, Part, Target};
use crate::model::{Branch, EarlyGradients, Model, Terms, trainable};
use crate::nn::FirstLayers;
use crate::seed::{Purpose, Seed};
use crate::spec::{EncodersFit, TargetScaling};
use anyhow::Result;
use std::ops::ControlFlow;
use tch::{Device, Kind, Tensor, no_grad};

/// Learns the encoders of every modality; returns whether that came to its end.
///
/// # Errors
/// When data cannot be read, a component refuses its input, or a loss is not finite.
pub fn learn_encoders(fit: &mut Fit<'_>, tables: &[LatentTable]) -> Result<bool> {
    let settings = fit.experiment.fit.encoders.clone();
    if settings.n_epochs == 0 {
        return Ok(true);
    }
    let mut work = StepTwo {
        learned: Encoders::new(fit.model, tables, &fit.training(), &settings),
        dataset: fit.dataset,
        validation: fit.validation(),
        seed: fit.seed(),
        device: fit.device,
        minibatch: settings.minibatch,
    };
    let stage = StageSettings {
        stage: Stage::Encoders,
        n_epochs: settings.n_epochs,
        minibatch: settings.minibatch,
        order: settings.order,
        validate_every_epochs: settings.validate_every_epochs,
        patience: settings.patience,
    };
    run_stage(fit, stage, &mut work)
}

/// What squared errors are divided by: ones, or the variance of each dimension over the training cells; [dim] per space.
fn scales(tables: &[LatentTable], training: &[usize], scaling: TargetScaling) -> Vec<Tensor> {
    let cells: Vec<i64> = training.iter().map(|&cell| cell as i64).collect();
    let cells = Tensor::from_slice(&cells);
    let scale = |table: &LatentTable| match scaling {
        TargetScaling::Raw => Tensor::ones([table.rows().size()[1]], (Kind::Float, table.rows().device())),
        TargetScaling::Standardized => {
            let rows = table.rows().index_select(0, &cells.to_device(table.rows().device()));
            rows.var_dim([0i64].as_slice(), true, false).clamp_min(1e-6)
        }
    };
    tables.iter().map(scale).collect()
}

/// Encoders as step 2 learns them, minibatch by minibatch. Decoders are frozen as long as this lives.
pub struct Encoders<'a> {
    model: &'a Model,
    tables: &'a [LatentTable],
    scales: Vec<Tensor>,
    adam: Adam,
    settings: &'a EncodersFit,
    /// First layers that the latest terms went through.
    first_layers: FirstLayers,
    _frozen: Frozen,
}

impl<'a> Encoders<'a> {
    /// Learning of the rows of these tables (one per space); `training` are the cells that errors are scaled by.
    pub fn new(
        model: &'a Model,
        tables: &'a [LatentTable],
        training: &[usize],
        settings: &'a EncodersFit,
    ) -> Encoders<'a> {
        let rule = AdamRule::new(settings.learning_rate, settings.weight_decay);
        Encoders {
            model,
            tables,
            scales: scales(tables, training, settings.target_scaling),
            adam: Adam::new(trainable(&model.inference), rule),
            settings,
            first_layers: FirstLayers::default(),
            _frozen: Frozen::new(trainable(&model.generative)),
        }
    }

    /// The terms of a minibatch, with a graph. Noise and dropout are drawn from libtorch's generator.
    ///
    /// # Errors
    /// When a component refuses its input.
    pub fn terms(&mut self, minibatch: &Minibatch) -> Result<Terms> {
        let (terms, first_layers) = FirstLayers::during(|| self.collected_terms(minibatch));
        self.first_layers = first_layers;
        terms
    }

    fn collected_terms(&self, minibatch: &Minibatch) -> Result<Terms> {
        let mut terms = Terms::default();
        let mut estimates = Vec::new();
        for (branch, part) in self.model.branches.iter().zip(&minibatch.parts) {
            let Some(part) = part.as_ref().filter(|part| part.n_cells() > 1) else {
                estimates.push(None);
                continue;
            };
            let input = with_noise(&part.input, self.settings.input_noise);
            let observed = Observed { features: &input, ..part.observed() };
            let estimate = encode(self.model, branch, observed, true)?;
            self.row_terms(branch, part, minibatch, &estimate, &mut terms);
            estimates.push(Some(estimate));
        }
        let weights = (self.settings.reconstruction_weight, self.settings.cross_weight);
        decoded_terms(self.model, minibatch, &estimates, weights, (&mut terms, loss_taken))?;
        Ok(terms)
    }

    /// The gradients of the latest terms' total by these parameters, undefined where it does not depend on one; the graph stays.
    ///
    /// # Errors
    /// When a gradient cannot be computed.
    pub fn gradients(&self, total: &Tensor, parameters: &[Tensor]) -> Result<Vec<Tensor>> {
        self.first_layers.gradients(total, parameters, true)
    }

    /// Moves the encoders along the gradients of the latest terms' total.
    ///
    /// # Errors
    /// When the gradient cannot be computed.
    pub fn advance(&mut self, total: &Tensor) -> Result<()> {
        self.adam.descend_through(total, &std::mem::take(&mut self.first_layers), &[])?;
        Ok(())
    }
}

struct StepTwo<'a> {
    learned: Encoders<'a>,
    dataset: &'a Dataset,
    validation: Vec<usize>,
    seed: Seed,
    device: Device,
    minibatch: usize,
}

impl Work for StepTwo<'_> {
    fn terms(&mut self, minibatch: &Minibatch, moment: Moment) -> Result<Terms> {
        self.seed.set_torch(Purpose::EncoderStep, moment.epoch, moment.step);
        self.learned.terms(minibatch)
    }

    fn advance(&mut self, _minibatch: &Minibatch, total: &Tensor) -> Result<()> {
        self.learned.advance(total)
    }

    fn validate(&mut self, _epoch: u64) -> Result<Vec<(String, f64)>> {
        let targets = self.learned.model.target_values();
        let (dataset, device, minibatch) = (self.dataset, self.device, self.minibatch);
        let loader = Loader { dataset, minibatch, targets: &targets, device };
        validate_encoders(self.learned.model, &loader, &self.validation)
    }

    fn state(&self) -> Vec<Tensor> {
        let mut named: Vec<_> = self.learned.model.inference.variables().into_iter().collect();
        named.sort_by(|(left, _), (right, _)| left.cmp(right));
        named.into_iter().map(|(_, tensor)| tensor).collect()
    }

    fn remember(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        remember_rows(self.learned.tables, checkpoint);
        self.learned.adam.remember("adam", checkpoint)
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.learned.adam.recall("adam", checkpoint)
    }
}

/// Puts the rows of step 1 into a checkpoint of step 2.
fn remember_rows(tables: &[LatentTable], checkpoint: &mut Checkpoint) {
    for (place, table) in tables.iter().enumerate() {
        checkpoint.put(format!("learned_rows.{place}"), table.rows());
    }
}

/// The rows of step 1 from a checkpoint of step 2.
///
/// # Errors
/// When the checkpoint lacks them.
pub(super) fn recall_rows(model: &Model, device: Device, checkpoint: &Checkpoint) -> Result<Vec<LatentTable>> {
    let table = |place: usize| {
        let rows = checkpoint.tensor(&format!("learned_rows.{place}"))?.to_device(device);
        Ok(LatentTable::learned(rows))
    };
    (0..model.spaces.len()).map(table).collect()
}

/// Features with Gaussian noise; the minibatch becomes dense unless `sd` is 0.
fn with_noise(input: &Features, sd: f64) -> Features {
    if sd == 0.0 {
        return input.shallow_clone();
    }
    let dense = input.to_dense();
    Features::Dense(&dense + dense.randn_like() * sd)
}

impl Encoders<'_> {
    /// Squared errors between estimated and learned rows, one term per space that the modality reads.
    fn row_terms(&self, branch: &Branch, part: &Part, minibatch: &Minibatch, estimate: &Estimate, terms: &mut Terms) {
        let cells = part.measured_rows(&minibatch.cells);
        for &space in &branch.reads {
            let Some(rows) = &estimate.rows[space] else { continue };
            let target = self.tables[space].rows().index_select(0, &cells);
            let error = ((rows - target).square() / &self.scales[space]).mean(None::<Kind>);
            let name = format!("{}_{}_rows", branch.name, self.model.spaces[space].name);
            terms.push(name, error, self.settings.row_weight);
        }
    }
}

/// A loss of what decoders make of an encoder's rows, and what stands for it in a total.
type Judge = fn(&Estimate, f64, &dyn Fn(&Estimate) -> Result<Tensor>) -> Result<(Tensor, Option<Tensor>)>;

/// The loss, its gradient by the rows taken at once: what the frozen decoder computed is let go of before the next one decodes.
fn loss_taken(
    estimate: &Estimate,
    weight: f64,
    loss_of: &dyn Fn(&Estimate) -> Result<Tensor>,
) -> Result<(Tensor, Option<Tensor>)> {
    let rows: Vec<&Tensor> = estimate.rows.iter().flatten().collect();
    EarlyGradients::default().take(&rows, weight, |leaves| {
        let mut leaves = leaves.iter().map(Tensor::shallow_clone);
        let cut = |rows: &Option<Tensor>| rows.as_ref().and_then(|_| leaves.next());
        loss_of(&Estimate { rows: estimate.rows.iter().map(cut).collect(), ..estimate.select(None) })
    })
}

/// Losses of what the frozen decoders make of the encoders' rows: each modality from itself and from every other.
fn decoded_terms(
    model: &Model,
    minibatch: &Minibatch,
    estimates: &[Option<Estimate>],
    (own_weight, cross_weight): (f64, f64),
    (terms, judge): (&mut Terms, Judge),
) -> Result<()> {
    if own_weight == 0.0 && cross_weight == 0.0 {
        return Ok(());
    }
    for (source, estimate) in estimates.iter().enumerate() {
        let (Some(estimate), Some(part)) = (estimate, &minibatch.parts[source]) else { continue };
        if own_weight > 0.0 {
            let branch = &model.branches[source];
            let weight = own_weight * branch.weight;
            let judged = judge(estimate, weight, &|rows| {
                Ok(branch.loss.per_cell(&reconstruct(model, branch, rows)?, &part.target)?.mean(None::<Kind>))
            })?;
            terms.push_taken(branch.name.clone(), judged, weight);
        }
        let predicted = |(target, _): &(usize, &Branch)| *target != source && model.share_a_space(source, *target);
        for (target, branch) in model.branches.iter().enumerate().filter(predicted) {
            let Some((rows, values)) = both_measured(minibatch, source, target, estimate) else { continue };
            if cross_weight > 0.0 {
                let weight = cross_weight * branch.weight;
                let judged = judge(&rows, weight, &|rows| {
                    Ok(branch.loss.per_cell(&predict(model, branch, rows)?, &values)?.mean(None::<Kind>))
                })?;
                terms.push_taken(format!("{}_to_{}", model.branches[source].name, branch.name), judged, weight);
            }
        }
    }
    Ok(())
}

/// The source's estimate and the target's values, both for the cells that both modalities measured.
fn both_measured(
    minibatch: &Minibatch,
    source: usize,
    target: usize,
    estimate: &Estimate,
) -> Option<(Estimate, Target)> {
    let (from, to) = (minibatch.parts[source].as_ref()?, minibatch.parts[target].as_ref()?);
    let Some((in_source, in_target)) = from.common_with(to, minibatch.n_cells()) else {
        return Some((estimate.select(None), to.target.select(None)));
    };
    if in_source.size()[0] == 0 {
        return None;
    }
    Some((estimate.select(Some(&in_source)), to.target.select(Some(&in_target))))
}

/// Means of the losses of validation cells, decoded from their encoders' rows: each modality from itself (full decoder)
/// and from every other.
pub(super) fn validate_encoders(model: &Model, loader: &Loader<'_>, cells: &[usize]) -> Result<Vec<(String, f64)>> {
    let mut sums = Sums::default();
    loader.for_each(cells, |_, minibatch| {
        no_grad(|| {
            let mut terms = Terms::default();
            let estimate = |(branch, part): (&Branch, &Option<Part>)| {
                part.as_ref().map(|part| encode(model, branch, part.observed(), false)).transpose()
            };
            let estimates: Result<Vec<_>> = model.branches.iter().zip(&minibatch.parts).map(estimate).collect();
            let loss: Judge = |rows, _, loss_of| Ok((loss_of(rows)?, None));
            decoded_terms(model, &minibatch, &estimates?, (1.0, 1.0), (&mut terms, loss))?;
            if terms.total().is_some() {
                sums.add(&terms, minibatch.n_cells());
            }
            Ok(ControlFlow::Continue(()))
        })
    })?;
    Ok(sums.means())
}
