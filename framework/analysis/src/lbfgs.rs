//! Limited-memory BFGS for smooth convex functions (Nocedal and Wright 2006, algorithms 7.4 and 3.1).

use std::collections::VecDeque;

use anyhow::Result;
use tch::{Kind, Tensor};

const N_REMEMBERED: usize = 10;
const N_HALVINGS: usize = 40;
/// Share of the predicted decrease that a step must reach (Armijo).
const SUFFICIENT: f64 = 1e-4;

/// Where a minimisation ended.
pub(crate) struct Minimum {
    pub(crate) point: Tensor,
    pub(crate) n_iterations: usize,
    /// Whether the largest gradient component came below the tolerance.
    pub(crate) converged: bool,
}

/// A step, the change of gradient along it, and 1 / (their inner product).
struct Change {
    step: Tensor,
    gradient: Tensor,
    inverse: f64,
}

/// Minimises a function given as value and gradient, from a start, until no gradient component exceeds `tolerance`.
pub(crate) fn minimise<F>(function: F, start: Tensor, tolerance: f64, max_iterations: usize) -> Result<Minimum>
where
    F: Fn(&Tensor) -> Result<(f64, Tensor)>,
{
    let mut point = start;
    let (mut value, mut gradient) = function(&point)?;
    let mut changes: VecDeque<Change> = VecDeque::new();
    for n_iterations in 0..max_iterations {
        if gradient.abs().max().double_value(&[]) <= tolerance {
            return Ok(Minimum { point, n_iterations, converged: true });
        }
        let direction = descent(&gradient, &changes);
        let slope = inner(&direction, &gradient);
        let length = if changes.is_empty() { 1.0 / inner(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let accepted = shorten(&function, &point, &direction, (length, value, slope))?;
        // no shorter step helps: rounding is all that is left
        let Some((step, new_value, new_gradient)) = accepted else {
            return Ok(Minimum { point, n_iterations, converged: false });
        };
        remember(&mut changes, &step, &new_gradient - &gradient);
        point += step;
        (value, gradient) = (new_value, new_gradient);
    }
    Ok(Minimum { point, n_iterations: max_iterations, converged: false })
}

/// Halves a step until the function decreases enough: the step, and value and gradient at its end.
fn shorten<F>(
    function: &F,
    point: &Tensor,
    direction: &Tensor,
    (mut length, value, slope): (f64, f64, f64),
) -> Result<Option<(Tensor, f64, Tensor)>>
where
    F: Fn(&Tensor) -> Result<(f64, Tensor)>,
{
    for _ in 0..N_HALVINGS {
        let step = direction * length;
        let (new_value, gradient) = function(&(point + &step))?;
        if new_value <= value + SUFFICIENT * length * slope {
            return Ok(Some((step, new_value, gradient)));
        }
        length /= 2.0;
    }
    Ok(None)
}

fn remember(changes: &mut VecDeque<Change>, step: &Tensor, gradient: Tensor) {
    let product = inner(step, &gradient);
    if product <= 1e-14 * inner(step, step) {
        return;
    }
    if changes.len() == N_REMEMBERED {
        changes.pop_front();
    }
    changes.push_back(Change { step: step.shallow_clone(), gradient, inverse: 1.0 / product });
}

/// Minus the gradient times the remembered approximation of the inverse Hessian (two loops).
fn descent(gradient: &Tensor, changes: &VecDeque<Change>) -> Tensor {
    let mut direction = -gradient;
    let mut factors = Vec::with_capacity(changes.len());
    for change in changes.iter().rev() {
        let factor = change.inverse * inner(&change.step, &direction);
        direction -= &change.gradient * factor;
        factors.push(factor);
    }
    if let Some(last) = changes.back() {
        direction /= last.inverse * inner(&last.gradient, &last.gradient);
    }
    for (change, factor) in changes.iter().zip(factors.iter().rev()) {
        let back = change.inverse * inner(&change.gradient, &direction);
        direction += &change.step * (factor - back);
    }
    direction
}

fn inner(first: &Tensor, second: &Tensor) -> f64 {
    (first * second).sum(Kind::Double).double_value(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_lowest_point_of_a_long_valley() {
        let scale = Tensor::from_slice(&[1.0, 1e3, 1e-2]);
        let lowest = Tensor::from_slice(&[1.0, -2.0, 30.0]);
        let valley = |point: &Tensor| {
            let away = point - &lowest;
            Ok(((&away * &away * &scale).sum(Kind::Double).double_value(&[]) / 2.0, away * &scale))
        };
        let found = minimise(valley, lowest.zeros_like(), 1e-10, 200).unwrap();
        assert!(found.converged);
        assert!(found.point.allclose(&lowest, 1e-7, 1e-7, false), "{:?}", found.n_iterations);
        let stopped = minimise(valley, lowest.zeros_like(), 1e-10, 1).unwrap();
        assert!(!stopped.converged && stopped.n_iterations == 1);
    }
}
