//! Gradients of first layers, feature by feature.
//!
//! Autograd sorts all stored entries of a minibatch to find the gradient of a first layer's weights. Where a learner asks for
//! it ([`FirstLayers::during`]), the layer hands out its sums as a leaf of the graph and keeps its input feature by feature;
//! the gradient of a weight row is then a weighted sum of the gradients of the few cells that have the feature.

use crate::minibatch::SparseFeatures;
use anyhow::{Context, Result};
use std::cell::RefCell;
use tch::{Device, Tensor};

use super::input_layer::weighted_sums;

thread_local! {
    static OPEN: RefCell<Option<FirstLayers>> = const { RefCell::new(None) };
}

/// First layers of sparse features that were applied while this was open, and what their gradients need.
#[derive(Debug, Default)]
pub struct FirstLayers {
    applied: Vec<Applied>,
}

/// One application of one layer.
#[derive(Debug)]
struct Applied {
    weight: Tensor,
    /// Its result, a leaf of the graph: n_cells × n_outputs.
    sums: Tensor,
    /// Its input: a row per feature, with cells in place of features.
    cells: SparseFeatures,
}

impl FirstLayers {
    /// Does something with networks whose first layers leave their gradients to [`gradients`](Self::gradients), on this thread.
    pub fn during<T>(work: impl FnOnce() -> T) -> (T, FirstLayers) {
        let _closed = Closed(OPEN.replace(Some(FirstLayers::default())));
        let done = work();
        let layers = OPEN.take().unwrap_or_default();
        (done, layers)
    }

    /// The sums of a layer, as a leaf of the graph where somebody collects them.
    ///
    /// # Errors
    /// When offsets, features and values do not belong together.
    pub(super) fn collect(weight: &Tensor, features: &SparseFeatures, sums: Tensor) -> Result<Tensor> {
        if !sums.requires_grad() || sums.device() != Device::Cpu {
            return Ok(sums);
        }
        OPEN.with_borrow_mut(|open| {
            let Some(layers) = open else { return Ok(sums) };
            let leaf = sums.detach().set_requires_grad(true);
            layers.applied.push(Applied {
                weight: weight.shallow_clone(),
                sums: leaf.shallow_clone(),
                cells: features.transposed()?,
            });
            Ok(leaf)
        })
    }

    /// The gradients of a total by parameters, undefined where it does not depend on one; with `keep_graph` they can be asked
    /// for again.
    ///
    /// # Errors
    /// When a gradient cannot be computed.
    pub fn gradients(&self, total: &Tensor, parameters: &[Tensor], keep_graph: bool) -> Result<Vec<Tensor>> {
        let leaves = self.applied.iter().map(|applied| &applied.sums);
        let wanted: Vec<&Tensor> = parameters.iter().chain(leaves).collect();
        let gradients = Tensor::f_run_backward(&[total], &wanted, keep_graph, false);
        let mut gradients = gradients.context("the gradient of the loss cannot be computed")?;
        let of_sums = gradients.split_off(parameters.len());
        for (applied, gradient) in self.applied.iter().zip(of_sums).filter(|(_, gradient)| gradient.defined()) {
            let is_it = |parameter: &Tensor| parameter.data_ptr() == applied.weight.data_ptr();
            let Some(place) = parameters.iter().position(is_it) else { continue };
            let of_weight = weighted_sums(&gradient.f_contiguous()?, &applied.cells)?;
            let known = &gradients[place];
            gradients[place] = if known.defined() { known.f_add(&of_weight)? } else { of_weight };
        }
        Ok(gradients)
    }
}

/// Puts back what was open before, also where the work panics.
struct Closed(Option<FirstLayers>);

impl Drop for Closed {
    fn drop(&mut self) {
        OPEN.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::minibatch::Features;
    use crate::nn::InputLayer;
    use tch::{Kind, nn};

    /// 3 cells × 4 features; a feature that no cell has, and a cell without any.
    fn features() -> SparseFeatures {
        SparseFeatures {
            offsets: Tensor::from_slice(&[0i64, 3, 3, 5]),
            indices: Tensor::from_slice(&[3i64, 0, 1, 0, 3]),
            values: Tensor::from_slice(&[0.5f32, 2.0, -1.0, 0.25, 3.0]),
            n_features: 4,
        }
    }

    fn network() -> (nn::VarStore, InputLayer) {
        let store = nn::VarStore::new(Device::Cpu);
        let layer = InputLayer::new(&store.root(), 4, 3, true).unwrap();
        (store, layer)
    }

    fn total(layer: &InputLayer) -> Tensor {
        let squared = |scale: f64| {
            let features = SparseFeatures { values: features().values * scale, ..features() };
            layer.forward(&Features::Sparse(features), 0.0, true).unwrap().square().sum(Kind::Float)
        };
        squared(1.0) + squared(2.0)
    }

    fn parameters(store: &nn::VarStore) -> Vec<Tensor> {
        let mut variables = store.variables();
        ["weight", "bias"].into_iter().filter_map(|name| variables.remove(name)).collect()
    }

    #[test]
    fn gradients_are_autograds_also_of_a_layer_that_is_applied_twice() {
        let (store, layer) = network();
        let parameters = parameters(&store);
        let expected = Tensor::run_backward(&[total(&layer)], &parameters, false, false);
        let (total, layers) = FirstLayers::during(|| total(&layer));
        assert_eq!(layers.applied.len(), 2);
        let found = layers.gradients(&total, &parameters, false).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found.allclose(expected, 1e-6, 1e-6, false), "{found:?} {expected:?}");
            assert!(expected.abs().sum(Kind::Float).double_value(&[]) > 0.1);
        }
    }

    #[test]
    fn nothing_is_collected_outside_nor_without_a_graph() {
        let (store, layer) = network();
        let outside = total(&layer);
        assert!(Tensor::run_backward(&[outside], &parameters(&store), false, false)[0].defined());
        let ((), layers) = FirstLayers::during(|| {
            let _ = tch::no_grad(|| total(&layer));
        });
        assert!(layers.applied.is_empty());
        let caught = std::panic::catch_unwind(|| FirstLayers::during(|| panic!("stop")));
        assert!(caught.is_err() && OPEN.with_borrow(Option::is_none));
    }
}
