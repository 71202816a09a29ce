//! The network of the probe and one step of its training.

use anyhow::Result;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Reduction, Tensor, no_grad};

/// Slope of the leaky ReLU below 0.
const SLOPE: f64 = 0.01;
/// Share of a minibatch's moments in the running ones, and what is added to variances: torch's.
const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;
/// Shares of Adam's moments that a step keeps, and what is added to the root of the second.
const KEPT: [f64; 2] = [0.9, 0.999];
const TINY: f64 = 1e-8;

/// Linear maps without bias; batch normalisation and leaky ReLU after each but the last.
#[derive(Debug)]
pub(super) struct Network {
    weights: Vec<Tensor>,
    norms: Vec<Norm>,
    dropout: f64,
}

/// Batch normalisation of one layer: scale and shift are learned, mean and variance run along.
#[derive(Debug)]
struct Norm {
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
}

impl Norm {
    fn new(width: i64) -> Self {
        let all = |value: f64| Tensor::full([width], value, (Kind::Float, Device::Cpu));
        Self {
            scale: all(1.0).set_requires_grad(true),
            shift: all(0.0).set_requires_grad(true),
            mean: all(0.0),
            variance: all(1.0),
        }
    }

    fn apply(&self, input: &Tensor, training: bool) -> Result<Tensor> {
        let (scale, shift) = (Some(&self.scale), Some(&self.shift));
        let (mean, variance) = (Some(&self.mean), Some(&self.variance));
        Ok(input.f_batch_norm(scale, shift, mean, variance, training, MOMENTUM, EPSILON, false)?)
    }
}

impl Network {
    /// Widths from inputs to classes; weights uniform within ±1 / √inputs (torch's default).
    pub(super) fn new(widths: &[usize], dropout: f64, chance: &mut ChaCha8Rng) -> Self {
        let weights = widths.windows(2).map(|pair| {
            let bound = 1.0 / (pair[0] as f32).sqrt();
            let values: Vec<f32> = (0..pair[0] * pair[1]).map(|_| chance.random_range(-bound..=bound)).collect();
            Tensor::from_slice(&values).view([pair[0] as i64, pair[1] as i64]).set_requires_grad(true)
        });
        let n_hidden = widths.len() - 2;
        Self {
            weights: weights.collect(),
            norms: widths[1..=n_hidden].iter().map(|&width| Norm::new(width as i64)).collect(),
            dropout,
        }
    }

    /// Logits; inputs of each layer are dropped, and minibatch moments used, if there is chance.
    fn forward(&self, input: &Tensor, mut chance: Option<&mut ChaCha8Rng>) -> Result<Tensor> {
        let mut current = input.shallow_clone();
        for (layer, weights) in self.weights.iter().enumerate() {
            if let Some(chance) = &mut chance {
                current = self.dropped(&current, chance)?;
            }
            current = current.f_matmul(weights)?;
            if let Some(norm) = self.norms.get(layer) {
                current = norm.apply(&current, chance.is_some())?;
                current = current.f_maximum(&(&current * SLOPE))?;
            }
        }
        Ok(current)
    }

    fn dropped(&self, input: &Tensor, chance: &mut ChaCha8Rng) -> Result<Tensor> {
        if self.dropout == 0.0 {
            return Ok(input.shallow_clone());
        }
        let (dropped, kept) = (self.dropout as f32, (1.0 / (1.0 - self.dropout)) as f32);
        let draw = |_| if chance.random::<f32>() < dropped { 0.0 } else { kept };
        let mask: Vec<f32> = (0..input.numel()).map(draw).collect();
        Ok(input.f_mul(&Tensor::from_slice(&mask).view_as(input))?)
    }

    /// Logits of cells that are not trained on.
    pub(super) fn logits(&self, input: &Tensor) -> Result<Tensor> {
        no_grad(|| self.forward(input, None))
    }

    /// Mean cross-entropy of cells that are not trained on.
    pub(super) fn loss(&self, input: &Tensor, labels: &Tensor) -> Result<f64> {
        let loss = no_grad(|| cross_entropy(&self.forward(input, None)?, labels))?;
        Ok(loss.double_value(&[]))
    }

    /// What is learned.
    fn learned(&self) -> Vec<&Tensor> {
        let norms = self.norms.iter().flat_map(|norm| [&norm.scale, &norm.shift]);
        self.weights.iter().chain(norms).collect()
    }

    /// The network as it is now, apart from what training does to this one later.
    pub(super) fn kept(&self) -> Self {
        let copy = |tensor: &Tensor| tensor.detach().copy();
        let norm = |norm: &Norm| Norm {
            scale: copy(&norm.scale),
            shift: copy(&norm.shift),
            mean: copy(&norm.mean),
            variance: copy(&norm.variance),
        };
        Self {
            weights: self.weights.iter().map(copy).collect(),
            norms: self.norms.iter().map(norm).collect(),
            dropout: self.dropout,
        }
    }
}

fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    Ok(logits.f_cross_entropy_loss::<&Tensor>(labels, None, Reduction::Mean, -100, 0.0)?)
}

/// Adam (Kingma and Ba 2015) on one network.
pub(super) struct Training {
    learning_rate: f64,
    moments: Vec<[Tensor; 2]>,
    n_steps: i32,
}

impl Training {
    pub(super) fn new(network: &Network, learning_rate: f64) -> Self {
        let moments = network.learned().iter().map(|one| [one.zeros_like(), one.zeros_like()]).collect();
        Self { learning_rate, moments, n_steps: 0 }
    }

    /// One step down the cross-entropy of a minibatch.
    pub(super) fn step(
        &mut self,
        network: &Network,
        (input, labels): (&Tensor, &Tensor),
        chance: &mut ChaCha8Rng,
    ) -> Result<()> {
        let loss = cross_entropy(&network.forward(input, Some(chance))?, labels)?;
        let learned = network.learned();
        let gradients = Tensor::f_run_backward(&[&loss], &learned, false, false)?;
        self.n_steps += 1;
        let [first, second] = KEPT.map(|kept| 1.0 - kept.powi(self.n_steps));
        no_grad(|| {
            for ((one, gradient), moments) in learned.into_iter().zip(&gradients).zip(&mut self.moments) {
                moments[0] = &moments[0] * KEPT[0] + gradient * (1.0 - KEPT[0]);
                moments[1] = &moments[1] * KEPT[1] + gradient * gradient * (1.0 - KEPT[1]);
                let change = (&moments[0] / first) / ((&moments[1] / second).sqrt() + TINY) * self.learning_rate;
                let _ = one.shallow_clone().f_sub_(&change)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{generator, normal};

    #[test]
    fn a_copy_stays_as_it_was() {
        let mut chance = generator(1);
        let network = Network::new(&[4, 8, 8, 3], 0.1, &mut chance);
        let (input, labels) = (normal(32, 4, 1).to_kind(Kind::Float), Tensor::from_slice(&[0i64, 1, 2, 1].repeat(8)));
        let (kept, before) = (network.kept(), network.loss(&input, &labels).unwrap());
        let mut training = Training::new(&network, 0.01);
        for _ in 0..30 {
            training.step(&network, (&input, &labels), &mut chance).unwrap();
        }
        assert_eq!(kept.loss(&input, &labels).unwrap(), before);
        assert!(network.loss(&input, &labels).unwrap() < 0.8 * before);
    }

    #[test]
    fn dropping_keeps_the_mean_and_acts_in_training_only() {
        let mut chance = generator(1);
        let network = Network::new(&[4, 8, 3], 0.4, &mut chance);
        let ones = Tensor::ones([500, 100], (Kind::Float, Device::Cpu));
        let dropped = network.dropped(&ones, &mut chance).unwrap();
        let share = dropped.eq(0.0).to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
        assert!((share - 0.4).abs() < 0.02 && (dropped.mean(Kind::Double).double_value(&[]) - 1.0).abs() < 0.03);
        let input = normal(5, 4, 1).to_kind(Kind::Float);
        let all = network.logits(&input).unwrap();
        assert_eq!(all, network.logits(&input).unwrap());
        // nor does what a cell is given depend on the cells beside it
        assert!(network.logits(&input.narrow(0, 2, 1)).unwrap().allclose(&all.narrow(0, 2, 1), 1e-5, 1e-6, false));
    }

    #[test]
    fn the_first_step_of_adam_is_the_learning_rate_long() {
        let mut chance = generator(1);
        let network = Network::new(&[3, 2], 0.0, &mut chance);
        let (before, input) = (network.kept(), normal(16, 3, 1).to_kind(Kind::Float));
        let labels = Tensor::from_slice(&[0i64, 1].repeat(8));
        let mut training = Training::new(&network, 0.01);
        training.step(&network, (&input, &labels), &mut chance).unwrap();
        let lengths = (&network.weights[0] - &before.weights[0]).abs();
        assert!(lengths.allclose(&lengths.full_like(0.01), 1e-3, 0.0, false), "{lengths:?}");
        // down the loss
        assert!(network.loss(&input, &labels).unwrap() < before.loss(&input, &labels).unwrap());
    }

    #[test]
    fn layers_are_those_published() {
        let network = Network::new(&[50, 128, 128, 128, 23], 0.1, &mut generator(1));
        let sizes: Vec<Vec<i64>> = network.weights.iter().map(Tensor::size).collect();
        assert_eq!(sizes, [[50, 128], [128, 128], [128, 128], [128, 23]]);
        assert_eq!((network.norms.len(), network.learned().len()), (3, 10));
    }
}
