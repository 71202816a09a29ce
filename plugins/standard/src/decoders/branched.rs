//! Decoder `branched`: the branch of one modality, whose last hidden layer is as wide as the features call for.

use crate::range;
use anyhow::{Result, bail};
use framework::component::{Problem, Spec, require};
use framework::nn::Linear;
use framework::{Decoder, DecoderContext, DecoderSpec, FeatureShape, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// The most hidden layers.
const DEEPEST: i64 = 64;

/// Widths are multiplied by this at most.
const MOST_TIMES: i64 = 1024;

/// Linear layers with rectifiers between them: latent row → hidden layers → one number per feature.
///
/// Hidden layers are `width_factor` · `width` wide, the last of them `width_factor` · max(`width`, √M) for M features, √M
/// rounded to the nearest whole number (halves to the even one). Every layer adds a bias; nothing follows the last, so
/// its outputs are what the loss takes them for (logits, log rates or means).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BranchedDecoderSpec {
    /// Number of hidden layers, from 0 (one linear map) to 64. Published: 2 for bone marrow, 1 for brain and
    /// gastrulation (in the published code, which counts the last layer, 3 and 2).
    #[schemars(range(min = 0, max = DEEPEST))]
    pub n_hidden: i64,
    /// Width of hidden layers before it is multiplied, from 1 to 1048576. Published: 100.
    #[schemars(range(min = 1, max = range::WIDEST))]
    pub width: i64,
    /// What widths are multiplied by, from 1 to 1024. Published: 1.
    #[schemars(range(min = 1, max = MOST_TIMES))]
    pub width_factor: i64,
}

impl Default for BranchedDecoderSpec {
    fn default() -> Self {
        BranchedDecoderSpec { n_hidden: 2, width: 100, width_factor: 1 }
    }
}

impl Spec for BranchedDecoderSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let message = format!("is {}, but must be from 0 to {DEEPEST}", self.n_hidden);
        require(&mut problems, (0..=DEEPEST).contains(&self.n_hidden), "n_hidden", message);
        range::width(&mut problems, "width", self.width);
        let message = format!("is {}, but must be from 1 to {MOST_TIMES}", self.width_factor);
        require(&mut problems, (1..=MOST_TIMES).contains(&self.width_factor), "width_factor", message);
        if problems.is_empty() {
            let product = self.width * self.width_factor;
            let message = format!("times `width` is {product}, but a width must be from 1 to {}", range::WIDEST);
            require(&mut problems, product <= range::WIDEST, "width_factor", message);
        }
        problems
    }
}

impl BranchedDecoderSpec {
    /// Widths of the hidden layers for so many features.
    pub fn widths(&self, n_features: i64) -> Vec<i64> {
        let root = (n_features as f64).sqrt().round_ties_even() as i64;
        let width = |place| self.width_factor * if place == self.n_hidden { self.width.max(root) } else { self.width };
        (1..=self.n_hidden).map(width).collect()
    }
}

#[typetag::serialize(name = "branched")]
impl DecoderSpec for BranchedDecoderSpec {
    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>> {
        let n_features = match context.output {
            FeatureShape::Vector(n) => n,
            FeatureShape::Image { channels, height, width } => bail!(
                "this decoder makes a row of features, but those of a cell are an image of {channels} × {height} × \
                 {width}; use another decoder, such as `mlp`"
            ),
        };
        let (vars, mut n_inputs) = (&context.vars, context.n_latent);
        let mut hidden = Vec::new();
        for (place, width) in self.widths(n_features).into_iter().enumerate() {
            hidden.push(Linear::new(&(vars / format!("hidden_{place}")), n_inputs, width, true)?);
            n_inputs = width;
        }
        let output = Linear::new(&(vars / "output"), n_inputs, n_features, true)?;
        Ok(Box::new(BranchedDecoder { hidden, output }))
    }
}

/// The network of a [`BranchedDecoderSpec`].
#[derive(Debug)]
pub struct BranchedDecoder {
    hidden: Vec<Linear>,
    output: Linear,
}

impl Decoder for BranchedDecoder {
    fn decode(&self, latent: &Tensor, _training: bool) -> Result<Tensor> {
        let mut rows = latent.shallow_clone();
        for layer in &self.hidden {
            rows = layer.forward(&rows)?.f_relu()?;
        }
        self.output.forward(&rows)
    }
}

component! {
    role: Decoder,
    name: "branched",
    spec: BranchedDecoderSpec,
    summary: "linear layers with rectifiers, the last hidden one as wide as the root of the number of features",
    source: "Schuster et al. 2024, Methods, and its code",
    example: "n_hidden = 2\nwidth = 100",
}

#[cfg(test)]
mod tests;
