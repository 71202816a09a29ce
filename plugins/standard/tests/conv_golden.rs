//! The networks of `conv` give what PyTorch's own layers give with the same parameters (`make_golden_conv.py`).

use framework::nn::beside;
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
/// Categories, and numbers of the vector of each, of the networks that are told one.
const TABLE: [i64; 2] = [3, 4];

/// A part of the file with a network, and the numbers per cell that it is told.
type Part = (Value, i64);
/// Name of a block of the file, what it was computed in, and what may differ.
type Precision = (&'static str, Kind, f64);

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

/// The vectors of the cells' categories from a table that is learned with the network (`table.weight`); `None` for the networks
/// that are told none.
fn told(store: &VarStore, golden: &Value, kind: Kind) -> Option<Tensor> {
    let table = store.variables().remove("table.weight")?;
    Some(table.index_select(0, &tensor(&golden["conditional"]["categories"], kind).to_kind(Kind::Int64)))
}

/// The two parts of the file with a network, and the numbers per cell that each is told.
fn parts(golden: &Value, network: &str) -> [Part; 2] {
    [(golden[network].clone(), 0), (golden["conditional"][network].clone(), TABLE[1])]
}

fn table(store: &VarStore, n_condition: i64) {
    if n_condition > 0 {
        let _ = (store.root() / "table").var("weight", &TABLE, tch::nn::Init::Const(0.0));
    }
}

fn encoder(store: &VarStore, n_condition: i64) -> Box<dyn Encoder> {
    table(store, n_condition);
    let heads = vec![Head { name: "shared".into(), dim: 3 }, Head { name: "own".into(), dim: 2 }];
    let channels = CHANNELS.to_vec();
    let spec = ConvEncoderSpec { channels, n_channels_out: N_DEEPEST, ..ConvEncoderSpec::default() };
    spec.build(&EncoderContext { vars: store.root(), input: IMAGE, heads, n_condition }).unwrap()
}

fn decoder(store: &VarStore, sigmoid: bool, n_condition: i64) -> Box<dyn Decoder> {
    table(store, n_condition);
    let channels = CHANNELS.to_vec();
    let spec = ConvDecoderSpec { channels, n_channels_in: N_DEEPEST, sigmoid, ..ConvDecoderSpec::default() };
    spec.build(&DecoderContext { vars: store.root(), n_latent: 5 + n_condition, output: IMAGE }).unwrap()
}

#[test]
fn the_encoder_and_its_gradients_are_pytorchs() {
    let golden = golden();
    for ((part, n_condition), (precision, kind, tolerance)) in cases(parts(&golden, "encoder")) {
        let block = &part[precision];
        let mut store = VarStore::new(Device::Cpu);
        let encoder = encoder(&store, n_condition);
        set(&mut store, &part["parameters"], kind);
        let images = Features::Dense(of_64ths(&golden["images"], kind));
        let condition = told(&store, &golden, kind);
        let rows = encoder.encode(&images, condition.as_ref(), true).unwrap();
        let loss = rows[0].square().sum(kind) + rows[1].square().sum(kind);
        close(&loss, &block["loss"], tolerance, "the sum of squares");
        loss.backward();
        check_gradients(&store, block, tolerance);
        let evaluated = encoder.encode(&images, condition.as_ref(), false).unwrap();
        for (place, name) in ["shared", "own"].into_iter().enumerate() {
            close_to_largest(&rows[place].flatten(0, -1), &block["outputs"][name], tolerance, name);
            close_to_largest(&evaluated[place].flatten(0, -1), &block["evaluation"][name], tolerance, name);
        }
    }
}

#[test]
fn the_decoder_and_its_gradients_are_pytorchs() {
    let golden = golden();
    for ((part, n_condition), (precision, kind, tolerance)) in cases(parts(&golden, "decoder")) {
        let block = &part[precision];
        let mut store = VarStore::new(Device::Cpu);
        let decoder = decoder(&store, false, n_condition);
        set(&mut store, &part["parameters"], kind);
        let rows = of_64ths(&golden["rows"], kind).set_requires_grad(true);
        let read = || beside(rows.shallow_clone(), told(&store, &golden, kind).as_ref()).unwrap();
        let logits = decoder.decode(&read(), true).unwrap();
        let expected = &block["first_channel_of_first_cell"];
        close_to_largest(&logits.get(0).get(0).flatten(0, -1), expected, tolerance, "logits");
        let target = Target::new(Features::Dense(of_64ths(&golden["images"], kind)));
        let bce = loss(&BceSpec::default()).per_cell(&logits, &target).unwrap().mean(kind);
        close(&bce, &block["bce"], tolerance, "bce");
        bce.backward();
        check_gradients(&store, block, tolerance);
        close_to_largest(&rows.grad().flatten(0, -1), &block["gradients_of_rows"], tolerance, "rows");
        let last = decoder.decode(&read(), false).unwrap().get(-1).get(-1).slice(0, 0, None, 4);
        close_to_largest(&last.flatten(0, -1), &block["evaluation_of_every_fourth_row"], tolerance, "evaluation");
    }
}

#[test]
fn the_error_of_the_sigmoid_is_pytorchs() {
    let golden = golden();
    for ((part, n_condition), (precision, kind, tolerance)) in cases(parts(&golden, "decoder")) {
        let mut store = VarStore::new(Device::Cpu);
        let decoder = decoder(&store, true, n_condition);
        set(&mut store, &part["parameters"], kind);
        let rows = beside(of_64ths(&golden["rows"], kind), told(&store, &golden, kind).as_ref()).unwrap();
        let prediction = decoder.decode(&rows, true).unwrap();
        let target = Target::new(Features::Dense(of_64ths(&golden["images"], kind)));
        let mse = loss(&MseSpec {}).per_cell(&prediction, &target).unwrap().mean(kind);
        close(&mse, &part[precision]["mse_of_sigmoid"], tolerance, "mse");
    }
}

/// Both parts in both precisions.
fn cases(parts: [Part; 2]) -> Vec<(Part, Precision)> {
    parts.into_iter().flat_map(|part| PRECISIONS.map(|precision| (part.clone(), precision))).collect()
}

fn loss(spec: &dyn LossSpec) -> Box<dyn Loss> {
    let store = VarStore::new(Device::Cpu);
    let none = || Statistics { n_entries: 0.0, n_nonzero: 0.0, raw_sum: 0.0, processed_sum: 0.0 };
    spec.build(&LossContext { vars: store.root(), output: IMAGE, training: none(), all: none() }).unwrap()
}
