//! Decoder `mlp`: fully connected blocks, then a linear map to the features.

use crate::range;
use anyhow::Result;
use framework::component::{Problem, Spec};
use framework::nn::{Block, BlockForm, BlockOrder, Norm};
use framework::{Decoder, DecoderContext, DecoderSpec, FeatureShape, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// A multilayer perceptron: latent row → blocks → one number per feature.
///
/// Each block drops some of its input, applies a linear map, normalises and activates; the last linear map is followed
/// by nothing, so its outputs are what the loss takes them for (logits, log rates or means).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MlpDecoderSpec {
    /// Widths of the hidden blocks, each from 1 to 1048576; at least one. Published: [1024, 1024, 1024].
    #[schemars(length(min = 1), inner(range(min = 1, max = range::WIDEST)))]
    pub hidden: Vec<i64>,
    /// Probability with which each number that enters a block is dropped in training, in [0, 1).
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
    /// The same for the latent row itself, in [0, 1); `dropout` where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub input_dropout: Option<f64>,
    /// Normalisation of hidden numbers: `batch` (over the cells of the minibatch, as published), `layer` (within each
    /// cell) or `none`.
    pub norm: Norm,
    /// Whether the linear maps of hidden blocks add a bias (published: no).
    pub bias: bool,
    /// `norm_activation` (as in the published code) or `activation_norm` (as in the published text).
    pub order: BlockOrder,
    /// Slope of the leaky ReLU below 0, in [0, 1].
    #[schemars(range(min = 0, max = 1))]
    pub slope: f64,
    /// Whether the last linear map adds a bias (published: no).
    pub output_bias: bool,
}

impl Default for MlpDecoderSpec {
    fn default() -> Self {
        MlpDecoderSpec {
            hidden: vec![1024, 1024, 1024],
            dropout: 0.01,
            input_dropout: None,
            norm: Norm::Batch,
            bias: false,
            order: BlockOrder::NormActivation,
            slope: 0.01,
            output_bias: false,
        }
    }
}

impl Spec for MlpDecoderSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        range::hidden(&mut problems, &self.hidden);
        range::dropout(&mut problems, "dropout", self.dropout);
        if let Some(dropout) = self.input_dropout {
            range::dropout(&mut problems, "input_dropout", dropout);
        }
        range::slope(&mut problems, self.slope);
        problems
    }
}

impl MlpDecoderSpec {
    fn form(&self) -> BlockForm {
        BlockForm {
            dropout: self.dropout,
            bias: self.bias,
            norm: self.norm,
            slope: Some(self.slope),
            order: self.order,
        }
    }
}

#[typetag::serialize(name = "mlp")]
impl DecoderSpec for MlpDecoderSpec {
    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>> {
        let vars = &context.vars;
        let mut blocks = Vec::new();
        let mut width = context.n_latent;
        for (place, next) in self.hidden.iter().enumerate() {
            let form = if place == 0 { range::input_form(self.form(), self.input_dropout) } else { self.form() };
            blocks.push(Block::new(&(vars / "hidden" / place), width, *next, form)?);
            width = *next;
        }
        let form = self.form().output(self.output_bias);
        blocks.push(Block::new(&(vars / "output"), width, context.output.n_features(), form)?);
        Ok(Box::new(MlpDecoder { blocks, shape: context.output.clone() }))
    }
}

/// The network of an [`MlpDecoderSpec`].
#[derive(Debug)]
pub struct MlpDecoder {
    blocks: Vec<Block>,
    shape: FeatureShape,
}

impl Decoder for MlpDecoder {
    fn decode(&self, latent: &Tensor, training: bool) -> Result<Tensor> {
        let mut rows = latent.shallow_clone();
        for block in &self.blocks {
            rows = block.forward(&rows, training)?;
        }
        Ok(match self.shape {
            FeatureShape::Vector(_) => rows,
            FeatureShape::Image { channels, height, width } => rows.f_view([-1, channels, height, width])?,
        })
    }
}

component! {
    role: Decoder,
    name: "mlp",
    spec: MlpDecoderSpec,
    summary: "fully connected blocks and a last linear map to the features",
    source: "Zhang et al. 2026, Methods (architecture for sequencing data) and its code",
    example: "hidden = [256, 256, 256]\ndropout = 0.1",
}

#[cfg(test)]
mod tests;
