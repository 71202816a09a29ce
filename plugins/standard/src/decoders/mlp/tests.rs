use super::*;
use tch::nn::VarStore;
use tch::{Device, Kind};

fn build(store: &VarStore, output: FeatureShape) -> Box<dyn Decoder> {
    let spec = MlpDecoderSpec { hidden: vec![6, 5], ..MlpDecoderSpec::default() };
    spec.build(&DecoderContext { vars: store.root(), n_latent: 3, output }).unwrap()
}

fn latent() -> Tensor {
    Tensor::from_slice(&[1f32, 0.0, -1.0, 2.0, 0.5, 0.0]).view([2, 3])
}

#[test]
fn the_last_map_is_linear_without_bias() {
    let store = VarStore::new(Device::Cpu);
    build(&store, FeatureShape::Vector(4));
    let mut names: Vec<String> = store.variables().into_keys().filter(|name| name.starts_with("output")).collect();
    names.sort();
    assert_eq!(names, ["output.linear.weight"]);
}

#[test]
fn the_number_of_parameters_is_the_published_one() {
    // RNA of SHARE-seq from 70 numbers: 11.55 million
    let store = VarStore::new(Device::Cpu);
    let context = DecoderContext { vars: store.root(), n_latent: 70, output: FeatureShape::Vector(9153) };
    MlpDecoderSpec::default().build(&context).unwrap();
    let n: usize = store.trainable_variables().iter().map(Tensor::numel).sum();
    assert_eq!(n, 70 * 1024 + 2 * 1024 * 1024 + 1024 * 9153 + 3 * 2 * 1024);
}

#[test]
fn images_come_out_as_images() {
    let store = VarStore::new(Device::Cpu);
    let decoder = build(&store, FeatureShape::Image { channels: 2, height: 3, width: 4 });
    assert_eq!(decoder.decode(&latent(), false).unwrap().size(), [2, 2, 3, 4]);
}

#[test]
fn rows_of_another_width_are_refused() {
    let store = VarStore::new(Device::Cpu);
    let decoder = build(&store, FeatureShape::Vector(4));
    assert_eq!(decoder.decode(&latent(), false).unwrap().size(), [2, 4]);
    let error = decoder.decode(&latent().view([3, 2]), false).unwrap_err().to_string();
    assert_eq!(error, "the layer was built for 3 numbers per cell, but its input has shape [3, 2]");
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let mut store = VarStore::new(Device::Cpu);
    let decoder = build(&store, FeatureShape::Vector(4));
    store.double();
    let at = latent().to_kind(Kind::Double);
    let total = |x: &Tensor| decoder.decode(x, false).unwrap().square().sum(Kind::Double);
    let x = at.copy().set_requires_grad(true);
    total(&x).backward();
    for place in 0..6 {
        let bump = Tensor::zeros([6], (Kind::Double, Device::Cpu));
        let _ = bump.get(place).fill_(1e-5);
        let bump = bump.view([2, 3]);
        let numeric = (total(&(&at + &bump)) - total(&(&at - &bump))).double_value(&[]) / 2e-5;
        assert!((numeric - x.grad().flatten(0, -1).double_value(&[place])).abs() < 1e-7);
    }
}
