//! Compared with torchvision; `framework/tests/make_golden_resnet.py` writes what is expected.

use super::*;
use crate::nn::golden::{filled, has_moved, has_shapes, is_close, numbers, values};
use crate::nn::holds_undisturbed;
use serde_json::Value;
use std::collections::BTreeMap;
use tch::nn::VarStore;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../golden/resnet.json")).unwrap()
}

fn fill(store: &VarStore) {
    let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
    tch::no_grad(|| {
        for (key, (name, mut variable)) in variables.into_iter().enumerate() {
            let is_norm = name.contains("bn") || name.contains("downsample.1");
            let drawn = filled(&variable.size(), key as u64);
            let scales = name.ends_with("running_var") || is_norm && name.ends_with("weight");
            variable.copy_(&if scales { drawn.abs() + 1.0 } else { drawn });
        }
    });
}

fn narrow() -> (VarStore, ResNet18) {
    let mut store = VarStore::new(Device::Cpu);
    let network = ResNet18::new(&store.root(), ResNetForm::of_width(4, 3)).unwrap();
    store.double();
    fill(&store);
    (store, network)
}

#[test]
fn results_and_gradients_are_torchvisions() {
    let golden = golden();
    let (store, network) = narrow();
    let side = golden["side"].as_i64().unwrap();
    let labels: Vec<i64> = numbers(&golden["labels"]).into_iter().map(|label| label as i64).collect();
    let images = filled(&[labels.len() as i64, 1, side, side], 1000).abs() * 4.0;
    is_close(&values(&network.forward(&images, false).unwrap()), &golden["evaluated"], "in evaluation");
    let logits = network.forward(&images, true).unwrap();
    is_close(&values(&logits), &golden["logits"], "in training");
    let weight = Tensor::from_slice(&numbers(&golden["weight"]));
    let loss = logits.cross_entropy_loss(&Tensor::from_slice(&labels), Some(&weight), tch::Reduction::Mean, -100, 0.0);
    is_close(&values(&loss), &golden["loss"], "loss");
    loss.backward();
    let variables = store.variables();
    is_close(&values(&variables["conv1.weight"].grad()), &golden["first_gradient"], "first gradient");
    has_moved(&variables, &golden);
}

#[test]
fn the_published_network_has_torchvisions_parameters() {
    let golden = golden();
    let store = VarStore::new(Device::Cpu);
    ResNet18::new(&store.root(), ResNetForm::of_width(ResNetForm::PUBLISHED_WIDTH, 11)).unwrap();
    let n: i64 = store.trainable_variables().iter().map(|one| one.numel() as i64).sum();
    assert_eq!((Some(n), n), (golden["n_parameters"].as_i64(), 11_170_240 + 512 * 11 + 11));
    has_shapes(&store, &golden["parameters"]);
}

#[test]
fn parameters_start_as_torchvisions() {
    let store = VarStore::new(Device::Cpu);
    ResNet18::new(&store.root(), ResNetForm::of_width(ResNetForm::PUBLISHED_WIDTH, 2)).unwrap();
    let variables = store.variables();
    let sd = |name: &str| variables[name].std(true).double_value(&[]);
    // √(2 / (outputs × kernel)), and uniform in ± 1/7 and ± 1/√512
    for (name, expected) in [
        ("layer1.0.conv1.weight", (2f64 / (64.0 * 9.0)).sqrt()),
        ("layer4.1.conv2.weight", (2f64 / (512.0 * 9.0)).sqrt()),
        ("layer3.0.downsample.0.weight", (2f64 / 256.0).sqrt()),
        ("conv1.weight", 1.0 / 7.0 / 3f64.sqrt()),
        ("fc.weight", 1.0 / (512f64 * 3.0).sqrt()),
    ] {
        assert!((sd(name) / expected - 1.0).abs() < 0.05, "{name}: {} instead of {expected}", sd(name));
    }
    assert!(variables["conv1.weight"].abs().max().double_value(&[]) <= 1.0 / 7.0);
    assert_eq!(variables["layer2.0.bn2.weight"], Tensor::ones([128], (Kind::Float, Device::Cpu)));
    assert_eq!(variables["bn1.bias"], Tensor::zeros([64], (Kind::Float, Device::Cpu)));
}

#[test]
fn a_seed_gives_the_same_network() {
    let drawn = || {
        tch::manual_seed(9);
        let store = VarStore::new(Device::Cpu);
        let form = ResNetForm { n_channels: 1, widths: [2, 2, 4, 4], n_outputs: 1 };
        let network = ResNet18::new(&store.root(), form).unwrap();
        values(&network.forward(&filled(&[2, 1, 16, 16], 3).to_kind(Kind::Float), false).unwrap())
    };
    assert!(holds_undisturbed(|| drawn() == drawn()));
}

#[test]
fn what_cannot_be_told_is_refused() {
    let (_, network) = narrow();
    let one = network.forward(&filled(&[1, 1, 16, 16], 0), true).unwrap_err().to_string();
    assert!(one.contains("at least 2 cells"), "{one}");
    assert!(network.forward(&filled(&[1, 1, 16, 16], 0), false).is_ok());
    assert!(network.forward(&filled(&[2, 2, 16, 16], 0), false).is_err());
    // images of any size
    assert_eq!(network.forward(&filled(&[2, 1, 9, 33], 0), false).unwrap().size(), [2, 3]);
}
