//! Adam over many parameters, each read and written once per step.
//!
//! libtorch's fused Adam is not bound by `tch`, and its plain one walks every parameter of a wide decoder ten times
//! through memory. On the processor each parameter is cut into pieces that stay in the cache ([`host`]); elsewhere
//! libtorch's operations do the same arithmetic ([`device`]). The moments are ours, so that they can be saved.

mod device;
mod host;

use super::checkpoint::{Checkpoint, Remember};
use crate::latent::{BETA_1, BETA_2};
use crate::model::EarlyGradients;
use crate::nn::FirstLayers;
use anyhow::{Result, ensure};
use device::DeviceMoments;
use host::HostMoments;
use tch::{Device, Kind, Tensor, no_grad};

/// How Adam steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamRule {
    /// Length α of a step.
    pub learning_rate: f64,
    /// Decay rate β₁ of the mean of gradients.
    pub beta_1: f64,
    /// Decay rate β₂ of the mean of squared gradients.
    pub beta_2: f64,
    /// Coupled decay: this times a parameter is added to its gradient.
    pub weight_decay: f64,
    /// Weight λ of an L1 penalty: λ times the sign of a parameter (0 at 0) is added to its gradient.
    pub l1: f64,
}

impl Default for AdamRule {
    /// PyTorch's defaults.
    fn default() -> AdamRule {
        AdamRule { learning_rate: 1e-3, beta_1: BETA_1, beta_2: BETA_2, weight_decay: 0.0, l1: 0.0 }
    }
}

impl AdamRule {
    /// The default decay rates and no L1 penalty.
    pub fn new(learning_rate: f64, weight_decay: f64) -> AdamRule {
        AdamRule { learning_rate, weight_decay, ..AdamRule::default() }
    }
}

/// The Adam optimizer (Kingma & Ba 2015) with coupled weight decay and an L1 penalty.
///
/// With g the gradient plus weight decay and penalty, m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g² and
/// p ← p − α m̂ / (√v̂ + 10⁻⁸), where m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) at step t.
#[derive(Debug)]
pub struct Adam {
    slots: Vec<Slot>,
    n_steps: i32,
    rule: AdamRule,
    l1_norm: Option<Tensor>,
}

#[derive(Debug)]
struct Slot {
    parameter: Tensor,
    moments: Moments,
}

/// The means of gradients and of squared gradients of one parameter.
#[derive(Debug)]
enum Moments {
    Single(HostMoments<f32>),
    Double(HostMoments<f64>),
    Device(DeviceMoments),
}

/// What all parameters share at one step.
struct Stride {
    rule: AdamRule,
    /// α / (1 − β₁ᵗ).
    rate: f64,
    /// 1 / √(1 − β₂ᵗ).
    scale: f64,
}

impl Adam {
    /// An optimizer of these parameters, in this order.
    pub fn new(parameters: Vec<Tensor>, rule: AdamRule) -> Adam {
        Adam { slots: parameters.into_iter().map(Slot::new).collect(), n_steps: 0, rule, l1_norm: None }
    }

    /// The L1 penalty λ Σ |p| of all parameters as they were before the latest step, one number; `None` where λ is 0 or
    /// no step was taken.
    pub fn l1_norm(&self) -> Option<Tensor> {
        self.l1_norm.as_ref().map(Tensor::shallow_clone)
    }

    /// Forgets the gradients of all parameters.
    pub fn zero_gradients(&mut self) {
        for slot in &mut self.slots {
            slot.parameter.zero_grad();
        }
    }

    /// Moves the parameters by one step along the gradients that they hold, as [`step_along`](Self::step_along) does.
    pub fn step(&mut self) {
        let gradients: Vec<Tensor> = self.slots.iter().map(|slot| slot.parameter.grad()).collect();
        self.step_along(&gradients);
    }

    /// Moves the parameters by one step down the gradients of a total; returns those of `others`, undefined where the total
    /// does not depend on them.
    ///
    /// Gradients are handed on, not added to what parameters hold: two passes over wide decoders are spared.
    ///
    /// # Errors
    /// When the gradient cannot be computed.
    pub fn descend(&mut self, total: &Tensor, others: &[Tensor]) -> Result<Vec<Tensor>> {
        self.descend_through(total, &FirstLayers::default(), others)
    }

    /// The same where first layers were collected when the total was computed.
    ///
    /// # Errors
    /// When the gradient cannot be computed.
    pub fn descend_through(&mut self, total: &Tensor, layers: &FirstLayers, others: &[Tensor]) -> Result<Vec<Tensor>> {
        self.descend_by(others, |wanted| layers.gradients(total, wanted, false))
    }

