//! `[fit]`: how latent rows, decoders and encoders are learned.

use super::{DgdFit, MappingFit};
use crate::component::{Problem, Spec, require};
use crate::nn::Precision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The order in which training cells are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// A new random order every epoch.
    #[default]
    Reshuffled,
    /// One random order, the same every epoch (as the published code).
    Fixed,
    /// The order of the data, the same every epoch.
    Sequential,
    /// A new order every epoch, of blocks of 128 neighbouring cells: blocks come in random order, and the cells of every 32
    /// blocks are mixed. For `storage = "disk"` on disks that are slow to find single rows. Cells that lie close together in
    /// the file meet in the same minibatches more often than by chance: where the file is sorted, as by donor, use
    /// `reshuffled`.
    BlockShuffled,
}

/// How latent rows are stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LatentOptimizer {
    /// Adam with moments per row; only the rows of the minibatch move.
    #[default]
    RowwiseAdam,
    /// Adam over the whole table at every step: rows outside the minibatch drift with their momentum (as published).
    DenseAdam,
}

/// The scale of the rows that encoders are taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetScaling {
    /// The learned rows as they are (as published).
    #[default]
    Raw,
    /// Squared errors divided by the variance of each latent dimension over the training cells.
    Standardized,
}

/// How the one-step model visits modalities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// All modalities of a minibatch in one step.
    #[default]
    Joint,
    /// A whole epoch of one modality after the other (as published).
    Alternating,
}

/// How the model is learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FitSpec {
    /// `cpu`, `cuda` (the first GPU) or `cuda:1`.
    pub device: String,
    /// Threads for computing; 0 leaves libtorch's own choice.
    pub n_threads: usize,
    /// Whether weights must be the same bits whatever the number of threads: operations then run on one thread (only losses and
    /// Adam use more), which takes up to twice as long on two. Otherwise the same seed gives the same bits on the same machine
    /// with the same number of threads.
    pub deterministic: bool,
    /// Kind of numbers that layers multiply while the model learns: `float32`, or `bf16`, which is several times faster on
    /// processors with AMX and on GPUs (`cithara doctor` measures both). What is inferred from a learned model is computed in 32 bits either way.
    pub precision: Precision,
    /// Seconds between checkpoints, from which `cithara resume` goes on; 0 writes one only when a run is interrupted.
    pub checkpoint_every_secs: f64,
    /// Step 1: latent rows and decoders.
    pub latent: LatentFit,
    /// Step 2: encoders.
    pub encoders: EncodersFit,
    /// The one-step model, for `kind = "autoencoder"`.
    pub one_step: OneStepFit,
    /// Rows, priors and decoders together, for `kind = "dgd"`.
    pub dgd: DgdFit,
    /// Rows of new cells, for `kind = "dgd"`.
    pub mapping: MappingFit,
}

impl Default for FitSpec {
    fn default() -> Self {
        FitSpec {
            device: "cpu".into(),
            n_threads: 0,
            deterministic: false,
            precision: Precision::Float32,
            checkpoint_every_secs: 600.0,
            latent: LatentFit::default(),
            encoders: EncodersFit::default(),
            one_step: OneStepFit::default(),
            dgd: DgdFit::default(),
            mapping: MappingFit::default(),
        }
    }
}

/// Step 1: a trainable row per cell, learned jointly with the decoders (Zhang et al. 2026, Methods, eq. 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LatentFit {
    /// Passes over the training cells, at most.
    pub n_epochs: u64,
    /// Cells per step.
    pub minibatch: usize,
    /// Adam's learning rate for latent rows.
    pub learning_rate_latent: f64,
    /// Adam's learning rate for decoders, losses and priors.
    pub learning_rate_decoder: f64,
    /// Coupled weight decay of decoders.
    pub weight_decay: f64,
    /// Standard deviation of the rows at the start.
    pub initial_sd: f64,
    /// Order of the training cells.
    pub order: Order,
    /// How latent rows are stepped.
    pub latent_optimizer: LatentOptimizer,
    /// Epochs between validations; 0 for none.
    pub validate_every_epochs: u64,
    /// Passes over the validation cells by which their rows are fitted, decoders frozen, at each validation.
    pub n_validation_passes: u64,
    /// Validations without improvement after which to stop; 0 never stops.
    pub patience: u64,
}

impl Default for LatentFit {
    fn default() -> Self {
        LatentFit {
            n_epochs: 40,
            minibatch: 256,
            learning_rate_latent: 3e-2,
            learning_rate_decoder: 1e-3,
            weight_decay: 0.0,
            initial_sd: 0.1,
            order: Order::Reshuffled,
            latent_optimizer: LatentOptimizer::DenseAdam,
            validate_every_epochs: 5,
            n_validation_passes: 10,
            patience: 4,
        }
    }
}

/// Step 2: encoders regress the learned rows, decoders frozen (Zhang et al. 2026, Methods).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EncodersFit {
    /// Passes over the training cells, at most; 0 leaves the encoders out.
    pub n_epochs: u64,
    /// Cells per step.
    pub minibatch: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Coupled weight decay.
    pub weight_decay: f64,
    /// Order of the training cells.
    pub order: Order,
    /// Scale of the rows that encoders are taught.
    pub target_scaling: TargetScaling,
    /// Standard deviation of Gaussian noise added to what encoders see in training, in the units of the prepared values;
    /// above 0 the minibatch is made dense.
    pub input_noise: f64,
    /// Weight of the squared error to the learned rows.
    pub row_weight: f64,
    /// Weight of the loss of each modality decoded, through the frozen decoders, from its own encoder's rows.
    pub reconstruction_weight: f64,
    /// Weight of the loss of each modality decoded, through the frozen decoders, from another modality's encoder.
    pub cross_weight: f64,
    /// Epochs between validations; 0 for none.
    pub validate_every_epochs: u64,
    /// Validations without improvement after which to stop; 0 never stops.
    pub patience: u64,
}

