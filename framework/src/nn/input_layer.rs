//! The first layer of an encoder: a linear map of features, dense or sparse.

use super::{FirstLayers, Precision, uniform_fan_in, widened, with_dropout};
use crate::minibatch::{Features, SparseFeatures};
use anyhow::{Result, ensure};
use tch::{Tensor, nn};

/// `mode` of embedding_bag that adds up the rows of a bag.
const SUM: i64 = 0;

/// x ↦ x W + b for features, at a cost that follows the stored entries where the features are sparse.
///
/// W is kept as [n_features, n_outputs], so that a sparse row is a weighted sum of rows of W. The initial values are
/// those that a [`Linear`](super::Linear) layer draws from the same seed.
#[derive(Debug)]
pub struct InputLayer {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl InputLayer {
    /// A layer from `n_features` to `n_outputs` numbers; parameters `weight` [n_features, n_outputs] and `bias`.
    ///
    /// # Errors
    /// When the parameters cannot be allocated.
    pub fn new(vars: &nn::Path<'_>, n_features: i64, n_outputs: i64, bias: bool) -> Result<InputLayer> {
        let drawn = uniform_fan_in(&[n_outputs, n_features], n_features)?;
        let weight = vars.f_var_copy("weight", &drawn.tr())?;
        let bias = match bias {
            true => Some(vars.f_var_copy("bias", &uniform_fan_in(&[n_outputs], n_features)?)?),
            false => None,
        };
        Ok(InputLayer { weight, bias })
    }

    /// Drops each feature with probability `dropout` where training, then applies the map.
    ///
    /// Dropping stored entries only is the same as dropping any: zeros stay zeros.
    ///
    /// # Shapes
    /// n_cells × n_features (images are flattened) to n_cells × n_outputs.
    ///
    /// # Errors
    /// When the cells do not have `n_features` features.
    pub fn forward(&self, features: &Features, dropout: f64, training: bool) -> Result<Tensor> {
        let n_features = self.weight.size()[0];
        ensure!(
            features.n_features() == n_features,
            "the layer was built for {n_features} features, but the cells have {}",
            features.n_features()
        );
        let mapped = match features {
            Features::Dense(tensor) => {
                let rows = if tensor.dim() == 2 { tensor.shallow_clone() } else { tensor.f_flatten(1, -1)? };
                let precision = Precision::now();
                let kept = precision.factor(&with_dropout(&rows, dropout, training)?)?;
                widened(kept.f_matmul(&precision.factor(&self.weight)?)?)?
            }
            Features::Sparse(sparse) => self.of_entries(sparse, dropout, training)?,
        };
        Ok(match &self.bias {
            Some(bias) => mapped.f_add(bias)?,
            None => mapped,
        })
    }

    fn of_entries(&self, sparse: &SparseFeatures, dropout: f64, training: bool) -> Result<Tensor> {
        let kept =
            SparseFeatures { values: with_dropout(&sparse.values, dropout, training)?, ..sparse.shallow_clone() };
        FirstLayers::collect(&self.weight, &kept, weighted_sums(&self.weight, &kept)?)
    }
}

/// For each row of `sparse` the sum of rows of `weight` (its features), each times the value: n_cells × columns of `weight`.
pub(super) fn weighted_sums(weight: &Tensor, sparse: &SparseFeatures) -> Result<Tensor> {
    let (by_frequency, sparse_gradient, ends_with_n_entries) = (false, false, true);
    let (sums, _, _, _) = Tensor::f_embedding_bag(
        weight,
        &sparse.indices,
        &sparse.offsets,
        by_frequency,
        SUM,
        sparse_gradient,
        Some(&sparse.values),
        ends_with_n_entries,
    )?;
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Linear, holds_undisturbed};
    use tch::{Device, Kind};

    /// 4 cells × 5 features; the third cell has no entry.
    fn sparse() -> Features {
        Features::Sparse(SparseFeatures {
            offsets: Tensor::from_slice(&[0i64, 2, 3, 3, 6]),
            indices: Tensor::from_slice(&[0i64, 3, 1, 0, 2, 4]),
            values: Tensor::from_slice(&[0.5f32, 2.0, -1.0, 0.25, 3.0, 1.5]),
            n_features: 5,
        })
    }

    fn layer(store: &nn::VarStore) -> InputLayer {
        InputLayer::new(&store.root(), 5, 3, true).unwrap()
    }

    #[test]
    fn sparse_features_give_what_dense_ones_give_with_gradients() {
        let store = nn::VarStore::new(Device::Cpu);
        let layer = layer(&store);
        let output_and_gradient = |features: &Features| {
            let output = layer.forward(features, 0.3, false).unwrap();
            let weight = store.variables().remove("weight").unwrap();
            (
                output.copy(),
                Tensor::run_backward(&[output.square().sum(Kind::Float)], &[weight], false, false).remove(0),
            )
        };
        let (as_sparse, sparse_gradient) = output_and_gradient(&sparse());
        let (as_dense, dense_gradient) = output_and_gradient(&Features::Dense(sparse().to_dense()));
        assert!(as_sparse.allclose(&as_dense, 1e-6, 1e-6, false));
        assert!(sparse_gradient.allclose(&dense_gradient, 1e-5, 1e-6, false));
        assert!(sparse_gradient.abs().sum(Kind::Float).double_value(&[]) > 0.01);
    }

    #[test]
    fn starts_as_a_linear_layer_of_the_same_seed() {
        let equal = || {
            let (store, reference) = (nn::VarStore::new(Device::Cpu), nn::VarStore::new(Device::Cpu));
            tch::manual_seed(3);
            layer(&store);
            tch::manual_seed(3);
            Linear::new(&reference.root(), 5, 3, true).unwrap();
            let (variables, expected) = (store.variables(), reference.variables());
            variables["weight"].tr() == expected["weight"] && variables["bias"] == expected["bias"]
        };
        assert!(holds_undisturbed(equal));
    }

    #[test]
    fn dropout_keeps_the_expectation_on_sparse_values() {
        let store = nn::VarStore::new(Device::Cpu);
        let layer = layer(&store);
        // the same cell, 20,000 times: entries 1 and 2 at features 0 and 3
        let n_cells = 20_000;
        let repeated = Features::Sparse(SparseFeatures {
            offsets: Tensor::arange(n_cells + 1, (Kind::Int64, Device::Cpu)) * 2,
            indices: Tensor::from_slice(&[0i64, 3]).repeat([n_cells]),
            values: Tensor::from_slice(&[1f32, 2.0]).repeat([n_cells]),
            n_features: 5,
        });
        let exact = layer.forward(&repeated, 0.0, true).unwrap().get(0);
        let dropped = layer.forward(&repeated, 0.4, true).unwrap();
        let mean = dropped.mean_dim([0i64].as_slice(), false, Kind::Float);
        assert!((mean - exact).abs().max().double_value(&[]) < 0.05);
        assert!(dropped.std_dim([0i64].as_slice(), false, false).min().double_value(&[]) > 0.0);
    }

    #[test]
    fn refuses_other_features() {
        let store = nn::VarStore::new(Device::Cpu);
        let features = Features::Dense(Tensor::zeros([2, 4], (Kind::Float, Device::Cpu)));
        let error = layer(&store).forward(&features, 0.0, false).unwrap_err();
        assert_eq!(error.to_string(), "the layer was built for 5 features, but the cells have 4");
    }
}
