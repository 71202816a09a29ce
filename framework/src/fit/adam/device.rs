//! Adam in libtorch's operations, for parameters that are not in the processor's memory or not of 32 or 64 bits.

use super::Stride;
use crate::fit::checkpoint::Checkpoint;
use crate::latent::EPSILON;
use anyhow::Result;
use tch::{Kind, Tensor};

/// The moments of one parameter, of its shape, kind and device.
#[derive(Debug)]
pub(super) struct DeviceMoments {
    first: Tensor,
    second: Tensor,
}

impl DeviceMoments {
    /// Moments of 0.
    pub(super) fn of(parameter: &Tensor) -> DeviceMoments {
        let parameter = parameter.detach();
        DeviceMoments { first: parameter.zeros_like(), second: parameter.zeros_like() }
    }

    /// Handles of the moments.
    pub(super) fn to_tensors(&self) -> [Tensor; 2] {
        [self.first.shallow_clone(), self.second.shallow_clone()]
    }

    /// Takes the moments of these names from a checkpoint.
    pub(super) fn take_from(&mut self, names: [&str; 2], checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.copy_into(names[0], &self.first)?;
        checkpoint.copy_into(names[1], &self.second)
    }

    /// Moves the parameter by one step; returns Σ |p| as it was (0 without a penalty).
    pub(super) fn step(&mut self, parameter: &Tensor, gradient: &Tensor, stride: &Stride) -> Tensor {
        let Stride { rule, rate, scale } = stride;
        let mut parameter = parameter.detach();
        let mut gradient = gradient.shallow_clone();
        if rule.weight_decay != 0.0 {
            gradient = &gradient + rule.weight_decay * &parameter;
        }
        let mut norm = Tensor::zeros([], (parameter.kind(), parameter.device()));
        if rule.l1 != 0.0 {
            norm = parameter.abs().sum(None::<Kind>);
            gradient = &gradient + rule.l1 * parameter.sign();
        }
        let _ = self.first.lerp_(&gradient, 1.0 - rule.beta_1);
        self.second *= rule.beta_2;
        let _ = self.second.g_add_(&(gradient.square() * (1.0 - rule.beta_2)));
        let mut denominator = self.second.sqrt();
        denominator *= -scale / rate;
        denominator += -EPSILON / rate;
        let _ = parameter.addcdiv_(&self.first, &denominator);
        norm
    }
}
