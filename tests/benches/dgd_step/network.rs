//! A decoder with a trunk and a branch per modality, negative binomial losses, a mixture prior, and their optimizers.

use crate::data::Counts;
use framework::component::AnySpec;
use framework::fit::{Adam, AdamRule};
use framework::nn::{Linear, Trunk};
use framework::tch::nn::VarStore;
use framework::tch::{Device, Kind, Tensor};
use framework::{FeatureShape, Loss, LossContext, Role, Statistics};
use plugins as _;
use registry::Catalogue;
use std::time::Instant;

/// Cells per minibatch.
pub const MINIBATCH: i64 = 128;
const N_LATENT: i64 = 20;
const WIDTH: i64 = 100;
const N_COMPONENTS: i64 = 22;

struct Branch {
    layers: Vec<Linear>,
    loss: Box<dyn Loss>,
    n_features: i64,
}

/// How gradients reach the optimizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gradients {
    /// Parameters hold them.
    Held,
    /// They are the result of the backward pass.
    Handed,
}

/// Everything that a step changes.
pub struct Step {
    store: VarStore,
    trunk: Trunk,
    branches: Vec<Branch>,
    rows: Tensor,
    mixture: [Tensor; 3],
    /// Of weights, of other parameters of the decoder, of the mixture.
    optimizers: [Adam; 3],
    /// What each of them steps.
    learned: [Vec<Tensor>; 3],
}

impl Branch {
    fn new(store: &VarStore, place: usize, n_features: i64, catalogue: &Catalogue) -> Branch {
        let vars = store.root() / place.to_string();
        let last = WIDTH.max((n_features as f64).sqrt().round_ties_even() as i64);
        let layer = |place: usize, from, to| Linear::new(&(&vars / format!("layer_{place}")), from, to, true);
        let layers = [layer(0, WIDTH, WIDTH), layer(1, WIDTH, last), layer(2, last, n_features)];
        let parse = catalogue.get(Role::Loss, "negative_binomial").expect("the loss").parse;
        let AnySpec::Loss(spec) = parse(toml::Table::new()).expect("its defaults") else { panic!("a loss") };
        let (training, all) = (Statistics::default(), Statistics::default());
        let output = FeatureShape::Vector(n_features);
        let loss = spec.build(&LossContext { vars: &vars / "loss", output, training, all }).expect("a loss");
        Branch { layers: layers.into_iter().map(|layer| layer.expect("a layer")).collect(), loss, n_features }
    }

    fn decode(&self, hidden: &Tensor) -> Tensor {
        let [first, second, last] = &self.layers[..] else { panic!("three layers") };
        let hidden = first.forward(hidden).expect("the width of the trunk").relu();
        let hidden = second.forward(&hidden).expect("its width").relu();
        last.forward(&hidden).expect("its width")
    }

    /// Summed over features and cells.
    fn loss(&self, prediction: &Tensor, cells: &[usize], counts: &Counts) -> Tensor {
        let per_cell = self.loss.per_cell(prediction, &counts.target(cells)).expect("the target's shape");
        per_cell.sum(Kind::Float) * self.n_features as f64
    }
}

impl Step {
    /// Of modalities with so many features.
    pub fn new(widths: &[i64]) -> Step {
        let (store, catalogue) = (VarStore::new(Device::Cpu), Catalogue::linked().expect("components"));
        let trunk = Trunk::new(&(store.root() / "trunk"), N_LATENT, 2, WIDTH).expect("a trunk");
        let branch = |(place, width): (usize, &i64)| Branch::new(&store, place, *width, &catalogue);
        let branches = widths.iter().enumerate().map(branch).collect();
        let float = (Kind::Float, Device::Cpu);
        let leaf = |tensor: Tensor| tensor.set_requires_grad(true);
        let mixture = [
            leaf(Tensor::randn([N_COMPONENTS, N_LATENT], float)),
            leaf(Tensor::full([N_COMPONENTS, N_LATENT], 7.8, float)),
            leaf(Tensor::ones([N_COMPONENTS], float)),
        ];
        let mut variables: Vec<(String, Tensor)> = store.variables().into_iter().collect();
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        let (weights, others): (Vec<_>, Vec<_>) = variables.into_iter().partition(|(name, _)| name.ends_with("weight"));
        let rule = AdamRule { learning_rate: 1e-4, beta_1: 0.5, beta_2: 0.7, weight_decay: 1e-4, l1: 0.0 };
        let tensors = |variables: Vec<(String, Tensor)>| variables.into_iter().map(|(_, tensor)| tensor).collect();
        let learned = [tensors(weights), tensors(others), mixture.iter().map(Tensor::shallow_clone).collect()];
        let of = |place: usize, rule: AdamRule| {
            let learned: &Vec<Tensor> = &learned[place];
            Adam::new(learned.iter().map(Tensor::shallow_clone).collect(), rule)
        };
        let of_mixture = AdamRule { learning_rate: 1e-2, ..rule };
        let optimizers = [of(0, AdamRule { l1: 1.0, ..rule }), of(1, rule), of(2, of_mixture)];
        let rows = Tensor::zeros([MINIBATCH, N_LATENT], float);
        Step { store, trunk, branches, rows, mixture, optimizers, learned }
    }

