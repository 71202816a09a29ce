//! ResNet-18, the network that tells phenotypes from images.

use super::{Linear, uniform_fan_in};
use anyhow::{Result, ensure};
use tch::nn::{self, ModuleT};
use tch::{Device, Kind, Tensor};

/// Stages, each of [`N_BLOCKS`] blocks.
const N_STAGES: usize = 4;
/// Blocks of a stage.
const N_BLOCKS: usize = 2;
/// Side of the kernels of blocks, in pixels.
const KERNEL: i64 = 3;
/// Side of the first kernel, in pixels.
const FIRST_KERNEL: i64 = 7;

/// The sizes of a [`ResNet18`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResNetForm {
    /// Channels of an image.
    pub n_channels: i64,
    /// Channels of the maps of each stage.
    pub widths: [i64; N_STAGES],
    /// Numbers that are told of an image: one per class, or one.
    pub n_outputs: i64,
}

impl ResNetForm {
    /// Channels of the first stage as published.
    pub const PUBLISHED_WIDTH: i64 = 64;

    /// A network for images of one channel whose first stage has `width` channels; each further one has twice as many.
    pub fn of_width(width: i64, n_outputs: i64) -> ResNetForm {
        ResNetForm { n_channels: 1, widths: [width, 2 * width, 4 * width, 8 * width], n_outputs }
    }
}

/// A residual network of 18 layers: a convolution of 7 × 7 pixels, a maximum over 3 × 3, four stages of two blocks, the mean of
/// each map, and a linear map.
///
/// Layers and their names are those of torchvision's `resnet18` (stride 2 where maps grow smaller, batch normalisation after
/// each convolution, no biases but the last). Convolutions of the stages start from a normal distribution of variance
/// 2 / (outputs × kernel); the first one, which the paper's authors put in place for images of one channel, from PyTorch's usual
/// values.
///
/// # Source
/// He et al. 2016; Zhang et al. 2026, Methods (classification of phenotypes).
#[derive(Debug)]
pub struct ResNet18 {
    first: Convolution,
    norm: nn::BatchNorm,
    blocks: Vec<ResidualBlock>,
    last: Linear,
}

impl ResNet18 {
    /// A network whose initial values are drawn from libtorch's CPU generator.
    ///
    /// # Errors
    /// When the parameters cannot be allocated.
    pub fn new(vars: &nn::Path<'_>, form: ResNetForm) -> Result<ResNet18> {
        let kernel = [form.widths[0], form.n_channels, FIRST_KERNEL, FIRST_KERNEL];
        let drawn = uniform_fan_in(&kernel, form.n_channels * FIRST_KERNEL * FIRST_KERNEL)?;
        let first = Convolution { weight: (vars / "conv1").f_var_copy("weight", &drawn)?, stride: 2 };
        let mut blocks = Vec::with_capacity(N_STAGES * N_BLOCKS);
        let mut n_inputs = form.widths[0];
        for (stage, &width) in form.widths.iter().enumerate() {
            for block in 0..N_BLOCKS {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let path = vars / format!("layer{}", stage + 1) / block;
                blocks.push(ResidualBlock::new(&path, (n_inputs, width), stride)?);
                n_inputs = width;
            }
        }
        Ok(ResNet18 {
            first,
            norm: batch_norm(&(vars / "bn1"), form.widths[0]),
            blocks,
            last: Linear::new(&(vars / "fc"), n_inputs, form.n_outputs, true)?,
        })
    }

    /// What the network tells of images: logits of classes, or numbers.
    ///
    /// # Shapes
    /// n_cells × n_channels × height × width to n_cells × n_outputs, for images of any size.
    ///
    /// # Errors
    /// When images have other channels, or fewer than two of them are to train on: batch normalisation needs more.
    pub fn forward(&self, images: &Tensor, training: bool) -> Result<Tensor> {
        let n_cells = images.size().first().copied().unwrap_or(0);
        ensure!(
            !training || n_cells >= 2,
            "batch normalisation cannot train on a minibatch of {n_cells} cells; give every minibatch at least 2 cells"
        );
        let maps = self.norm.forward_t(&self.first.forward(images)?, training).f_relu()?;
        let mut maps = maps.f_max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)?;
        for block in &self.blocks {
            maps = block.forward(maps, training)?;
        }
        self.last.forward(&maps.f_mean_dim([2i64, 3].as_slice(), false, None::<Kind>)?)
    }
}

/// Two convolutions whose result is added to their input.
#[derive(Debug)]
struct ResidualBlock {
    convolutions: [(Convolution, nn::BatchNorm); 2],
    /// What brings the input to the form of the result, where they differ.
    shortcut: Option<(Convolution, nn::BatchNorm)>,
}

impl ResidualBlock {
    fn new(vars: &nn::Path<'_>, (n_inputs, n_outputs): (i64, i64), stride: i64) -> Result<ResidualBlock> {
        let layer = |(weight, norm): (&nn::Path<'_>, &nn::Path<'_>), n_inputs: i64, (kernel, stride): (i64, i64)| {
            let convolution = Convolution::new(weight, [n_outputs, n_inputs, kernel, kernel], stride)?;
            Ok::<_, anyhow::Error>((convolution, batch_norm(norm, n_outputs)))
        };
        let is_other = stride != 1 || n_inputs != n_outputs;
        let down = vars / "downsample";
        Ok(ResidualBlock {
            convolutions: [
                layer((&(vars / "conv1"), &(vars / "bn1")), n_inputs, (KERNEL, stride))?,
                layer((&(vars / "conv2"), &(vars / "bn2")), n_outputs, (KERNEL, 1))?,
            ],
            shortcut: match is_other {
                true => Some(layer((&(&down / 0), &(&down / 1)), n_inputs, (1, stride))?),
                false => None,
            },
        })
    }

    fn forward(&self, maps: Tensor, training: bool) -> Result<Tensor> {
        let apply = |(convolution, norm): &(Convolution, nn::BatchNorm), maps: &Tensor| {
            Ok::<_, anyhow::Error>(norm.forward_t(&convolution.forward(maps)?, training))
        };
        let [one, two] = &self.convolutions;
        let changed = apply(two, &apply(one, &maps)?.f_relu()?)?;
        let kept = match &self.shortcut {
            Some(shortcut) => apply(shortcut, &maps)?,
            None => maps,
        };
        Ok(changed.f_add(&kept)?.f_relu()?)
    }
}

/// A convolution without bias that keeps the side of maps, or halves it with stride 2.
#[derive(Debug)]
struct Convolution {
    weight: Tensor,
    stride: i64,
}

impl Convolution {
    fn new(vars: &nn::Path<'_>, shape: [i64; 4], stride: i64) -> Result<Convolution> {
        let sd = (2.0 / (shape[0] * shape[2] * shape[3]) as f64).sqrt();
        let mut drawn = Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?;
        Ok(Convolution { weight: vars.f_var_copy("weight", &drawn.f_normal_(0.0, sd)?)?, stride })
    }

    fn forward(&self, maps: &Tensor) -> Result<Tensor> {
        let padding = (self.weight.size()[2] - 1) / 2;
        let (stride, padding) = ([self.stride; 2], [padding; 2]);
        Ok(maps.f_conv2d(&self.weight, None::<Tensor>, stride, padding, [1, 1], 1)?)
    }
}

fn batch_norm(vars: &nn::Path<'_>, width: i64) -> nn::BatchNorm {
    let form = nn::BatchNormConfig { ws_init: nn::Init::Const(1.0), ..Default::default() };
    nn::batch_norm2d(vars, width, form)
}

#[cfg(test)]
mod tests;
