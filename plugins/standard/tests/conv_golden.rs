//! The networks of `conv` give what PyTorch's own layers give with the same parameters (`make_golden_conv.py`).

use framework::testing::golden::{PRECISIONS, close, close_to_largest, tensor};
use framework::{
    Decoder, DecoderContext, DecoderSpec, Encoder, EncoderContext, EncoderSpec, FeatureShape, Features, Head, Loss,
    LossContext, LossSpec, Statistics, Target,
};
use serde_json::Value;
use standard::{BceSpec, ConvDecoderSpec, ConvEncoderSpec, MseSpec};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

const IMAGE: FeatureShape = FeatureShape::Image { channels: 2, height: 32, width: 32 };
const CHANNELS: [i64; 2] = [3, 4];
const N_DEEPEST: i64 = 6;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/conv.json")).unwrap()
}

/// Numbers that the file has in 64ths.
fn of_64ths(value: &Value, kind: Kind) -> Tensor {
    tensor(value, Kind::Double).to_kind(kind) / 64.0
}

/// Gives a network the parameters of the file, all of them.
fn set(store: &mut VarStore, parameters: &Value, kind: Kind) {
    if kind == Kind::Double {
        store.double();
    }
    let mut names: Vec<String> = Vec::new();
    for (name, mut variable) in store.variables().into_iter().filter(|(_, variable)| variable.requires_grad()) {
        let values = of_64ths(&parameters[&name], kind);
        assert_eq!(values.size(), variable.size(), "{name}");
        no_grad(|| variable.copy_(&values));
        names.push(name);
    }
    names.sort();
    let mut expected: Vec<&String> = parameters.as_object().unwrap().keys().collect();
    expected.sort();
    assert_eq!(names.iter().collect::<Vec<_>>(), expected);
}

fn check_gradients(store: &VarStore, block: &Value, tolerance: f64) {
    for (name, variable) in store.variables().into_iter().filter(|(_, variable)| variable.requires_grad()) {
        assert_eq!(variable.grad().stride(), variable.stride(), "{name}");
        close_to_largest(&variable.grad().flatten(0, -1), &block["gradients"][&name], tolerance, &name);
    }
}

fn encoder(store: &VarStore) -> Box<dyn Encoder> {
    let heads = vec![Head { name: "shared".into(), dim: 3 }, Head { name: "own".into(), dim: 2 }];
    let channels = CHANNELS.to_vec();
    let spec = ConvEncoderSpec { channels, n_channels_out: N_DEEPEST, ..ConvEncoderSpec::default() };
    spec.build(&EncoderContext { vars: store.root(), input: IMAGE, heads }).unwrap()
}

fn decoder(store: &VarStore, sigmoid: bool) -> Box<dyn Decoder> {
    let channels = CHANNELS.to_vec();
    let spec = ConvDecoderSpec { channels, n_channels_in: N_DEEPEST, sigmoid, ..ConvDecoderSpec::default() };
    spec.build(&DecoderContext { vars: store.root(), n_latent: 5, output: IMAGE }).unwrap()
}

#[test]
fn the_encoder_and_its_gradients_are_pytorchs() {
    let golden = golden();
    for (precision, kind, tolerance) in PRECISIONS {
        let block = &golden["encoder"][precision];
        let mut store = VarStore::new(Device::Cpu);
        let encoder = encoder(&store);
        set(&mut store, &golden["encoder"]["parameters"], kind);
        let images = Features::Dense(of_64ths(&golden["images"], kind));
        let rows = encoder.encode(&images, true).unwrap();
        let loss = rows[0].square().sum(kind) + rows[1].square().sum(kind);
        close(&loss, &block["loss"], tolerance, "the sum of squares");
        loss.backward();
        check_gradients(&store, block, tolerance);
        let evaluated = encoder.encode(&images, false).unwrap();
        for (place, name) in ["shared", "own"].into_iter().enumerate() {
            close_to_largest(&rows[place].flatten(0, -1), &block["outputs"][name], tolerance, name);
            close_to_largest(&evaluated[place].flatten(0, -1), &block["evaluation"][name], tolerance, name);
        }
    }
}

#[test]
fn the_decoder_and_its_gradients_are_pytorchs() {
    let golden = golden();
    for (precision, kind, tolerance) in PRECISIONS {
        let block = &golden["decoder"][precision];
        let mut store = VarStore::new(Device::Cpu);
        let decoder = decoder(&store, false);
        set(&mut store, &golden["decoder"]["parameters"], kind);
        let rows = of_64ths(&golden["rows"], kind).set_requires_grad(true);
        let logits = decoder.decode(&rows, true).unwrap();
        let expected = &block["first_channel_of_first_cell"];
        close_to_largest(&logits.get(0).get(0).flatten(0, -1), expected, tolerance, "logits");
        let target = Target::new(Features::Dense(of_64ths(&golden["images"], kind)));
        let bce = loss(&BceSpec::default()).per_cell(&logits, &target).unwrap().mean(kind);
        close(&bce, &block["bce"], tolerance, "bce");
        bce.backward();
        check_gradients(&store, block, tolerance);
        close_to_largest(&rows.grad().flatten(0, -1), &block["gradients_of_rows"], tolerance, "rows");
        let last = decoder.decode(&rows, false).unwrap().get(-1).get(-1).slice(0, 0, None, 4);
        close_to_largest(&last.flatten(0, -1), &block["evaluation_of_every_fourth_row"], tolerance, "evaluation");
    }
}

#[test]
fn the_error_of_the_sigmoid_is_pytorchs() {
    let golden = golden();
    for (precision, kind, tolerance) in PRECISIONS {
        let mut store = VarStore::new(Device::Cpu);
        let decoder = decoder(&store, true);
        set(&mut store, &golden["decoder"]["parameters"], kind);
        let prediction = decoder.decode(&of_64ths(&golden["rows"], kind), true).unwrap();
        let target = Target::new(Features::Dense(of_64ths(&golden["images"], kind)));
        let mse = loss(&MseSpec {}).per_cell(&prediction, &target).unwrap().mean(kind);
        close(&mse, &golden["decoder"][precision]["mse_of_sigmoid"], tolerance, "mse");
    }
}

fn loss(spec: &dyn LossSpec) -> Box<dyn Loss> {
    let store = VarStore::new(Device::Cpu);
    let none = || Statistics { n_entries: 0.0, n_nonzero: 0.0, raw_sum: 0.0, processed_sum: 0.0 };
    spec.build(&LossContext { vars: store.root(), output: IMAGE, training: none(), all: none() }).unwrap()
}
