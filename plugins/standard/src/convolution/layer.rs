//! A convolution that halves the side of maps or doubles it, with what follows it.

use anyhow::{Result, ensure};
use framework::nn::{Precision, uniform_fan_in};
use tch::Tensor;
use tch::nn::{self, BatchNorm, ModuleT};

/// Side of the kernels, in pixels.
const KERNEL: i64 = 4;
/// Pixels from one place of the kernel to the next.
const STRIDE: [i64; 2] = [2, 2];
/// Pixels added at each border.
const PADDING: [i64; 2] = [1, 1];
/// Places of a kernel lie side by side.
const DILATION: [i64; 2] = [1, 1];
/// Nothing is added to what a transposed convolution makes: 4 pixels become 8.
const OUTPUT_PADDING: [i64; 2] = [0, 0];
/// Every channel is made of every channel.
const N_GROUPS: i64 = 1;

/// What a layer does with the side of maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A convolution, which halves it.
    Down,
    /// A transposed convolution, which doubles it.
    Up,
}

/// How a layer is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerForm {
    /// Which convolution.
    pub direction: Direction,
    /// Whether batch normalisation follows.
    pub norm: bool,
    /// Slope below 0 of the leaky ReLU that comes last; `None`: no activation.
    pub slope: Option<f64>,
}

/// A convolution without bias (kernel 4, stride 2, padding 1), batch normalisation and leaky ReLU.
#[derive(Debug)]
pub struct ConvLayer {
    weight: Tensor,
    norm: Option<BatchNorm>,
    form: LayerForm,
}

impl ConvLayer {
    /// A layer between these numbers of channels, parameters below `weight` and `norm`, with PyTorch's initial values.
    ///
    /// # Errors
    /// When the parameters cannot be allocated.
    pub fn new(vars: &nn::Path<'_>, n_inputs: i64, n_outputs: i64, form: LayerForm) -> Result<ConvLayer> {
        // PyTorch takes the second number of the shape for the fan-in of either convolution.
        let channels = match form.direction {
            Direction::Down => [n_outputs, n_inputs],
            Direction::Up => [n_inputs, n_outputs],
        };
        let shape = [channels[0], channels[1], KERNEL, KERNEL];
        let weight = vars.f_var_copy("weight", &uniform_fan_in(&shape, channels[1] * KERNEL * KERNEL)?)?;
        let norm = form.norm.then(|| {
            let with = nn::BatchNormConfig { ws_init: nn::Init::Const(1.0), ..Default::default() };
            nn::batch_norm2d(vars / "norm", n_outputs, with)
        });
        Ok(ConvLayer { weight, norm, form })
    }

    /// Applies the layer, in the present [`Precision`]: where that is of 16 bits, so are the maps that come out.
    ///
    /// # Shapes
    /// n_cells × n_inputs × side × side to n_cells × n_outputs × side / 2 × side / 2, or side · 2.
    ///
    /// # Errors
    /// When the maps have other channels, or batch normalisation is to train on fewer than two cells.
    pub fn forward(&self, maps: &Tensor, training: bool) -> Result<Tensor> {
        let convolved = self.convolve(maps)?;
        let normed = match &self.norm {
            Some(norm) => {
                let n_cells = convolved.size()[0];
                ensure!(
                    !training || n_cells >= 2,
                    "batch normalisation cannot train on a minibatch of {n_cells} cells; give every minibatch at least 2 \
                     cells"
                );
                norm.forward_t(&convolved, training)
            }
            None => convolved,
        };
        match self.form.slope {
            Some(slope) => leaky_relu(&normed, slope),
            None => Ok(normed),
        }
    }

    fn convolve(&self, maps: &Tensor) -> Result<Tensor> {
        let precision = Precision::now();
        let (maps, weight, bias) = (precision.factor(maps)?, precision.factor(&self.weight)?, None::<Tensor>);
        Ok(match self.form.direction {
            Direction::Down => maps.f_conv2d(&weight, bias, STRIDE, PADDING, DILATION, N_GROUPS)?,
            Direction::Up => {
                maps.f_conv_transpose2d(&weight, bias, STRIDE, PADDING, OUTPUT_PADDING, N_GROUPS, DILATION)?
            }
        })
    }
}

/// x where x > 0, else `slope` · x, in one pass over the numbers, and one for the gradient.
///
/// The gradient of a leaky ReLU is another tensor times 1 or the slope, by the sign of x; where the other tensor is x,
/// that is the leaky ReLU, whose own operation tch has for a single slope only.
fn leaky_relu(x: &Tensor, slope: f64) -> Result<Tensor> {
    Ok(x.f_detach()?.f_leaky_relu_backward(x, slope, false)?)
}

/// The same maps with the channels of a pixel side by side in memory, which convolutions are faster on.
///
/// # Errors
/// When they are not n_cells × n_channels × height × width.
pub fn channels_last(maps: &Tensor) -> Result<Tensor> {
    let pixels = maps.f_permute([0, 2, 3, 1])?.f_contiguous()?;
    let size = maps.size();
    if size[1] != 1 {
        return Ok(pixels.f_permute([0, 3, 1, 2])?);
    }
    // One channel lies the same either way; the strides say which way is meant.
    let (height, width) = (size[2], size[3]);
    Ok(pixels.f_as_strided(&size, [height * width, 1, width, 1], None)?)
}
