//! Latent spaces, decoders, priors and losses joined; the objective, written once.

mod build;
mod condition;
mod early;
mod objective;
mod trunk;

pub use build::{Dimensions, build_model};
pub use condition::{Condition, Told};
pub use early::EarlyGradients;
pub use objective::{Objective, Reduction, Terms};
pub use trunk::SharedTrunk;

use crate::spec::MappingFit;
use crate::{Decoder, Encoder, LatentPrior, Loss, TargetValues};
use tch::nn::VarStore;

/// One latent space of a model.
pub struct Space {
    /// Its name in the spec.
    pub name: String,
    /// Numbers per cell.
    pub dim: i64,
    /// Indices of the modalities whose decoders read it.
    pub modalities: Vec<usize>,
    /// Standard deviation of the noise added in training.
    pub noise: f64,
    /// Whether it stands for the classes of a covariate.
    pub is_covariate: bool,
    /// Which rows are plausible.
    pub prior: Box<dyn LatentPrior>,
}

/// The networks and the loss of one modality.
pub struct Branch {
    /// Name of the modality in the spec.
    pub name: String,
    /// Indices of the spaces that the full decoder reads, in order.
    pub reads: Vec<usize>,
    /// The decoder that reads all of them.
    pub decoder: Box<dyn Decoder>,
    /// Indices of the spaces that the shared decoder reads, in order.
    pub reads_shared: Vec<usize>,
    /// The decoder that reads shared spaces only, if the model has one.
    pub shared_decoder: Option<Box<dyn Decoder>>,
    /// Compares predictions with measurements.
    pub loss: Box<dyn Loss>,
    /// Weight of its losses in the objective.
    pub weight: f64,
    /// Infers rows of `reads`, in that order (then their log standard deviations, if variational); `None` in a model whose
    /// rows are found by optimisation.
    pub encoder: Option<Box<dyn Encoder>>,
    /// Numbers per cell.
    pub n_features: i64,
    /// The conditions that its networks are told, in the model's order.
    pub conditions: Vec<Told>,
}

/// A whole model; latent tables belong to its fit.
pub struct Model {
    /// The latent spaces, in the order of the spec.
    pub spaces: Vec<Space>,
    /// One branch per modality, in the order of the spec.
    pub branches: Vec<Branch>,
    /// Categories of cells that networks are told, in the order of the spec.
    pub conditions: Vec<Condition>,
    /// The layers that all decoders share, if the model has them.
    pub trunk: Option<SharedTrunk>,
    /// How rows of cells are found in a model without encoders.
    pub mapping: Option<MappingFit>,
    /// Parameters of decoders, losses and priors.
    pub generative: VarStore,
    /// Parameters of encoders.
    pub inference: VarStore,
    /// Whether encoders also give log standard deviations.
    pub variational: bool,
}

impl Model {
    /// The numbers that each modality's loss compares with.
    pub fn target_values(&self) -> Vec<TargetValues> {
        self.branches.iter().map(|branch| branch.loss.target()).collect()
    }

    /// Whether more than one modality reads a space.
    pub fn is_shared(&self, space: usize) -> bool {
        self.spaces[space].modalities.len() > 1
    }

    /// Whether two modalities read a common space, so that one can be predicted from the other.
    pub fn share_a_space(&self, left: usize, right: usize) -> bool {
        self.spaces.iter().any(|space| space.modalities.contains(&left) && space.modalities.contains(&right))
    }

    /// Index of a condition by name.
    pub fn condition(&self, name: &str) -> Option<usize> {
        self.conditions.iter().position(|condition| condition.name == name)
    }

    /// Index of a modality by name.
    pub fn branch(&self, name: &str) -> Option<usize> {
        self.branches.iter().position(|branch| branch.name == name)
    }

    /// All parameters and running averages by name, sorted: `condition.…`, `decoder.…`, `encoder.…`,
    /// `encoder_condition.…`, `loss.…`, `prior.…`.
    pub fn variables(&self) -> Vec<(String, tch::Tensor)> {
        let mut variables: Vec<_> = self.generative.variables().into_iter().chain(self.inference.variables()).collect();
        variables.sort_by(|(left, _), (right, _)| left.cmp(right));
        variables
    }

    /// Trainable numbers in decoders, losses and priors, and in encoders.
    pub fn n_parameters(&self) -> (usize, usize) {
        let count = |vars: &VarStore| vars.trainable_variables().iter().map(tch::Tensor::numel).sum();
        (count(&self.generative), count(&self.inference))
    }
}

/// Trainable tensors of a store, sorted by name, so that their order never depends on hashing.
pub fn trainable(vars: &VarStore) -> Vec<tch::Tensor> {
    let mut named: Vec<_> = vars.variables().into_iter().filter(|(_, tensor)| tensor.requires_grad()).collect();
    named.sort_by(|(left, _), (right, _)| left.cmp(right));
    named.into_iter().map(|(_, tensor)| tensor).collect()
}
