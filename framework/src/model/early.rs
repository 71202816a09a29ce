//! Gradients taken decoder by decoder.

use anyhow::{Context, Result};
use tch::{Kind, Tensor};

/// Gradients that are taken as soon as a loss is known, so that what its decoder computed is let go of before the next one
/// decodes: a step holds the graph of one decoder, not of all.
#[derive(Debug)]
pub struct EarlyGradients {
    parameters: Vec<Tensor>,
    /// Of each parameter what was found so far, undefined for nothing.
    found: Vec<Tensor>,
    /// What the total will be multiplied by.
    factor: f64,
}

impl Default for EarlyGradients {
    fn default() -> EarlyGradients {
        EarlyGradients::of(Vec::new())
    }
}

impl EarlyGradients {
    /// Gradients by these parameters; none was found yet.
    pub fn of(parameters: Vec<Tensor>) -> EarlyGradients {
        EarlyGradients { found: parameters.iter().map(|_| Tensor::new()).collect(), parameters, factor: 1.0 }
    }

    /// Gradients by rows alone, of what [`Terms::total_times`](super::Terms::total_times) of the same factor is to stand for.
    pub fn times(factor: f64) -> EarlyGradients {
        EarlyGradients { factor, ..EarlyGradients::default() }
    }

    /// A loss that is decoded from rows, without its graph; and a number that is 0 and whose gradient by the rows is that of
    /// the loss times `weight`, so that it stands for the loss in a total. `None` where the loss does not depend on the rows.
    ///
    /// # Errors
    /// When the loss or its gradient cannot be computed.
    pub fn take(
        &mut self,
        rows: &[&Tensor],
        weight: f64,
        loss_of: impl FnOnce(&[Tensor]) -> Result<Tensor>,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let leaves: Vec<Tensor> = rows.iter().map(|rows| rows.detach().set_requires_grad(true)).collect();
        let loss = loss_of(&leaves)?;
        let wanted: Vec<&Tensor> = leaves.iter().chain(&self.parameters).collect();
        let gradients = Tensor::f_run_backward(&[&loss * (weight * self.factor)], &wanted, false, false);
        let mut of_rows = gradients.context("the gradient of the loss cannot be computed")?;
        let of_parameters = of_rows.split_off(leaves.len());
        for (known, gradient) in self.found.iter_mut().zip(of_parameters) {
            *known = sum(known, gradient);
        }
        let pulls = rows.iter().zip(&of_rows).filter(|(_, gradient)| gradient.defined());
        let pulls = pulls.map(|(rows, gradient)| ((*rows - rows.detach()) * gradient).sum(None::<Kind>));
        Ok((loss.detach(), pulls.reduce(|sum, pull| sum + pull)))
    }

    /// Adds what was found to other gradients of parameters.
    pub fn add_to(&self, parameters: &[Tensor], gradients: &mut [Tensor]) {
        for (parameter, gradient) in parameters.iter().zip(gradients) {
            let is_it = |own: &Tensor| own.data_ptr() == parameter.data_ptr();
            if let Some(place) = self.parameters.iter().position(is_it) {
                *gradient = sum(&self.found[place], gradient.shallow_clone());
            }
        }
    }
}

/// The sum of two gradients of which either may be undefined.
fn sum(left: &Tensor, right: Tensor) -> Tensor {
    match (left.defined(), right.defined()) {
        (true, true) => left + right,
        (true, false) => left.shallow_clone(),
        (false, _) => right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn a_total_of_losses_taken_early_has_the_gradients_of_the_whole() {
        tch::manual_seed(4);
        let draw = |size: [i64; 2]| Tensor::randn(size, (Kind::Double, Device::Cpu)).set_requires_grad(true);
        let (table, first, second) = (draw([5, 3]), draw([3, 4]), draw([3, 2]));
        let both = draw([1, 1]);
        let losses = |rows: &Tensor, decoder: &Tensor| (rows.matmul(decoder) * &both).square().mean(Kind::Double);
        let leaves = [&table, &first, &second, &both].map(Tensor::shallow_clone);
        let rows = &table * 2.0;
        let whole = losses(&rows, &first) * 3.0 + losses(&rows, &second) + table.sum(Kind::Double);
        let expected = Tensor::run_backward(&[&whole], &leaves, false, false);

        let rows = &table * 2.0;
        let mut early = EarlyGradients::of(leaves[1..].iter().map(Tensor::shallow_clone).collect());
        let mut taken = |decoder: &Tensor, weight| {
            let (loss, pull) = early.take(&[&rows], weight, |rows| Ok(losses(&rows[0], decoder))).unwrap();
            assert!(!loss.requires_grad());
            loss * weight + pull.unwrap()
        };
        let total = taken(&first, 3.0) + taken(&second, 1.0) + table.sum(Kind::Double);
        assert_eq!(total.double_value(&[]), whole.double_value(&[]));
        let mut found = Tensor::run_backward(&[&total], &leaves, false, false);
        assert!(found[0].defined() && !found[1].defined());
        early.add_to(&leaves, &mut found);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found.allclose(expected, 1e-12, 1e-12, false), "{found:?} {expected:?}");
        }
    }
}
