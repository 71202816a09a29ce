//! Decoders: networks that predict what an assay would measure.

use crate::component::Spec;
use crate::minibatch::FeatureShape;
use anyhow::Result;
use tch::{Tensor, nn};

/// What a decoder is told when it is built.
#[derive(Debug)]
pub struct DecoderContext<'a> {
    /// Where its parameters are kept.
    pub vars: nn::Path<'a>,
    /// Width of the rows that it reads: its spaces side by side, and after them what says of which category a cell is, where
    /// there is such.
    pub n_latent: i64,
    /// The form of one cell's features.
    pub output: FeatureShape,
}

/// Predicts the features of one modality from latent rows.
pub trait Decoder: Send {
    /// One value per feature and cell, in the parameter that the loss works with (logits, log rates or means).
    ///
    /// # Shapes
    /// n_cells × n_latent to n_cells × n_features (images: n_cells × channels × height × width).
    ///
    /// # Errors
    /// When the rows do not have the width that it was built for.
    fn decode(&self, latent: &Tensor, training: bool) -> Result<Tensor>;
}

/// The table that a decoder is built from.
#[typetag::serialize(tag = "kind")]
pub trait DecoderSpec: Spec {
    /// Makes the network; parameters are drawn from libtorch's generator.
    ///
    /// # Errors
    /// When it cannot make this form of features.
    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>>;
}
