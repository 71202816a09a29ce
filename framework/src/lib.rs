//! Everything a model of cells measured by several assays needs, and everything a plugin author imports.
//!
//! The five traits are [`Modality`], [`Encoder`], [`Decoder`], [`LatentPrior`] and [`Loss`]; a [`Step`] prepares the
//! values of a modality. Each is built from a spec, a table of TOML, and declared by [`component!`]. This crate knows no
//! assay and no component by name.

pub mod component;
pub mod data;
mod decoder;
mod encoder;
pub mod fit;
pub mod guard;
pub mod infer;
pub mod latent;
pub mod libtorch;
mod loss;
mod minibatch;
mod modality;
pub mod model;
pub mod nn;
pub mod plugin;
mod prior;
pub mod run;
mod seed;
pub mod spec;
mod step;
pub mod testing;

pub use component::{ComponentInfo, Problem, Role, Spec};
pub use decoder::{Decoder, DecoderContext, DecoderSpec};
pub use encoder::{Encoder, EncoderContext, EncoderSpec, Head};
pub use loss::{Loss, LossContext, LossSpec, Statistics, TargetValues};
pub use minibatch::{FeatureShape, Features, Minibatch, Observed, Part, SparseFeatures, Target, ensure_same_shape};
pub use modality::{Alignment, Defaults, Gathered, Holding, Modality, ModalitySpec, Source};
pub use prior::{CellFacts, LatentPrior, LatentPriorSpec, PriorContext};
pub use seed::{Purpose, Seed};
pub use step::{Step, StepSpec, TrainingBlocks};

pub use {anndata, anyhow, inventory, log, schemars, serde, serde_json, tch, typetag};
