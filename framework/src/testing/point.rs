//! A component at one place, and its slopes there: by autograd and by central differences.

use super::differences::gradient_of;
use super::small::uniform;
use super::subject::{Built, Mode, N_CELLS, Subject, to_kind};
use anyhow::{Context, Result};
use tch::{Kind, Tensor, no_grad};

/// How slopes are measured and compared in one precision.
pub(super) struct Precision {
    pub(super) kind: Kind,
    /// Lengths of a move, in units of the length of what is moved (at least 1). A shorter one is tried where a longer one
    /// does not agree, as it may have crossed a kink, such as that of a rectifier.
    steps: &'static [f64],
    /// Largest difference in units of the slope.
    pub(super) relative: f64,
    /// What rounding makes of the value, in units of the sum of the sizes of all outputs.
    rounding: f64,
}

pub(super) const DOUBLE: Precision =
    Precision { kind: Kind::Double, steps: &[1e-5, 1e-6, 1e-7], relative: 1e-4, rounding: 2e-15 };
pub(super) const SINGLE: Precision =
    Precision { kind: Kind::Float, steps: &[1e-2, 1e-3], relative: 5e-2, rounding: 1e-6 };

/// A component ready to be differentiated, and what it is differentiated by.
pub(super) struct Point {
    built: Built,
    inputs: Vec<Tensor>,
    mode: Mode,
    /// What is learned, by name.
    pub(super) learned: Vec<(String, Tensor)>,
    /// What else is kept, such as running averages, and what it was: training changes it.
    buffers: Vec<(Tensor, Tensor)>,
}

impl Point {
    pub(super) fn new(subject: &dyn Subject, mode: Mode, kind: Kind, seed: u64) -> Result<Point> {
        let mut built = Built::new(subject, 1)?;
        if kind == Kind::Double {
            built.store.double();
        }
        built.shake();
        let mut inputs = to_kind(&subject.inputs(N_CELLS, seed), kind);
        let mut learned = Vec::new();
        for (place, input) in inputs.iter_mut().take(subject.n_learned()).enumerate() {
            *input = input.copy().set_requires_grad(true);
            learned.push((format!("input {}", place + 1), input.shallow_clone()));
        }
        let mut buffers = Vec::new();
        for (name, variable) in built.variables() {
            match variable.requires_grad() {
                true => learned.push((format!("the parameter `{name}`"), variable)),
                false => buffers.push((variable.shallow_clone(), variable.copy())),
            }
        }
        Ok(Point { built, inputs, mode, learned, buffers })
    }

    /// One number that every output has a share in, and the sum of the sizes of all shares.
    fn value(&self) -> Result<(Tensor, f64)> {
        for (buffer, before) in &self.buffers {
            no_grad(|| buffer.shallow_clone().f_copy_(before))?;
        }
        tch::manual_seed(3);
        let outputs = (self.built.function)(&self.inputs, self.mode)?;
        let share = |(place, output): (usize, &Tensor)| {
            let weight = uniform(&output.size(), [0.5, 1.5], 2000 + place as u64) * sign(&output.size(), place as u64);
            output * weight.to_kind(output.kind())
        };
        let shares: Vec<Tensor> = outputs.iter().enumerate().map(share).collect();
        let size = shares.iter().map(|share| share.abs().sum(Kind::Double).double_value(&[])).sum();
        let total = shares.iter().map(|share| share.sum(Kind::Double)).reduce(|sum, share| sum + share);
        Ok((total.context("nothing came out")?, size))
    }

    /// Autograd's gradient of the value by each learned tensor.
    pub(super) fn gradients(&self) -> Result<Vec<Tensor>> {
        let (value, _) = self.value()?;
        if value.requires_grad() {
            value.f_backward()?;
        }
        Ok(self.learned.iter().map(|(_, tensor)| gradient_of(tensor)).collect())
    }

    /// The slope by central differences where no step of any length gives the one that is claimed.
    pub(super) fn other_slope(
        &self,
        tensor: &Tensor,
        direction: &Tensor,
        claimed: f64,
        precision: &Precision,
    ) -> Result<Option<f64>> {
        let norm = tensor.norm().double_value(&[]).max(1.0);
        let mut first = None;
        for step in precision.steps {
            let length = norm * step;
            let (slope, size) = self.slope(tensor, direction, length)?;
            let rounding = precision.rounding * size / length;
            // False, too, where one of them is not a number.
            if (slope - claimed).abs() <= precision.relative * slope.abs().max(claimed.abs()) + rounding {
                return Ok(None);
            }
            first = first.or(Some(slope));
        }
        Ok(first)
    }

    /// The slope of the value along a direction of one learned tensor, and the size of the value.
    fn slope(&self, tensor: &Tensor, direction: &Tensor, length: f64) -> Result<(f64, f64)> {
        let (at, mut moved) = (tensor.detach().copy(), tensor.shallow_clone());
        no_grad(|| {
            moved.f_copy_(&(&at + direction * length))?;
            let (up, size) = self.value()?;
            moved.f_copy_(&(&at - direction * length))?;
            let (down, _) = self.value()?;
            moved.f_copy_(&at)?;
            Ok(((up.double_value(&[]) - down.double_value(&[])) / (2.0 * length), size))
        })
    }
}

/// ±1 everywhere.
pub(super) fn sign(size: &[i64], seed: u64) -> Tensor {
    uniform(size, [-1.0, 1.0], 3000 + seed).sign()
}
