//! The fully connected block of the paper's networks for tabular data.

use super::{InputLayer, Linear, Norm, NormLayer, leaky_relu, with_dropout};
use crate::minibatch::Features;
use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

/// What follows the linear map first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockOrder {
    /// Normalise, then activate (as in the published code).
    #[default]
    NormActivation,
    /// Activate, then normalise (as in the published text).
    ActivationNorm,
}

/// How a block is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockForm {
    /// Probability with which each number of the block's *input* is dropped in training.
    pub dropout: f64,
    /// Whether the linear map adds a bias.
    pub bias: bool,
    /// Normalisation.
    pub norm: Norm,
    /// Slope of the leaky ReLU below 0; `None`: no activation.
    pub slope: Option<f64>,
    /// Which comes first.
    pub order: BlockOrder,
}

impl BlockForm {
    /// The last block of a network: dropout and a linear map, nothing after.
    pub fn output(self, bias: bool) -> BlockForm {
        BlockForm { bias, norm: Norm::None, slope: None, ..self }
    }
}

impl Default for BlockForm {
    /// As published (code of Zhang et al. 2026): dropout 0.01, no bias, batch normalisation, leaky ReLU of slope 0.01.
    fn default() -> Self {
        BlockForm {
            dropout: 0.01,
            bias: false,
            norm: Norm::Batch,
            slope: Some(0.01),
            order: BlockOrder::NormActivation,
        }
    }
}

/// What follows the linear map: normalisation and activation in their order.
#[derive(Debug)]
struct Finish {
    norm: NormLayer,
    form: BlockForm,
}

impl Finish {
    fn new(vars: &nn::Path<'_>, width: i64, form: BlockForm) -> Finish {
        Finish { norm: NormLayer::new(&(vars / "norm"), form.norm, width), form }
    }

    fn activate(&self, rows: Tensor) -> Result<Tensor> {
        match self.form.slope {
            Some(slope) => leaky_relu(&rows, slope),
            None => Ok(rows),
        }
    }

    fn forward(&self, rows: Tensor, training: bool) -> Result<Tensor> {
        match self.form.order {
            BlockOrder::NormActivation => self.activate(self.norm.forward(rows, training)?),
            BlockOrder::ActivationNorm => self.norm.forward(self.activate(rows)?, training),
        }
    }
}

/// Dropout on the input, linear map, then normalisation and leaky ReLU.
#[derive(Debug)]
pub struct Block {
    linear: Linear,
    finish: Finish,
}

impl Block {
    /// A block from `n_inputs` to `n_outputs` numbers; parameters below `linear` and `norm`.
    ///
    /// # Errors
    /// When the parameters cannot be allocated.
    pub fn new(vars: &nn::Path<'_>, n_inputs: i64, n_outputs: i64, form: BlockForm) -> Result<Block> {
        let linear = Linear::new(&(vars / "linear"), n_inputs, n_outputs, form.bias)?;
        Ok(Block { linear, finish: Finish::new(vars, n_outputs, form) })
    }

    /// Applies the block.
    ///
    /// # Shapes
    /// n_cells × n_inputs to n_cells × n_outputs.
    ///
    /// # Errors
    /// When the rows have another width, or batch normalisation is to train on a single cell.
    pub fn forward(&self, rows: &Tensor, training: bool) -> Result<Tensor> {
        let kept = with_dropout(rows, self.finish.form.dropout, training)?;
        self.finish.forward(self.linear.forward(&kept)?, training)
    }
}

/// A [`Block`] whose input is the features of cells, dense or sparse.
#[derive(Debug)]
pub struct InputBlock {
    layer: InputLayer,
    finish: Finish,
}

impl InputBlock {
    /// A block from `n_features` to `n_outputs` numbers; parameters below `linear` and `norm`.
    ///
    /// # Errors
    /// When the parameters cannot be allocated.
    pub fn new(vars: &nn::Path<'_>, n_features: i64, n_outputs: i64, form: BlockForm) -> Result<InputBlock> {
        let layer = InputLayer::new(&(vars / "linear"), n_features, n_outputs, form.bias)?;
        Ok(InputBlock { layer, finish: Finish::new(vars, n_outputs, form) })
    }

