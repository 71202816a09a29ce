//! Normalisation of hidden rows, by name.

use anyhow::{Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::{self, ModuleT};
use tch::{Tensor, nn::Module};

/// How hidden rows are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Each number over the cells of the minibatch; running means in prediction.
    #[default]
    Batch,
    /// The numbers of each cell.
    Layer,
    /// Not at all.
    None,
}

/// A normalisation with its parameters.
#[derive(Debug)]
pub enum NormLayer {
    /// Batch normalisation: ε 1e-5, momentum 0.1, scale 1 and shift 0 at the start.
    Batch(nn::BatchNorm),
    /// Layer normalisation: ε 1e-5, scale 1 and shift 0 at the start.
    Layer(nn::LayerNorm),
    /// Nothing.
    None,
}

impl NormLayer {
    /// The normalisation of rows of `width` numbers.
    pub fn new(vars: &nn::Path<'_>, norm: Norm, width: i64) -> NormLayer {
        match norm {
            Norm::Batch => {
                let form = nn::BatchNormConfig { ws_init: nn::Init::Const(1.0), ..Default::default() };
                NormLayer::Batch(nn::batch_norm1d(vars, width, form))
            }
            Norm::Layer => NormLayer::Layer(nn::layer_norm(vars, vec![width], Default::default())),
            Norm::None => NormLayer::None,
        }
    }

    /// Applies the normalisation to n_cells × width numbers.
    ///
    /// # Errors
    /// When batch normalisation is to train on fewer than two cells: their variance does not exist.
    pub fn forward(&self, rows: Tensor, training: bool) -> Result<Tensor> {
        match self {
            NormLayer::Batch(norm) => {
                let n_cells = rows.size()[0];
                ensure!(
                    !training || n_cells >= 2,
                    "batch normalisation cannot train on a minibatch of {n_cells} cells; give every minibatch at least 2 \
                     cells or set `norm = \"layer\"`"
                );
                Ok(norm.forward_t(&rows, training))
            }
            NormLayer::Layer(norm) => Ok(norm.forward(&rows)),
            NormLayer::None => Ok(rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    fn forward(norm: Norm, rows: Tensor, training: bool) -> Result<Tensor> {
        let store = nn::VarStore::new(Device::Cpu);
        let width = rows.size()[1];
        NormLayer::new(&store.root(), norm, width).forward(rows, training)
    }

    #[test]
    fn batch_norm_scales_over_cells() {
        let rows = Tensor::from_slice(&[1f32, 10.0, 3.0, 30.0]).view([2, 2]);
        let normed = forward(Norm::Batch, rows, true).unwrap();
        // (1 − 2)/√(1 + 1e-5) and (10 − 20)/√(100 + 1e-5)
        let expected = Tensor::from_slice(&[-0.999_995f32, -0.999_999_95, 0.999_995, 0.999_999_95]).view([2, 2]);
        assert!(normed.allclose(&expected, 1e-6, 1e-6, false));
    }

    #[test]
    fn layer_norm_scales_within_a_cell() {
        let rows = Tensor::from_slice(&[1f32, 3.0, 10.0, 30.0]).view([2, 2]);
        let normed = forward(Norm::Layer, rows, true).unwrap();
        let expected = Tensor::from_slice(&[-1f32, 1.0, -1.0, 1.0]).view([2, 2]);
        assert!(normed.allclose(&expected, 1e-5, 1e-5, false));
    }

    #[test]
    fn a_single_cell_is_refused_in_training_only() {
        let row = || Tensor::ones([1, 3], (Kind::Float, Device::Cpu));
        let error = forward(Norm::Batch, row(), true).unwrap_err().to_string();
        assert!(error.starts_with("batch normalisation cannot train on a minibatch of 1 cells"), "{error}");
        assert!(forward(Norm::Batch, row(), false).is_ok());
        assert!(forward(Norm::Layer, row(), true).is_ok());
    }
}
