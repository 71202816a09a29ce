//! Adam over many parameters, in cache-sized pieces.
//!
//! libtorch's fused Adam is not bound by `tch`, and its plain one walks every parameter of a wide decoder ten times
//! through memory. Here each parameter is cut into pieces that stay in the cache while the few in-place operations of a
//! step pass over them. The state is ours, so that it can be saved.

use crate::latent::{BETA_1, BETA_2, EPSILON};
use tch::{Tensor, no_grad};

/// Numbers of one piece: few enough that a piece stays in the cache, enough that starting threads for it costs little.
const PIECE: i64 = 1 << 20;

/// The Adam optimizer (Kingma & Ba 2015) with coupled weight decay, PyTorch's defaults.
#[derive(Debug)]
pub struct Adam {
    slots: Vec<Slot>,
    n_steps: i32,
    learning_rate: f64,
    weight_decay: f64,
}

#[derive(Debug)]
struct Slot {
    parameter: Tensor,
    moment_1: Tensor,
    moment_2: Tensor,
}

impl Adam {
    /// An optimizer of these parameters, in this order.
    pub fn new(parameters: Vec<Tensor>, learning_rate: f64, weight_decay: f64) -> Adam {
        let slot =
            |parameter: Tensor| Slot { moment_1: parameter.zeros_like(), moment_2: parameter.zeros_like(), parameter };
        Adam { slots: parameters.into_iter().map(slot).collect(), n_steps: 0, learning_rate, weight_decay }
    }

    /// Forgets the gradients of all parameters.
    pub fn zero_gradients(&mut self) {
        for slot in &mut self.slots {
            slot.parameter.zero_grad();
        }
    }

    /// Moves every parameter that has a gradient by one step.
    ///
    /// With u = v / (1 − β₂) kept instead of v, the update p ← p − rate · m̂ / (√v̂ + ε) needs no temporary but the
    /// denominator.
    pub fn step(&mut self) {
        self.n_steps += 1;
        let rate = self.learning_rate / (1.0 - BETA_1.powi(self.n_steps));
        let scale = ((1.0 - BETA_2) / (1.0 - BETA_2.powi(self.n_steps))).sqrt();
        no_grad(|| {
            for slot in &mut self.slots {
                let gradient = slot.parameter.grad();
                if gradient.defined() {
                    slot.step(&gradient, rate, scale, self.weight_decay);
                }
            }
        });
    }
}

impl Slot {
    fn step(&mut self, gradient: &Tensor, rate: f64, scale: f64, weight_decay: f64) {
        let n = self.parameter.numel() as i64;
        let parameter = self.parameter.detach().view([n]);
        let (moment_1, moment_2) = (self.moment_1.view([n]), self.moment_2.view([n]));
        let gradient = gradient.contiguous().view([n]);
        for start in (0..n).step_by(PIECE as usize) {
            let piece = |all: &Tensor| all.narrow(0, start, PIECE.min(n - start));
            let mut parameter = piece(&parameter);
            let mut gradient = piece(&gradient);
            if weight_decay > 0.0 {
                gradient = &gradient + weight_decay * &parameter;
            }
            let (mut moment_1, mut moment_2) = (piece(&moment_1), piece(&moment_2));
            let _ = moment_1.lerp_(&gradient, 1.0 - BETA_1);
            moment_2 *= BETA_2;
            let _ = moment_2.addcmul_(&gradient, &gradient);
            let mut denominator = moment_2.sqrt();
            denominator *= -scale / rate;
            denominator += -EPSILON / rate;
            let _ = parameter.addcdiv_(&moment_1, &denominator);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn steps_are_those_of_adam_with_coupled_decay() {
        let parameter = Tensor::from_slice(&[1.0f64, -2.0, 3.0]).set_requires_grad(true);
        let mut adam = Adam::new(vec![parameter.shallow_clone()], 0.1, 0.01);
        let (mut x, mut m, mut v) = ([1.0, -2.0, 3.0], [0.0; 3], [0.0; 3]);
        for step in 1..=4 {
            adam.zero_gradients();
            parameter.square().sum(Kind::Double).backward();
            adam.step();
            for i in 0..3 {
                let g = 2.0 * x[i] + 0.01 * x[i];
                m[i] = BETA_1 * m[i] + (1.0 - BETA_1) * g;
                v[i] = BETA_2 * v[i] + (1.0 - BETA_2) * g * g;
                let (m_hat, v_hat) = (m[i] / (1.0 - BETA_1.powi(step)), v[i] / (1.0 - BETA_2.powi(step)));
                x[i] -= 0.1 * m_hat / (f64::sqrt(v_hat) + EPSILON);
            }
        }
        for (ours, expected) in Vec::<f64>::try_from(&parameter).unwrap().iter().zip(x) {
            assert!((ours - expected).abs() < 1e-12, "{ours} is not {expected}");
        }
    }

    #[test]
    fn pieces_change_nothing() {
        let n = PIECE + 17;
        let parameter = Tensor::ones([n], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let mut adam = Adam::new(vec![parameter.shallow_clone()], 0.1, 0.0);
        parameter.sum(Kind::Float).backward();
        adam.step();
        let (low, high) = (f64::try_from(parameter.min()).unwrap(), f64::try_from(parameter.max()).unwrap());
        assert_eq!(low, high);
        assert!((low - 0.9).abs() < 1e-6);
    }
}
