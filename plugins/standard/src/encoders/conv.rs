//! Encoder `conv`: convolutions that halve an image down to 4 × 4 pixels, then one linear map per latent space.

mod heads;

pub use heads::{HeadChannels, HeadChannelsRule};

use crate::convolution::{
    ConvLayer, Crop, Direction, LayerForm, MOST_CHANNELS, SMALLEST_SIDE, channels_last, check_layers, check_width,
};
use anyhow::{Result, ensure};
use framework::component::{Problem, Spec};
use framework::nn::{Linear, Precision, beside, widened};
use framework::{Encoder, EncoderContext, EncoderSpec, Features, component};
use heads::Group;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Convolutions that halve an image down to 4 × 4 pixels, then one linear map per latent space.
///
/// Convolutions have kernel 4, stride 2, padding 1 and no bias. A leaky ReLU follows each, after batch normalisation in
/// all but the first. The maps of a space's channels are flattened and mapped, with a bias, to its numbers; where cells
/// have a category (`[condition.*]`), its vector is put after the flattened maps.
///
/// Images are square, with a side that is a power of two from 8 pixels on; there are as many layers as it takes to come
/// to 4 pixels: all but the last take their channels from the beginning of `channels`, whose last number is repeated
/// where the list is too short, and the last has `n_channels_out`. With the defaults:
///
/// | side | layers | channels after each |
/// |---|---|---|
/// | 8 | 1 | 96 |
/// | 16 | 2 | 64, 96 |
/// | 32 | 3 | 64, 128, 96 |
/// | 64 | 4 | 64, 128, 256, 96 |
/// | 128 (published) | 5 | 64, 128, 256, 256, 96 |
/// | 256 | 6 | 64, 128, 256, 256, 256, 96 |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConvEncoderSpec {
    /// Channels after each convolution but the last, from the image inwards, each from 1 to 65536; at least one number.
    /// The first are used where there are too many, the last is repeated where there are too few. Published:
    /// [64, 128, 256, 256].
    #[schemars(length(min = 1), inner(range(min = 1, max = MOST_CHANNELS)))]
    pub channels: Vec<i64>,
    /// Channels after the last convolution, from 1 to 65536. Published: 96.
    #[schemars(range(min = 1, max = MOST_CHANNELS))]
    pub n_channels_out: i64,
    /// Which of these channels each latent space is read from: `split` (with two spaces five sixths for the first and the
    /// others for the second, so of 96 the published 80 and 16; with any other number of spaces all for each), `all` (all
    /// for each), or a number for each space, in the model's order, which add up to `n_channels_out`.
    pub head_channels: HeadChannels,
    /// Slope of the leaky ReLU below 0, in [0, 1].
    #[schemars(range(min = 0, max = 1))]
    pub slope: f64,
}

impl Default for ConvEncoderSpec {
    fn default() -> Self {
        ConvEncoderSpec {
            channels: vec![64, 128, 256, 256],
            n_channels_out: 96,
            head_channels: HeadChannels::Rule(HeadChannelsRule::Split),
            slope: 0.2,
        }
    }
}

impl Spec for ConvEncoderSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        check_layers(&mut problems, &self.channels, self.slope);
        check_width(&mut problems, "n_channels_out", self.n_channels_out);
        self.head_channels.check(&mut problems, self.n_channels_out);
        problems
    }
}

#[typetag::serialize(name = "conv")]
impl EncoderSpec for ConvEncoderSpec {
    fn build(&self, context: &EncoderContext<'_>) -> Result<Box<dyn Encoder>> {
        let (vars, crop) = (&context.vars, Crop::of(&context.input)?);
        let mut layers = Vec::new();
        for (place, pair) in crop.widths(&self.channels, self.n_channels_out).windows(2).enumerate() {
            let form = LayerForm { direction: Direction::Down, norm: place > 0, slope: Some(self.slope) };
            layers.push(ConvLayer::new(&(vars / "layers" / place), pair[0], pair[1], form)?);
        }
        let groups = self.head_channels.groups(&context.heads, self.n_channels_out)?;
        let mut heads = Vec::new();
        for (head, channels) in context.heads.iter().zip(groups) {
            ensure!(
                !head.name.contains('.'),
                "the head `{}` has a dot in its name, which parameters cannot have",
                head.name
            );
            let n_inputs = channels.n * SMALLEST_SIDE * SMALLEST_SIDE + context.n_condition;
            let linear = Linear::new(&(vars / "heads" / &head.name), n_inputs, head.dim, true)?;
            heads.push(ConvHead { channels, linear });
        }
        Ok(Box::new(ConvEncoder { crop, layers, heads }))
    }
}

#[derive(Debug)]
struct ConvHead {
    channels: Group,
    linear: Linear,
}

impl ConvHead {
    /// From the smallest maps of all channels, and what says of which category a cell is, to the rows of a space.
    fn forward(&self, maps: &Tensor, condition: Option<&Tensor>) -> Result<Tensor> {
        let rows = widened(maps.f_narrow(1, self.channels.first, self.channels.n)?.f_flatten(1, -1)?)?;
        self.linear.forward(&beside(rows, condition)?)
    }
}

/// The network of a [`ConvEncoderSpec`].
#[derive(Debug)]
pub struct ConvEncoder {
    crop: Crop,
    layers: Vec<ConvLayer>,
    heads: Vec<ConvHead>,
}

impl ConvEncoder {
    /// n_cells × n_channels_out × 4 × 4.
    fn maps(&self, images: &Tensor, training: bool) -> Result<Tensor> {
        let mut maps = channels_last(&Precision::now().factor(images)?)?;
        for layer in &self.layers {
            maps = layer.forward(&maps, training)?;
        }
        Ok(maps)
    }
}

impl Encoder for ConvEncoder {
    fn encode(&self, input: &Features, condition: Option<&Tensor>, training: bool) -> Result<Vec<Tensor>> {
        let Crop { n_channels, side } = self.crop;
        let images = match input {
            Features::Dense(images) if images.size().get(1..) == Some(&[n_channels, side, side]) => images,
            Features::Dense(other) => anyhow::bail!(
                "the encoder was built for images of {n_channels} × {side} × {side}, but its input has shape {:?}",
                other.size()
            ),
            Features::Sparse(_) => anyhow::bail!(
                "the encoder was built for images of {n_channels} × {side} × {side}, but its input is sparse rows of \
                 features; images are dense"
            ),
        };
        let maps = self.maps(images, training)?;
        self.heads.iter().map(|head| head.forward(&maps, condition)).collect()
    }
}

component! {
    role: Encoder,
    name: "conv",
    spec: ConvEncoderSpec,
    summary: "convolutions that halve an image down to 4 × 4 pixels, with one linear head per latent space",
    source: "Zhang et al. 2026, Methods (images) and its code",
    example: "channels = [64, 128, 256, 256]\nn_channels_out = 96",
}

#[cfg(test)]
mod tests;
