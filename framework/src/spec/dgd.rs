//! `[fit.dgd]` and `[fit.mapping]`: how a decoder-only model is learned, and how rows of new cells are found.

use super::Order;
use crate::fit::AdamRule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When latent rows are stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowStep {
    /// Once an epoch, along the gradients of all its minibatches (as published).
    #[default]
    PerEpoch,
    /// At every minibatch, its rows only.
    PerMinibatch,
}

/// Decoder-only learning: rows, priors and decoders together (Schuster et al. 2024, Methods; its code where the paper is
/// silent).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DgdFit {
    /// Passes over the training cells, at most.
    pub n_epochs: u64,
    /// Cells per step.
    pub minibatch: usize,
    /// Adam's learning rate for trunk, decoders and losses.
    pub learning_rate_decoder: f64,
    /// Adam's learning rate for latent rows.
    pub learning_rate_latent: f64,
    /// Adam's learning rate for priors.
    pub learning_rate_prior: f64,
    /// Adam's learning rate for the priors of spaces that stand for a covariate.
    pub learning_rate_covariate: f64,
    /// Adam's first decay rate.
    pub beta_1: f64,
    /// Adam's second decay rate.
    pub beta_2: f64,
    /// Coupled weight decay of everything that is learned.
    pub weight_decay: f64,
    /// Weight of the sum of the absolute weights of trunk and decoders, added to the objective of every minibatch.
    pub l1: f64,
    /// When latent rows are stepped.
    pub row_step: RowStep,
    /// Order of the training cells.
    pub order: Order,
    /// Epochs before learning may stop early.
    pub min_epochs: u64,
    /// Learning stops when an epoch's loss (of the validation cells if there are any) is above those of as many epochs
    /// before; 0 never stops.
    pub patience: u64,
}

impl Default for DgdFit {
    /// Values that reach good groups and predictions within minutes on thousands of cells; see `examples/README.md`.
    fn default() -> Self {
        DgdFit {
            n_epochs: 100,
            minibatch: 64,
            learning_rate_decoder: 1e-3,
            learning_rate_latent: 0.1,
            learning_rate_prior: 1e-2,
            learning_rate_covariate: 1e-3,
            beta_1: 0.5,
            beta_2: 0.7,
            weight_decay: 1e-4,
            l1: 0.03,
            row_step: RowStep::PerEpoch,
            order: Order::Reshuffled,
            min_epochs: 50,
            patience: 10,
        }
    }
}

impl DgdFit {
    /// Adam at this learning rate, with this weight of an L1 penalty.
    pub(crate) fn rule(&self, learning_rate: f64, l1: f64) -> AdamRule {
        let DgdFit { beta_1, beta_2, weight_decay, .. } = *self;
        AdamRule { learning_rate, beta_1, beta_2, weight_decay, l1 }
    }
}

/// What the best component for a new cell is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// How well it reconstructs the cell (as the published code).
    #[default]
    Reconstruction,
    /// Reconstruction and latent density (as the paper says).
    Density,
}

/// What is done with new cells of a class that the model has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnseenClasses {
    /// They are refused.
    #[default]
    Error,
    /// Their classes are not looked at: covariate rows are found as those of all new cells.
    Naive,
    /// Each such class gets a component, learned with its cells' labels, which the run keeps (Schuster et al. 2024).
    NewComponent,
}

/// How rows of new cells are found: the best component first, then a few steps, everything else frozen (Schuster et al.
/// 2024, Methods).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MappingFit {
    /// What the best component is chosen by.
    pub search: Search,
    /// Steps after the search.
    pub n_steps: u64,
    /// Whether the priors of spaces that stand for a covariate count in those steps.
    pub covariate_prior: bool,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Adam's first decay rate.
    pub beta_1: f64,
    /// Adam's second decay rate.
    pub beta_2: f64,
    /// Coupled weight decay of rows.
    pub weight_decay: f64,
    /// Cells that are mapped at a time; they do not influence each other.
    pub minibatch: usize,
    /// What is done with cells of a class that the model has not seen.
    pub unseen_classes: UnseenClasses,
    /// Steps by which a new component is learned.
    pub n_new_component_steps: u64,
    /// Weight of the labelled prior while a new component is learned.
    pub new_component_weight: f64,
}

impl Default for MappingFit {
    fn default() -> Self {
        MappingFit {
            search: Search::Reconstruction,
            n_steps: 20,
            covariate_prior: true,
            learning_rate: 1e-2,
            beta_1: 0.5,
            beta_2: 0.7,
            weight_decay: 1e-4,
            minibatch: 256,
            unseen_classes: UnseenClasses::Error,
            n_new_component_steps: 100,
            new_component_weight: 10.0,
        }
    }
}

impl MappingFit {
    /// How rows are stepped.
    pub(crate) fn rule(&self) -> AdamRule {
        let MappingFit { learning_rate, beta_1, beta_2, weight_decay, .. } = *self;
        AdamRule { learning_rate, beta_1, beta_2, weight_decay, l1: 0.0 }
    }
}
