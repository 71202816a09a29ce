//! Encoder `mlp`: a trunk of fully connected blocks, then one head per latent space.

use crate::range;
use anyhow::{Result, ensure};
use framework::component::{Problem, Spec};
use framework::nn::{Block, BlockForm, BlockOrder, InputBlock, Norm, beside};
use framework::{Encoder, EncoderContext, EncoderSpec, Features, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

/// The named widths of a head's hidden block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeadRule {
    /// As wide as the latent space.
    Latent,
    /// No hidden block: the head is one linear map.
    None,
}

/// The width of a head's hidden block: a name or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected `latent`, `none` or a width such as 128")]
pub enum HeadHidden {
    /// A named rule.
    Rule(HeadRule),
    /// That many numbers.
    Width(#[schemars(range(min = 1, max = range::WIDEST))] i64),
}

/// A multilayer perceptron: features → trunk → one head per latent space.
///
/// Each block drops some of its input, applies a linear map, normalises and activates. Sparse features stay sparse: the
/// first layer costs what the stored entries cost. Where cells have a category (`[condition.*]`), each head reads its vector
/// after what the trunk gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MlpEncoderSpec {
    /// Widths of the blocks that all heads share, each from 1 to 1048576; at least one. Published: [1024, 1024].
    #[schemars(length(min = 1), inner(range(min = 1, max = range::WIDEST)))]
    pub hidden: Vec<i64>,
    /// Width of the hidden block of each head: `latent` (as wide as the latent space, as published), `none` (the head
    /// is one linear map) or a number from 1 to 1048576.
    pub head_hidden: HeadHidden,
    /// Probability with which each number that enters a block is dropped in training, in [0, 1).
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
    /// The same for the features themselves, in [0, 1); `dropout` where it is not given.
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
    /// Whether the last linear map of each head adds a bias (published: no).
    pub output_bias: bool,
}

impl Default for MlpEncoderSpec {
    fn default() -> Self {
        MlpEncoderSpec {
            hidden: vec![1024, 1024],
            head_hidden: HeadHidden::Rule(HeadRule::Latent),
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

impl Spec for MlpEncoderSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        range::hidden(&mut problems, &self.hidden);
        if let HeadHidden::Width(width) = self.head_hidden {
            range::width(&mut problems, "head_hidden", width);
        }
        range::dropout(&mut problems, "dropout", self.dropout);
        if let Some(dropout) = self.input_dropout {
            range::dropout(&mut problems, "input_dropout", dropout);
        }
        range::slope(&mut problems, self.slope);
        problems
    }
}

impl MlpEncoderSpec {
    fn form(&self) -> BlockForm {
        BlockForm {
            dropout: self.dropout,
            bias: self.bias,
            norm: self.norm,
            slope: Some(self.slope),
            order: self.order,
        }
    }

    /// Width of the hidden block of a head for `dim` numbers, if it has one.
    fn head_width(&self, dim: i64) -> Option<i64> {
        match self.head_hidden {
            HeadHidden::Rule(HeadRule::Latent) => Some(dim),
            HeadHidden::Rule(HeadRule::None) => None,
            HeadHidden::Width(width) => Some(width),
        }
    }

    fn head(&self, vars: &nn::Path<'_>, n_inputs: i64, dim: i64) -> Result<HeadNetwork> {
        let hidden = match self.head_width(dim) {
            Some(width) => Some(Block::new(&(vars / "hidden"), n_inputs, width, self.form())?),
            None => None,
        };
        let n_last = self.head_width(dim).unwrap_or(n_inputs);
        let output = Block::new(&(vars / "output"), n_last, dim, self.form().output(self.output_bias))?;
        Ok(HeadNetwork { hidden, output })
    }
}

#[typetag::serialize(name = "mlp")]
impl EncoderSpec for MlpEncoderSpec {
    fn build(&self, context: &EncoderContext<'_>) -> Result<Box<dyn Encoder>> {
        let Some((first, rest)) = self.hidden.split_first() else {
            anyhow::bail!("`hidden` is empty, but at least one hidden layer is needed");
        };
        let (vars, n_features) = (&context.vars, context.input.n_features());
        let form = range::input_form(self.form(), self.input_dropout);
        let input = InputBlock::new(&(vars / "trunk" / 0), n_features, *first, form)?;
        let mut trunk = Vec::new();
        let mut width = *first;
        for (place, next) in rest.iter().enumerate() {
            trunk.push(Block::new(&(vars / "trunk" / (place + 1)), width, *next, self.form())?);
            width = *next;
        }
        let mut heads = Vec::new();
        for head in &context.heads {
            ensure!(
                !head.name.contains('.'),
                "the head `{}` has a dot in its name, which parameters cannot have",
                head.name
            );
            heads.push(self.head(&(vars / "heads" / &head.name), width + context.n_condition, head.dim)?);
        }
        Ok(Box::new(MlpEncoder { input, trunk, heads }))
    }
}

#[derive(Debug)]
struct HeadNetwork {
    hidden: Option<Block>,
    output: Block,
}

impl HeadNetwork {
    fn forward(&self, rows: &Tensor, training: bool) -> Result<Tensor> {
        match &self.hidden {
            Some(hidden) => self.output.forward(&hidden.forward(rows, training)?, training),
            None => self.output.forward(rows, training),
        }
    }
}

/// The network of an [`MlpEncoderSpec`].
#[derive(Debug)]
pub struct MlpEncoder {
    input: InputBlock,
    trunk: Vec<Block>,
    heads: Vec<HeadNetwork>,
}

impl Encoder for MlpEncoder {
    fn encode(&self, input: &Features, condition: Option<&Tensor>, training: bool) -> Result<Vec<Tensor>> {
        let mut rows = self.input.forward(input, training)?;
        for block in &self.trunk {
            rows = block.forward(&rows, training)?;
        }
        let rows = beside(rows, condition)?;
        self.heads.iter().map(|head| head.forward(&rows, training)).collect()
    }
}

component! {
    role: Encoder,
    name: "mlp",
    spec: MlpEncoderSpec,
    summary: "a trunk of fully connected blocks with one head per latent space",
    source: "Zhang et al. 2026, Methods (architecture for sequencing data) and its code",
    example: "hidden = [256, 256]\nhead_hidden = \"latent\"\ndropout = 0.1",
}

#[cfg(test)]
mod tests;