    /// The same where gradients were taken early of what the total stands for.
    ///
    /// # Errors
    /// When the gradient cannot be computed.
    pub fn descend_after(&mut self, early: &EarlyGradients, total: &Tensor, others: &[Tensor]) -> Result<Vec<Tensor>> {
        self.descend_by(others, |wanted| {
            let mut gradients = FirstLayers::default().gradients(total, wanted, false)?;
            early.add_to(wanted, &mut gradients);
            Ok(gradients)
        })
    }

    /// Moves the parameters by one step along the first of these gradients, and returns those of `others`.
    fn descend_by(
        &mut self,
        others: &[Tensor],
        gradients_by: impl FnOnce(&[Tensor]) -> Result<Vec<Tensor>>,
    ) -> Result<Vec<Tensor>> {
        let parameters = self.slots.iter().map(|slot| &slot.parameter);
        let wanted: Vec<Tensor> = parameters.chain(others).map(Tensor::shallow_clone).collect();
        let mut gradients = gradients_by(&wanted)?;
        let of_others = gradients.split_off(self.slots.len());
        self.step_along(&gradients);
        Ok(of_others)
    }

    /// Moves the parameters by one step along these gradients, one for each, undefined for none.
    ///
    /// A parameter without a gradient rests; where λ is not 0, which gives every parameter a gradient, it is moved by
    /// penalty and decay.
    pub fn step_along(&mut self, gradients: &[Tensor]) {
        self.n_steps += 1;
        let rule = self.rule;
        let stride = Stride {
            rule,
            rate: rule.learning_rate / (1.0 - rule.beta_1.powi(self.n_steps)),
            scale: 1.0 / (1.0 - rule.beta_2.powi(self.n_steps)).sqrt(),
        };
        let norms: Vec<Tensor> = no_grad(|| {
            let slots = self.slots.iter_mut().zip(gradients);
            slots.filter_map(|(slot, gradient)| slot.step(gradient, &stride)).collect()
        });
        self.l1_norm = norms.into_iter().reduce(|a, b| a + b).map(|norm| norm * rule.l1);
    }
}

impl Slot {
    fn new(parameter: Tensor) -> Slot {
        let moments = match (parameter.device(), parameter.kind()) {
            (Device::Cpu, Kind::Float) => Moments::Single(HostMoments::of(&parameter)),
            (Device::Cpu, Kind::Double) => Moments::Double(HostMoments::of(&parameter)),
            _ => Moments::Device(DeviceMoments::of(&parameter)),
        };
        Slot { parameter, moments }
    }

    /// Moves the parameter; returns Σ |p| as it was, if the rule has an L1 penalty.
    fn step(&mut self, gradient: &Tensor, stride: &Stride) -> Option<Tensor> {
        let penalised = stride.rule.l1 != 0.0;
        if !gradient.defined() && !penalised {
            return None;
        }
        let gradient = if gradient.defined() { gradient.shallow_clone() } else { self.parameter.zeros_like() };
        let norm = match &mut self.moments {
            Moments::Single(moments) => moments.step(&self.parameter, &gradient, stride),
            Moments::Double(moments) => moments.step(&self.parameter, &gradient, stride),
            Moments::Device(moments) => moments.step(&self.parameter, &gradient, stride),
        };
        penalised.then_some(norm)
    }
}

impl Moments {
    fn to_tensors(&self) -> [Tensor; 2] {
        match self {
            Moments::Single(moments) => moments.to_tensors(),
            Moments::Double(moments) => moments.to_tensors(),
            Moments::Device(moments) => moments.to_tensors(),
        }
    }

    fn take_from(&mut self, names: [&str; 2], checkpoint: &Checkpoint) -> Result<()> {
        match self {
            Moments::Single(moments) => moments.take_from(names, checkpoint),
            Moments::Double(moments) => moments.take_from(names, checkpoint),
            Moments::Device(moments) => moments.take_from(names, checkpoint),
        }
    }
}

impl Remember for Adam {
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.note(name, (self.n_steps, self.slots.len()))?;
        for (place, slot) in self.slots.iter().enumerate() {
            let [first, second] = slot.moments.to_tensors();
            checkpoint.put(format!("{name}.{place}.first"), &first);
            checkpoint.put(format!("{name}.{place}.second"), &second);
        }
        Ok(())
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        let (n_steps, n_slots): (i32, usize) = checkpoint.fact(name)?;
        ensure!(
            n_slots == self.slots.len(),
            "`{name}` of the checkpoint is of {n_slots} tensors, not {}",
            self.slots.len()
        );
        self.n_steps = n_steps;
        for (place, slot) in self.slots.iter_mut().enumerate() {
            let names = [format!("{name}.{place}.first"), format!("{name}.{place}.second")];
            slot.moments.take_from([&names[0], &names[1]], checkpoint)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
