//! Encoders: networks that infer latent rows from what was measured.

use crate::component::Spec;
use crate::minibatch::{FeatureShape, Features};
use anyhow::Result;
use tch::{Tensor, nn};

/// One output of an encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Name of the latent space (or of its log standard deviation) that the head infers.
    pub name: String,
    /// Numbers per cell.
    pub dim: i64,
}

/// What an encoder is told when it is built.
#[derive(Debug)]
pub struct EncoderContext<'a> {
    /// Where its parameters are kept.
    pub vars: nn::Path<'a>,
    /// The form of one cell's features.
    pub input: FeatureShape,
    /// The outputs wanted, in order.
    pub heads: Vec<Head>,
    /// Numbers per cell that say of which category it is, for each head to read beside what the network makes of the features; 0
    /// where cells have none. A network that cannot use them refuses any other number.
    pub n_condition: i64,
}

/// Infers latent rows from the features of one modality.
pub trait Encoder: Send {
    /// One tensor per head, n_cells × dim; `condition` is n_cells × n_condition, `None` where n_condition is 0.
    ///
    /// # Errors
    /// When the features or the condition do not have the form that it was built for.
    fn encode(&self, input: &Features, condition: Option<&Tensor>, training: bool) -> Result<Vec<Tensor>>;
}

/// The table that an encoder is built from.
#[typetag::serialize(tag = "kind")]
pub trait EncoderSpec: Spec {
    /// Makes the network; parameters are drawn from libtorch's generator.
    ///
    /// # Errors
    /// When it cannot work on this form of features.
    fn build(&self, context: &EncoderContext<'_>) -> Result<Box<dyn Encoder>>;
}