impl Default for EncodersFit {
    fn default() -> Self {
        EncodersFit {
            n_epochs: 20,
            minibatch: 256,
            learning_rate: 1e-3,
            weight_decay: 0.0,
            order: Order::Reshuffled,
            target_scaling: TargetScaling::Raw,
            input_noise: 0.1,
            row_weight: 1.0,
            reconstruction_weight: 0.0,
            cross_weight: 1.0,
            validate_every_epochs: 1,
            patience: 5,
        }
    }
}

/// The one-step baseline: variational encoders and decoders together (Zhang et al. 2026, Methods).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OneStepFit {
    /// Passes over the training cells, at most.
    pub n_epochs: u64,
    /// Cells per step.
    pub minibatch: usize,
    /// Adam's learning rate for encoders and decoders.
    pub learning_rate: f64,
    /// Coupled weight decay.
    pub weight_decay: f64,
    /// Order of the training cells.
    pub order: Order,
    /// How modalities are visited.
    pub schedule: Schedule,
    /// Weight of the divergence of the encoders' posteriors from the priors.
    pub divergence_weight: f64,
    /// Weight of the squared distance between the modalities' estimates of the same shared row.
    pub match_weight: f64,
    /// Epochs between validations; 0 for none.
    pub validate_every_epochs: u64,
    /// Validations without improvement after which to stop; 0 never stops.
    pub patience: u64,
}

impl Default for OneStepFit {
    fn default() -> Self {
        OneStepFit {
            n_epochs: 60,
            minibatch: 256,
            learning_rate: 1e-3,
            weight_decay: 0.0,
            order: Order::Reshuffled,
            schedule: Schedule::Joint,
            divergence_weight: 1e-7,
            match_weight: 1.0,
            validate_every_epochs: 1,
            patience: 10,
        }
    }
}

impl Spec for FitSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let device = self.device.as_str();
        let numbered = device.strip_prefix("cuda:").is_some_and(|n| n.parse::<usize>().is_ok());
        require(
            &mut problems,
            device == "cpu" || device == "cuda" || numbered,
            "device",
            format!("is `{device}`, but must be `cpu`, `cuda` or `cuda:N`"),
        );
        require(
            &mut problems,
            !self.deterministic || self.n_threads <= 1,
            "n_threads",
            format!("is {}, but `deterministic` leaves operations one thread", self.n_threads),
        );
        for (table, minibatch) in [
            ("latent", self.latent.minibatch),
            ("encoders", self.encoders.minibatch),
            ("one_step", self.one_step.minibatch),
            ("dgd", self.dgd.minibatch),
        ] {
            let key = format!("{table}.minibatch");
            require(&mut problems, minibatch >= 2, &key, format!("is {minibatch}, but must be at least 2 cells"));
        }
        for (key, rate) in [
            ("latent.learning_rate_latent", self.latent.learning_rate_latent),
            ("latent.learning_rate_decoder", self.latent.learning_rate_decoder),
            ("encoders.learning_rate", self.encoders.learning_rate),
            ("one_step.learning_rate", self.one_step.learning_rate),
            ("dgd.learning_rate_decoder", self.dgd.learning_rate_decoder),
            ("dgd.learning_rate_latent", self.dgd.learning_rate_latent),
            ("dgd.learning_rate_prior", self.dgd.learning_rate_prior),
            ("dgd.learning_rate_covariate", self.dgd.learning_rate_covariate),
            ("mapping.learning_rate", self.mapping.learning_rate),
        ] {
            require(&mut problems, rate > 0.0 && rate <= 10.0, key, format!("is {rate}, but must be in (0, 10]"));
        }
        for (key, weight) in [
            ("checkpoint_every_secs", self.checkpoint_every_secs),
            ("latent.weight_decay", self.latent.weight_decay),
            ("encoders.weight_decay", self.encoders.weight_decay),
            ("latent.initial_sd", self.latent.initial_sd),
            ("encoders.input_noise", self.encoders.input_noise),
            ("encoders.row_weight", self.encoders.row_weight),
            ("encoders.reconstruction_weight", self.encoders.reconstruction_weight),
            ("encoders.cross_weight", self.encoders.cross_weight),
            ("one_step.weight_decay", self.one_step.weight_decay),
            ("one_step.divergence_weight", self.one_step.divergence_weight),
            ("one_step.match_weight", self.one_step.match_weight),
            ("dgd.weight_decay", self.dgd.weight_decay),
            ("dgd.l1", self.dgd.l1),
            ("mapping.weight_decay", self.mapping.weight_decay),
            ("mapping.new_component_weight", self.mapping.new_component_weight),
        ] {
            require(
                &mut problems,
                weight >= 0.0 && weight.is_finite(),
                key,
                format!("is {weight}, but must be at least 0"),
            );
        }
        for (key, beta) in [
            ("dgd.beta_1", self.dgd.beta_1),
            ("dgd.beta_2", self.dgd.beta_2),
            ("mapping.beta_1", self.mapping.beta_1),
            ("mapping.beta_2", self.mapping.beta_2),
        ] {
            require(&mut problems, (0.0..1.0).contains(&beta), key, format!("is {beta}, but must be in [0, 1)"));
        }
        require(&mut problems, self.mapping.minibatch >= 1, "mapping.minibatch", "is 0, but must be at least 1 cell");
        problems
    }
}
