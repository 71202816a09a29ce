//! Compared with PyTorch; `framework/tests/make_golden_inpainting.py` writes what is expected.

use super::*;
use crate::nn::golden::{filled, has_moved, has_shapes, is_close, numbers, values};
use crate::nn::holds_undisturbed;
use serde_json::Value;
use std::collections::BTreeMap;
use tch::nn::VarStore;
use tch::{Device, Kind};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../golden/inpainting.json")).unwrap()
}

fn images(n_channels: i64, key: u64) -> Tensor {
    let size = numbers(&golden()["size"]);
    filled(&[size[0] as i64, n_channels, size[1] as i64, size[2] as i64], key).abs() * 4.0
}

fn narrow() -> (VarStore, InpaintingNetwork) {
    let mut store = VarStore::new(Device::Cpu);
    let network = InpaintingNetwork::new(&store.root(), InpaintingForm { width: 1 }).unwrap();
    store.double();
    let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
    tch::no_grad(|| {
        for (key, (name, mut variable)) in variables.into_iter().enumerate() {
            let drawn = filled(&variable.size(), key as u64);
            let scales = name.ends_with("running_var") || name.contains("norm") && name.ends_with("weight");
            variable.copy_(&if scales { drawn.abs() + 1.0 } else { drawn });
        }
    });
    (store, network)
}

#[test]
fn results_and_gradients_are_pytorchs() {
    let golden = golden();
    let (store, network) = narrow();
    let (source, chromatin, protein) = (images(2, 1000), images(1, 1001), images(1, 1002));
    is_close(&values(&network.forward(&source, &chromatin, false).unwrap()), &golden["evaluated"], "in evaluation");
    let painted = network.forward(&source, &chromatin, true).unwrap();
    assert_eq!(painted.size(), protein.size());
    is_close(&values(&painted), &golden["painted"], "in training");
    let loss = painted.mse_loss(&protein, tch::Reduction::Mean);
    is_close(&values(&loss), &golden["loss"], "loss");
    loss.backward();
    let variables = store.variables();
    is_close(&values(&variables["source.0.conv.weight"].grad()), &golden["first_gradient"], "first gradient");
    has_moved(&variables, &golden);
}

#[test]
fn the_published_network_has_pytorchs_parameters() {
    let golden = golden();
    let store = VarStore::new(Device::Cpu);
    InpaintingNetwork::new(&store.root(), InpaintingForm { width: InpaintingForm::PUBLISHED_WIDTH }).unwrap();
    let n: i64 = store.trainable_variables().iter().map(|one| one.numel() as i64).sum();
    assert_eq!(golden["n_parameters"].as_i64(), Some(n));
    has_shapes(&store, &golden["parameters"]);
}

#[test]
fn a_seed_gives_the_same_network() {
    let drawn = || {
        tch::manual_seed(9);
        let store = VarStore::new(Device::Cpu);
        let network = InpaintingNetwork::new(&store.root(), InpaintingForm { width: 1 }).unwrap();
        let of = |n_channels, key| images(n_channels, key).to_kind(Kind::Float);
        values(&network.forward(&of(2, 3), &of(1, 4), false).unwrap())
    };
    assert!(holds_undisturbed(|| drawn() == drawn()));
}

#[test]
fn what_cannot_be_painted_is_refused() {
    let (_, network) = narrow();
    let of = |n, side, n_channels| filled(&[n, n_channels, side, side], 0);
    let one = network.forward(&of(1, 8, 2), &of(1, 8, 1), true).unwrap_err().to_string();
    assert!(one.contains("at least 2 cells"), "{one}");
    let side = network.forward(&of(2, 10, 2), &of(2, 10, 1), false).unwrap_err().to_string();
    assert!(side.contains("multiples of 4"), "{side}");
    assert!(network.forward(&of(2, 8, 1), &of(2, 8, 1), false).is_err());
}