    /// Parameters of the decoder.
    pub fn n_parameters(&self) -> usize {
        self.store.variables().values().map(Tensor::numel).sum()
    }

    /// One step on these cells, gradients added to those that parameters hold, or handed to the optimizers; returns
    /// what it lowers.
    pub fn run(&mut self, cells: &[usize], counts: &[Counts], gradients: Gradients) -> Tensor {
        let rows = self.rows.copy().set_requires_grad(true);
        if gradients == Gradients::Held {
            self.optimizers.iter_mut().for_each(Adam::zero_gradients);
        }
        let hidden = self.trunk.forward(&rows).expect("latent rows");
        let losses = self.branches.iter().zip(counts);
        let losses: Tensor = losses.map(|(branch, counts)| branch.loss(&branch.decode(&hidden), cells, counts)).sum();
        let total = losses + self.prior(&rows);
        match gradients {
            Gradients::Held => {
                total.backward();
                self.optimizers.iter_mut().for_each(Adam::step);
            }
            Gradients::Handed => {
                let learned: Vec<Tensor> =
                    self.learned.iter().flatten().chain([&rows]).map(Tensor::shallow_clone).collect();
                let mut found = &Tensor::run_backward(&[&total], &learned, false, false)[..];
                for (optimizer, learned) in self.optimizers.iter_mut().zip(&self.learned) {
                    let (own, others) = found.split_at(learned.len());
                    optimizer.step_along(own);
                    found = others;
                }
            }
        }
        total + self.optimizers[0].l1_norm().expect("a penalty")
    }

    /// −ln of a mixture of diagonal Gaussians, without its constant, summed over rows.
    fn prior(&self, rows: &Tensor) -> Tensor {
        let [mean, log_precision, weight] = &self.mixture;
        let squares = (rows.unsqueeze(1) - mean).square() * log_precision.exp();
        let by_component = (log_precision - squares).sum_dim_intlist([-1i64].as_slice(), false, Kind::Float) * 0.5;
        -(by_component + weight.log_softmax(0, Kind::Float)).logsumexp([1i64].as_slice(), false).sum(Kind::Float)
    }

    /// Seconds of the parts of a step, as they are named in the table.
    pub fn profile(&mut self, cells: &[usize], counts: &[Counts]) -> [f64; 6] {
        let rows = self.rows.copy().set_requires_grad(true);
        self.optimizers.iter_mut().for_each(Adam::zero_gradients);
        let mut times = [0.0; 6];
        let mut start = Instant::now();
        let mut lap = |part: usize| times[part] = std::mem::replace(&mut start, Instant::now()).elapsed().as_secs_f64();
        for counts in counts {
            drop(counts.target(cells));
        }
        lap(0);
        let hidden = self.trunk.forward(&rows).expect("latent rows");
        let predictions: Vec<Tensor> = self.branches.iter().map(|branch| branch.decode(&hidden)).collect();
        lap(1);
        let of = self.branches.iter().zip(&predictions).zip(counts);
        let loss: Tensor = of.map(|((branch, prediction), counts)| branch.loss(prediction, cells, counts)).sum();
        lap(2);
        let slopes = Tensor::run_backward(&[&loss], &predictions, true, false);
        drop(slopes);
        lap(3);
        loss.backward();
        // It has gone through the loss again.
        lap(4);
        self.optimizers.iter_mut().for_each(Adam::step);
        lap(5);
        times[4] -= times[3];
        times
    }
}
