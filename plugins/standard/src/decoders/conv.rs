//! Decoder `conv`: a linear map to 4 × 4 pixels, then transposed convolutions that double them up to the image.

use crate::convolution::{
    ConvLayer, Crop, Direction, LayerForm, MOST_CHANNELS, SMALLEST_SIDE, channels_last, check_layers, check_width,
};
use anyhow::Result;
use framework::component::{Problem, Spec};
use framework::nn::{Linear, Precision, widened};
use framework::{Decoder, DecoderContext, DecoderSpec, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// A linear map of the latent row to maps of 4 × 4 pixels, then transposed convolutions that double them up to the image.
///
/// The linear map has a bias and is followed by a ReLU. Transposed convolutions have kernel 4, stride 2, padding 1 and no
/// bias; batch normalisation and a leaky ReLU follow all but the last. Nothing follows the last unless `sigmoid` is set,
/// so its outputs are what the loss takes them for (logits or means).
///
/// Images are square, with a side that is a power of two from 8 pixels on; there are as many layers as it takes to come
/// there from 4 pixels. The decoder mirrors the encoder of the same name: its list of channels goes from the image
/// inwards, too. With the defaults:
///
/// | side | layers | channels, from the smallest maps to the image's own |
/// |---|---|---|
/// | 8 | 1 | 96, image |
/// | 16 | 2 | 96, 64, image |
/// | 32 | 3 | 96, 128, 64, image |
/// | 64 | 4 | 96, 256, 128, 64, image |
/// | 128 (published) | 5 | 96, 256, 256, 128, 64, image |
/// | 256 | 6 | 96, 256, 256, 256, 128, 64, image |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConvDecoderSpec {
    /// Channels before each transposed convolution but the first, from the image inwards as in the encoder, each from 1 to
    /// 65536; at least one number. The first are used where there are too many, the last is repeated where there are too
    /// few. Published: [64, 128, 256, 256].
    #[schemars(length(min = 1), inner(range(min = 1, max = MOST_CHANNELS)))]
    pub channels: Vec<i64>,
    /// Channels of the maps of 4 × 4 pixels, from 1 to 65536. Published: 96.
    #[schemars(range(min = 1, max = MOST_CHANNELS))]
    pub n_channels_in: i64,
    /// Slope of the leaky ReLU below 0, in [0, 1].
    #[schemars(range(min = 0, max = 1))]
    pub slope: f64,
    /// Whether a sigmoid follows the last convolution. Published: `true` with the loss `mse`, `false` with `bce`, which
    /// takes logits.
    pub sigmoid: bool,
}

impl Default for ConvDecoderSpec {
    fn default() -> Self {
        ConvDecoderSpec { channels: vec![64, 128, 256, 256], n_channels_in: 96, slope: 0.2, sigmoid: false }
    }
}

impl Spec for ConvDecoderSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        check_layers(&mut problems, &self.channels, self.slope);
        check_width(&mut problems, "n_channels_in", self.n_channels_in);
        problems
    }
}

#[typetag::serialize(name = "conv")]
impl DecoderSpec for ConvDecoderSpec {
    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>> {
        let (vars, crop) = (&context.vars, Crop::of(&context.output)?);
        let n_first = self.n_channels_in * SMALLEST_SIDE * SMALLEST_SIDE;
        let first = Linear::new(&(vars / "first"), context.n_latent, n_first, true)?;
        let mut layers = Vec::new();
        for (place, pair) in crop.widths(&self.channels, self.n_channels_in).windows(2).enumerate().rev() {
            let form =
                LayerForm { direction: Direction::Up, norm: place > 0, slope: (place > 0).then_some(self.slope) };
            layers.push(ConvLayer::new(&(vars / "layers" / (crop.depth() - 1 - place)), pair[1], pair[0], form)?);
        }
        Ok(Box::new(ConvDecoder { first, layers, n_channels_in: self.n_channels_in, sigmoid: self.sigmoid }))
    }
}

/// The network of a [`ConvDecoderSpec`].
#[derive(Debug)]
pub struct ConvDecoder {
    first: Linear,
    layers: Vec<ConvLayer>,
    n_channels_in: i64,
    sigmoid: bool,
}

impl ConvDecoder {
    /// n_cells × n_channels_in × 4 × 4.
    fn smallest_maps(&self, rows: &Tensor) -> Result<Tensor> {
        let size = [-1, self.n_channels_in, SMALLEST_SIDE, SMALLEST_SIDE];
        channels_last(&Precision::now().factor(&self.first.forward(rows)?.f_relu()?.f_view(size)?)?)
    }
}

impl Decoder for ConvDecoder {
    fn decode(&self, latent: &Tensor, training: bool) -> Result<Tensor> {
        let mut maps = self.smallest_maps(latent)?;
        for layer in &self.layers {
            maps = layer.forward(&maps, training)?;
        }
        let maps = widened(maps)?;
        Ok(if self.sigmoid { maps.f_sigmoid()? } else { maps })
    }
}

component! {
    role: Decoder,
    name: "conv",
    spec: ConvDecoderSpec,
    summary: "a linear map to 4 × 4 pixels and transposed convolutions that double them up to the image",
    source: "Zhang et al. 2026, Methods (images) and its code",
    example: "channels = [64, 128, 256, 256]\nn_channels_in = 96",
}

#[cfg(test)]
mod tests;
