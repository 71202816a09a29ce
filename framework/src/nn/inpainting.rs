//! The paired-cell inpainting network: a baseline that paints a protein into a cell after the example of another cell.

use super::uniform_fan_in;
use anyhow::{Result, ensure};
use tch::Tensor;
use tch::nn::{self, ModuleT};

/// Side of the kernels, in pixels.
const KERNEL: i64 = 3;
/// How often maps are halved, and doubled again.
const N_HALVINGS: u32 = 2;

/// The sizes of an [`InpaintingNetwork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InpaintingForm {
    /// Channels of the first layer that sees the target's chromatin; all other widths are multiples of it.
    pub width: i64,
}

impl InpaintingForm {
    /// The width as published: layers of 96, 256 and 384 channels for the source, of 16 and 32 for the target.
    pub const PUBLISHED_WIDTH: i64 = 16;

    /// Channels in and out of the layers that read chromatin and protein of the source, in order.
    fn source(self) -> [(i64, i64); 5] {
        let [narrow, middle, wide] = self.widths();
        [(2, narrow), (narrow, middle), (middle, wide), (wide, wide), (wide, middle)]
    }

    /// Channels in and out of the layers that read the chromatin of the target.
    fn target(self) -> [(i64, i64); 3] {
        let width = self.width;
        [(1, width), (width, 2 * width), (2 * width, 2 * width)]
    }

    /// Channels in and out of the layers that paint.
    fn decoder(self) -> [(i64, i64); 5] {
        let [narrow, middle, wide] = self.widths();
        [(middle + 2 * self.width, middle), (middle, wide), (wide, wide), (wide, middle), (middle, narrow)]
    }

    fn widths(self) -> [i64; 3] {
        [6, 16, 24].map(|times| times * self.width)
    }
}

/// Paints the protein of a target cell from its chromatin and from chromatin and protein of a source cell.
///
/// Both are brought to a quarter of their side by convolutions of 3 × 3 pixels that keep it and maxima over 2 × 2, put beside each
/// other, and brought back by convolutions and bilinear upsampling; a convolution of one pixel tells the brightness, with no
/// activation. Each convolution but the last has a bias, and is followed by ReLU, then batch normalisation (in this order, as in
/// the code of the baseline). A maximum follows the first two layers of the source and of the target; upsampling by 2 comes before
/// the last two layers of the decoder.
///
/// # Source
/// Lu et al. 2019 (paired-cell inpainting); widths as in Zhang et al. 2026, code.
#[derive(Debug)]
pub struct InpaintingNetwork {
    source: Vec<Layer>,
    target: Vec<Layer>,
    decoder: Vec<Layer>,
    last: Convolution,
}

impl InpaintingNetwork {
    /// A network whose initial values are drawn from libtorch's CPU generator, as PyTorch draws those of convolutions.
    ///
    /// # Errors
    /// When the parameters cannot be allocated.
    pub fn new(vars: &nn::Path<'_>, form: InpaintingForm) -> Result<InpaintingNetwork> {
        let layers = |name: &str, widths: &[(i64, i64)]| -> Result<Vec<Layer>> {
            let path = vars / name;
            widths.iter().enumerate().map(|(place, &widths)| Layer::new(&(&path / place), widths)).collect()
        };
        let [narrow, ..] = form.widths();
        Ok(InpaintingNetwork {
            source: layers("source", &form.source())?,
            target: layers("target", &form.target())?,
            decoder: layers("decoder", &form.decoder())?,
            last: Convolution::new(&(vars / "last"), (narrow, 1), 1)?,
        })
    }

    /// The protein of target cells; `source` is chromatin and protein of other cells, in this order, `chromatin` that of the
    /// target cells.
    ///
    /// # Shapes
    /// n × 2 × height × width and n × 1 × height × width to n × 1 × height × width; both sides multiples of 4.
    ///
    /// # Errors
    /// When images have other channels or sides, or fewer than two of them are to train on: batch normalisation needs more.
    pub fn forward(&self, source: &Tensor, chromatin: &Tensor, training: bool) -> Result<Tensor> {
        let size = chromatin.size();
        let [n, _, height, width] = size[..] else {
            anyhow::bail!("images have shape {size:?}; expected four dimensions")
        };
        let factor = 2i64.pow(N_HALVINGS);
        ensure!(
            height % factor == 0 && width % factor == 0,
            "images have {height} × {width} pixels; this network needs sides that are multiples of {factor}"
        );
        ensure!(
            !training || n >= 2,
            "batch normalisation cannot train on a minibatch of {n} cells; give every minibatch at least 2 cells"
        );
        let encoded = |layers: &[Layer], images: &Tensor| -> Result<Tensor> {
            let mut maps = images.shallow_clone();
            for (place, layer) in layers.iter().enumerate() {
                maps = layer.forward(&maps, training)?;
                if place < N_HALVINGS as usize {
                    maps = maps.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)?;
                }
            }
            Ok(maps)
        };
        let mut maps = Tensor::f_cat(&[encoded(&self.source, source)?, encoded(&self.target, chromatin)?], 1)?;
        for (place, layer) in self.decoder.iter().enumerate() {
            if place + N_HALVINGS as usize >= self.decoder.len() {
                let size = maps.size();
                maps = maps.f_upsample_bilinear2d([2 * size[2], 2 * size[3]], false, None, None)?;
            }
            maps = layer.forward(&maps, training)?;
        }
        self.last.forward(&maps)
    }
}

/// A convolution, ReLU, batch normalisation.
#[derive(Debug)]
struct Layer {
    convolution: Convolution,
    norm: nn::BatchNorm,
}

impl Layer {
    fn new(vars: &nn::Path<'_>, widths: (i64, i64)) -> Result<Layer> {
        let form = nn::BatchNormConfig { ws_init: nn::Init::Const(1.0), ..Default::default() };
        let convolution = Convolution::new(&(vars / "conv"), widths, KERNEL)?;
        Ok(Layer { convolution, norm: nn::batch_norm2d(&(vars / "norm"), widths.1, form) })
    }

    fn forward(&self, maps: &Tensor, training: bool) -> Result<Tensor> {
        Ok(self.norm.forward_t(&self.convolution.forward(maps)?.f_relu()?, training))
    }
}

/// A convolution with bias that keeps the side of maps.
#[derive(Debug)]
struct Convolution {
    weight: Tensor,
    bias: Tensor,
}

impl Convolution {
    fn new(vars: &nn::Path<'_>, (n_inputs, n_outputs): (i64, i64), side: i64) -> Result<Convolution> {
        let fan_in = n_inputs * side * side;
        let weight = uniform_fan_in(&[n_outputs, n_inputs, side, side], fan_in)?;
        let bias = uniform_fan_in(&[n_outputs], fan_in)?;
        Ok(Convolution { weight: vars.f_var_copy("weight", &weight)?, bias: vars.f_var_copy("bias", &bias)? })
    }

    fn forward(&self, maps: &Tensor) -> Result<Tensor> {
        let padding = [(self.weight.size()[2] - 1) / 2; 2];
        Ok(maps.f_conv2d(&self.weight, Some(&self.bias), [1, 1], padding, [1, 1], 1)?)
    }
}

#[cfg(test)]
mod tests;
