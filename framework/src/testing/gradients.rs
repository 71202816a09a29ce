//! That gradients reach what is learned, and are those of finite differences.

use super::cells::same;
use super::close::not_finite;
use super::differences::gradient_of;
use super::mismatch::{Checked, Examined, Fault, Mismatch, expect};
use super::small::uniform;
use super::subject::{Built, Mode, N_CELLS, Subject, to_kind, undisturbed};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use tch::{Kind, Tensor, no_grad};

/// Directions in which each tensor is moved.
const N_DIRECTIONS: u64 = 6;

/// How slopes are measured and compared in one precision.
struct Precision {
    kind: Kind,
    /// Length of a move, in units of the length of what is moved (at least 1).
    step: f64,
    /// Largest difference in units of the slope.
    relative: f64,
    /// Largest difference in units of the sum of all outputs: what rounding leaves of a slope of zero.
    rounding: f64,
}

const DOUBLE: Precision = Precision { kind: Kind::Double, step: 1e-5, relative: 1e-4, rounding: 1e-8 };
const SINGLE: Precision = Precision { kind: Kind::Float, step: 1e-2, relative: 5e-2, rounding: 1e-4 };

/// Reach and agreement, in every mode.
pub(super) fn check_gradients(examined: &Examined<'_>, subject: &dyn Subject) -> Result<(), Fault> {
    let size = subject.size();
    examined.check("a gradient reaches all that is learned", &size, || reached(subject))?;
    let precision = precision(examined, subject);
    for mode in subject.modes() {
        let name = format!("gradients are those of finite differences {}", mode.name());
        examined.check(&name, &size, || undisturbed(|| agree(subject, mode, precision)))?;
    }
    examined.check("sparse and dense inputs give the same gradients", &size, || same_from_sparse(subject))
}

/// Double precision, unless the component cannot work in it.
fn precision(examined: &Examined<'_>, subject: &dyn Subject) -> &'static Precision {
    let works = || -> Result<Vec<Tensor>> {
        let mut built = Built::new(subject, 1)?;
        built.store.double();
        built.evaluate(&to_kind(&subject.inputs(N_CELLS, 1), Kind::Double), Mode::EVALUATION)
    };
    let Err(error) = works() else { return &DOUBLE };
    let (info, size) = (examined.info, subject.size());
    eprintln!(
        "note: the {} `{}` does not work in double precision ({size}), so its gradients are compared in single \
         precision with a tolerance of {}: {error:#}",
        info.role, info.name, SINGLE.relative
    );
    &SINGLE
}

/// A component ready to be differentiated, and what it is differentiated by.
struct Point {
    built: Built,
    inputs: Vec<Tensor>,
    mode: Mode,
    /// What is learned, by name.
    learned: Vec<(String, Tensor)>,
}

impl Point {
    fn new(subject: &dyn Subject, mode: Mode, kind: Kind, seed: u64) -> Result<Point> {
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
        let parameters = built.variables().into_iter().filter(|(_, variable)| variable.requires_grad());
        learned.extend(parameters.map(|(name, parameter)| (format!("the parameter `{name}`"), parameter)));
        Ok(Point { built, inputs, mode, learned })
    }

    /// One number that every output has a share in, and the sum of the sizes of all shares.
    fn value(&self) -> Result<(Tensor, f64)> {
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
    fn gradients(&self) -> Result<Vec<Tensor>> {
        let (value, _) = self.value()?;
        if value.requires_grad() {
            value.f_backward()?;
        }
        Ok(self.learned.iter().map(|(_, tensor)| gradient_of(tensor)).collect())
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
fn sign(size: &[i64], seed: u64) -> Tensor {
    uniform(size, [-1.0, 1.0], 3000 + seed).sign()
}

fn reached(subject: &dyn Subject) -> Checked {
    let mut missed: Option<BTreeSet<String>> = None;
    for mode in subject.modes() {
        for seed in 1..=3 {
            let point = Point::new(subject, mode, Kind::Float, seed)?;
            let mut now = BTreeSet::new();
            for ((name, _), gradient) in point.learned.iter().zip(point.gradients()?) {
                let wrong = not_finite(&gradient);
                let expected = format!("a finite gradient of {name} {}", mode.name());
                expect(wrong.is_none(), expected, wrong.unwrap_or_default())?;
                let optional = name.starts_with("input") && !subject.needs_gradient();
                if !optional && gradient.count_nonzero(None::<i64>).int64_value(&[]) == 0 {
                    now.insert(name.clone());
                }
            }
            missed = Some(missed.map_or(now.clone(), |missed| &missed & &now));
        }
    }
    let missed: Vec<String> = missed.unwrap_or_default().into_iter().collect();
    expect(missed.is_empty(), "a gradient that is not zero", format!("none for {}", missed.join(", ")))
}

fn agree(subject: &dyn Subject, mode: Mode, precision: &Precision) -> Checked {
    let point = Point::new(subject, mode, precision.kind, 1)?;
    let gradients = point.gradients()?;
    for ((name, tensor), gradient) in point.learned.iter().zip(&gradients) {
        let length = tensor.norm().double_value(&[]).max(1.0) * precision.step;
        for seed in 0..N_DIRECTIONS {
            let direction = sign(&tensor.size(), 100 + seed).to_kind(precision.kind) / (tensor.numel() as f64).sqrt();
            let (slope, size) = point.slope(tensor, &direction, length)?;
            let claimed = (gradient * direction).sum(Kind::Double).double_value(&[]);
            let allowed = precision.relative * slope.abs().max(claimed.abs()) + precision.rounding * size;
            // Also where one of them is not a number.
            if !((slope - claimed).abs() <= allowed) {
                let expected = format!("a slope of {slope:.6e} along a direction of {name}, as central differences say");
                return Err(Mismatch::new(expected, format!("{claimed:.6e} by the gradient")));
            }
        }
    }
    Ok(())
}

fn same_from_sparse(subject: &dyn Subject) -> Checked {
    if !subject.takes_sparse() {
        return Ok(());
    }
    let dense = Point::new(subject, Mode::EVALUATION, Kind::Float, 1)?;
    let sparse = Point::new(subject, Mode::SPARSE, Kind::Float, 1)?;
    let (expected, found) = (dense.gradients()?, sparse.gradients()?);
    for (((name, _), found), expected) in dense.learned.iter().zip(found).zip(expected) {
        let scale = expected.abs().max().double_value(&[]).max(1e-30);
        same(&[found / scale], &[expected / scale], 1e-4, &format!("the gradient of {name} that dense inputs give"))?;
    }
    Ok(())
}
