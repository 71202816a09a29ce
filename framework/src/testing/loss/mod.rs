//! What is checked of a loss.

mod extremes;
mod masked;

use super::cells::check_cells;
use super::close::not_finite;
use super::forms::{accepted_shapes, is_last_of_its_form, larger, name_of, size_of};
use super::gradients::check_gradients;
use super::mismatch::{Checked, Examined, Fault, Mismatch, refused};
use super::seeds::check_seeds;
use super::small::{sparse, target_tensors, uniform};
use super::subject::{Built, Function, Mode, N_CELLS, Subject};
use crate::loss::{Loss, LossContext, LossSpec, Statistics, TargetValues};
use crate::minibatch::{FeatureShape, Features, Target};
use anyhow::Result;
use std::cell::Cell;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

/// Checks a loss at every shape that it accepts, with predictions up to ±`largest` as the extreme.
pub(super) fn check(examined: &Examined<'_>, spec: &dyn LossSpec, largest: f64) -> Result<(), Fault> {
    let (mut shapes, values) = (Vec::new(), Cell::new(TargetValues::Processed));
    let sized = |shape: &FeatureShape, values| Sized { spec, shape: shape.clone(), values };
    examined.check("it builds", "", || {
        // The statistics of most assays: counts. What it asks for is known once it is built.
        let probe = |shape: &FeatureShape| sized(shape, TargetValues::Counts).loss(&VarStore::new(Device::Cpu));
        shapes = accepted_shapes(|shape| probe(shape).map(|loss| values.set(loss.target())))?;
        Ok(())
    })?;
    for shape in &shapes {
        let subject = sized(shape, values.get());
        let size = subject.size();
        check_cells(examined, &subject)?;
        examined.check("predictions of another shape are refused", &size, || refuses_others(&subject))?;
        examined.check("extreme but legal inputs give finite losses", &size, || extremes::check(&subject, largest))?;
        examined.check("expected values are in range", &size, || extremes::expectations(&subject, largest))?;
        examined.check("cells that were not measured add nothing", &size, || masked::check(&subject))?;
        examined.check("entries without trials add nothing", &size, || masked::entries(&subject))?;
        if is_last_of_its_form(shape, &shapes) {
            check_seeds(examined, &subject)?;
            check_gradients(examined, &subject)?;
        }
    }
    Ok(())
}

/// A loss for one shape of predictions.
struct Sized<'a> {
    spec: &'a dyn LossSpec,
    shape: FeatureShape,
    values: TargetValues,
}

impl Sized<'_> {
    fn loss(&self, store: &VarStore) -> Result<Box<dyn Loss>> {
        let training = self.statistics(48, 11);
        // All cells are the training cells and some more.
        let more = self.statistics(12, 12);
        let all = Statistics {
            n_entries: training.n_entries + more.n_entries,
            n_nonzero: training.n_nonzero + more.n_nonzero,
            raw_sum: training.raw_sum + more.raw_sum,
            processed_sum: training.processed_sum + more.processed_sum,
        };
        self.spec.build(&LossContext { vars: store.root(), output: self.shape.clone(), training, all })
    }

    /// Totals over as many made-up cells.
    fn statistics(&self, n_cells: i64, seed: u64) -> Statistics {
        let target = self.target(n_cells, seed).remove(0);
        let sum = target.sum(Kind::Double).double_value(&[]);
        Statistics {
            n_entries: target.numel() as f64,
            n_nonzero: target.count_nonzero(None::<i64>).int64_value(&[]) as f64,
            raw_sum: sum,
            processed_sum: sum,
        }
    }

    /// The target and, where there are any, its trials, in the shape of the predictions.
    fn target(&self, n_cells: i64, seed: u64) -> Vec<Tensor> {
        let n_features = self.shape.n_features() as usize;
        let (target, trials) = target_tensors(self.values, n_cells as usize, n_features, seed);
        let size = size_of(&self.shape, n_cells);
        std::iter::once(target).chain(trials).map(|tensor| tensor.view(size.as_slice())).collect()
    }

    fn prediction(&self, n_cells: i64, seed: u64) -> Tensor {
        uniform(&size_of(&self.shape, n_cells), [-2.0, 2.0], seed + 500)
    }
}

impl Subject for Sized<'_> {
    fn size(&self) -> String {
        name_of(&self.shape)
    }

    fn build(&self, store: &VarStore) -> Result<Function> {
        let loss = self.loss(store)?;
        Ok(Box::new(move |inputs, mode| Ok(vec![loss.per_cell(&inputs[0], &target_of(&inputs[1..], mode))?])))
    }

    fn inputs(&self, n_cells: i64, seed: u64) -> Vec<Tensor> {
        std::iter::once(self.prediction(n_cells, seed)).chain(self.target(n_cells, seed)).collect()
    }

    fn outputs(&self, n_cells: i64) -> Vec<Vec<i64>> {
        vec![vec![n_cells]]
    }

    fn takes_sparse(&self) -> bool {
        matches!(self.shape, FeatureShape::Vector(_))
    }
}

/// A target of one or two tensors: values, trials.
fn target_of(tensors: &[Tensor], mode: Mode) -> Target {
    let features = |tensor: &Tensor| match mode.sparse {
        true => sparse(tensor),
        false => Features::Dense(tensor.shallow_clone()),
    };
    Target::new(features(&tensors[0])).with_trials(tensors.get(1).map(features))
}

/// The gradient of the summed losses by the prediction and by every parameter, all of it finite.
fn finite_gradients(built: &Built, prediction: &Tensor, loss: &Tensor, what: &str) -> Checked {
    if !loss.requires_grad() {
        return Ok(());
    }
    loss.sum(Kind::Float).f_backward()?;
    let parameters = built.variables().into_iter().filter(|(_, variable)| variable.requires_grad());
    let parameters = parameters.map(|(name, parameter)| (format!("the parameter `{name}`"), parameter));
    let learned = parameters.chain([("the prediction".to_owned(), prediction.shallow_clone())]);
    for (name, tensor) in learned {
        let gradient = tensor.grad();
        let wrong = if gradient.defined() { not_finite(&gradient) } else { None };
        if let Some(wrong) = wrong {
            return Err(Mismatch::new(format!("a finite gradient of {name} for {what}"), wrong));
        }
        tensor.shallow_clone().zero_grad();
    }
    Ok(())
}

/// What does not pair up must not be broadcast.
fn refuses_others(subject: &Sized<'_>) -> Checked {
    let built = Built::new(subject, 1)?;
    let others = [larger(&subject.shape), FeatureShape::Vector(1)];
    for other in others.into_iter().filter(|other| other.n_features() != subject.shape.n_features()) {
        let mut inputs = subject.inputs(N_CELLS, 1);
        inputs[0] = uniform(&size_of(&other, N_CELLS), [-2.0, 2.0], 1);
        let found = built.evaluate(&inputs, Mode::EVALUATION);
        refused(found, &format!("a prediction of {} for a target of {}", name_of(&other), subject.size()))?;
    }
    let mut inputs = subject.inputs(N_CELLS, 1);
    inputs[0] = subject.prediction(1, 1);
    let found = built.evaluate(&inputs, Mode::EVALUATION);
    refused(found, &format!("a prediction of 1 cell for a target of {N_CELLS}"))
}