    /// Applies the block.
    ///
    /// # Shapes
    /// n_cells × n_features to n_cells × n_outputs.
    ///
    /// # Errors
    /// When the cells have other features, or batch normalisation is to train on a single cell.
    pub fn forward(&self, features: &Features, training: bool) -> Result<Tensor> {
        let mapped = self.layer.forward(features, self.finish.form.dropout, training)?;
        self.finish.forward(mapped, training)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::holds_undisturbed;
    use tch::{Device, Kind};

    fn rows() -> Tensor {
        Tensor::from_slice(&[1f32, -2.0, 0.5, 4.0, 0.0, -1.0]).view([3, 2])
    }

    fn block(store: &nn::VarStore, form: BlockForm) -> Block {
        Block::new(&store.root(), 2, 4, form).unwrap()
    }

    /// The block by its formula, from the parameters in the store.
    fn expected(store: &nn::VarStore, order: BlockOrder) -> Tensor {
        let h = rows().matmul(&store.variables()["linear.weight"].tr());
        let norm = |x: Tensor| {
            let centred = &x - x.mean_dim([0i64].as_slice(), true, Kind::Float);
            let variance = centred.square().mean_dim([0i64].as_slice(), true, Kind::Float);
            centred / (variance + 1e-5).sqrt()
        };
        match order {
            BlockOrder::NormActivation => leaky_relu(&norm(h), 0.01).unwrap(),
            BlockOrder::ActivationNorm => norm(leaky_relu(&h, 0.01).unwrap()),
        }
    }

    #[test]
    fn both_orders_follow_their_formula() {
        for order in [BlockOrder::NormActivation, BlockOrder::ActivationNorm] {
            let store = nn::VarStore::new(Device::Cpu);
            let block = block(&store, BlockForm { dropout: 0.0, order, ..BlockForm::default() });
            let output = block.forward(&rows(), true).unwrap();
            assert!(output.allclose(&expected(&store, order), 1e-5, 1e-5, false), "{order:?}");
        }
    }

    #[test]
    fn the_first_block_of_dense_features_is_a_block() {
        let equal = || {
            let (store, reference) = (nn::VarStore::new(Device::Cpu), nn::VarStore::new(Device::Cpu));
            tch::manual_seed(2);
            let first = InputBlock::new(&store.root(), 2, 4, BlockForm::default()).unwrap();
            tch::manual_seed(2);
            let block = block(&reference, BlockForm::default());
            let output = first.forward(&Features::Dense(rows()), false).unwrap();
            output.allclose(&block.forward(&rows(), false).unwrap(), 1e-6, 1e-6, false)
        };
        assert!(holds_undisturbed(equal));
    }

    #[test]
    fn dropout_acts_in_training_only_and_repeats_with_the_seed() {
        let store = nn::VarStore::new(Device::Cpu);
        let form = BlockForm { dropout: 0.5, ..BlockForm::default() }.output(false);
        let block = block(&store, form);
        let run = |seed, training| {
            tch::manual_seed(seed);
            block.forward(&rows(), training).unwrap()
        };
        assert!(holds_undisturbed(|| run(4, true) == run(4, true)));
        assert!(holds_undisturbed(|| run(4, true) != run(5, true)));
        assert_eq!(run(4, false), run(5, false));
    }

    #[test]
    fn a_saved_block_is_the_same_block() {
        let (store, mut other) = (nn::VarStore::new(Device::Cpu), nn::VarStore::new(Device::Cpu));
        let block = block(&store, BlockForm::default());
        let _ = block.forward(&rows(), true).unwrap();
        let copy = Block::new(&other.root(), 2, 4, BlockForm::default()).unwrap();
        other.copy(&store).unwrap();
        assert_eq!(copy.forward(&rows(), false).unwrap(), block.forward(&rows(), false).unwrap());
        assert_eq!(store.variables().len(), 5);
    }
}
