use super::*;
use framework::{FeatureShape, Head};
use tch::nn::VarStore;
use tch::{Device, Kind};

fn build(store: &VarStore, spec: &ConvEncoderSpec, side: i64, dims: [i64; 2]) -> Box<dyn Encoder> {
    build_told(store, spec, (side, 0), dims)
}

fn build_told(
    store: &VarStore,
    spec: &ConvEncoderSpec,
    (side, n_condition): (i64, i64),
    dims: [i64; 2],
) -> Box<dyn Encoder> {
    let heads = vec![Head { name: "shared".into(), dim: dims[0] }, Head { name: "dna".into(), dim: dims[1] }];
    let input = FeatureShape::Image { channels: 1, height: side, width: side };
    spec.build(&EncoderContext { vars: store.root(), input, heads, n_condition }).unwrap()
}

fn small() -> ConvEncoderSpec {
    ConvEncoderSpec { channels: vec![3], n_channels_out: 6, ..ConvEncoderSpec::default() }
}

fn images(n_cells: i64) -> Tensor {
    Tensor::rand([n_cells, 1, 16, 16], (Kind::Float, Device::Cpu))
}

#[test]
fn the_number_of_parameters_is_the_published_one() {
    // 3.54 million with 64 numbers more before each head, which stand for the protein
    let n = |n_condition: i64| -> usize {
        let store = VarStore::new(Device::Cpu);
        build_told(&store, &ConvEncoderSpec::default(), (128, n_condition), [1024, 200]);
        store.trainable_variables().iter().map(Tensor::numel).sum()
    };
    let convolutions = 16 * (64 + 64 * 128 + 128 * 256 + 256 * 256 + 256 * 96);
    let norms = 2 * (128 + 256 + 256 + 96);
    let heads = (80 * 16 + 1) * 1024 + (16 * 16 + 1) * 200;
    assert_eq!((n(0), n(64)), (3_462_792, 3_541_128));
    assert_eq!(n(0), convolutions + norms + heads);
}

#[test]
fn parameters_have_their_names_and_shapes() {
    let store = VarStore::new(Device::Cpu);
    build(&store, &small(), 16, [4, 2]);
    let learned = store.variables().into_iter().filter(|(_, variable)| variable.requires_grad());
    let mut shapes: Vec<_> = learned.map(|(name, variable)| (name, variable.size())).collect();
    shapes.sort();
    let expected: [(&str, &[i64]); 8] = [
        ("heads.dna.bias", &[2]),
        ("heads.dna.weight", &[2, 16]),
        ("heads.shared.bias", &[4]),
        ("heads.shared.weight", &[4, 80]),
        ("layers.0.weight", &[3, 1, 4, 4]),
        ("layers.1.norm.bias", &[6]),
        ("layers.1.norm.weight", &[6]),
        ("layers.1.weight", &[6, 3, 4, 4]),
    ];
    assert_eq!(shapes, expected.map(|(name, shape)| (name.to_owned(), shape.to_vec())));
}

#[test]
fn parameters_start_as_pytorchs() {
    let store = VarStore::new(Device::Cpu);
    build(&store, &ConvEncoderSpec::default(), 32, [1024, 200]);
    let variables = store.variables();
    // uniform in ± 1 / √(channels · 16), and the same for the heads by their inputs
    for (name, n_inputs) in
        [("layers.0.weight", 16.0), ("layers.1.weight", 64.0 * 16.0), ("heads.shared.weight", 1280.0)]
    {
        let (largest, bound) = (variables[name].abs().max().double_value(&[]), 1.0 / f64::sqrt(n_inputs));
        assert!(largest <= bound && largest > 0.98 * bound, "{name}: {largest} of {bound}");
    }
    assert_eq!(variables["layers.1.norm.weight"], Tensor::ones([128], (Kind::Float, Device::Cpu)));
    assert_eq!(variables["layers.1.norm.bias"], Tensor::zeros([128], (Kind::Float, Device::Cpu)));
}

#[test]
fn a_space_is_read_from_its_channels_only() {
    let store = VarStore::new(Device::Cpu);
    let encoder = build(&store, &small(), 16, [4, 2]);
    let reaches = |head: usize| {
        let rows = encoder.encode(&Features::Dense(images(3)), None, true).unwrap();
        let weight = store.variables().remove("layers.1.weight").unwrap();
        let gradient = Tensor::run_backward(&[rows[head].square().sum(Kind::Float)], &[weight], false, false).remove(0);
        let by_channel = gradient.abs().sum_dim_intlist([1i64, 2, 3].as_slice(), false, Kind::Double).gt(0.0);
        Vec::<bool>::try_from(by_channel).unwrap()
    };
    assert_eq!(reaches(0), [true, true, true, true, true, false]);
    assert_eq!(reaches(1), [false, false, false, false, false, true]);
}

#[test]
fn each_head_is_told_the_condition_of_each_cell() {
    let store = VarStore::new(Device::Cpu);
    let encoder = build_told(&store, &small(), (16, 3), [4, 2]);
    let images = Features::Dense(images(2));
    let told = |second: f64| Tensor::from_slice(&[1f32, 0.0, 0.0, 0.0, 0.0, second as f32]).view([2, 3]);
    let rows = |condition: &Tensor| encoder.encode(&images, Some(condition), false).unwrap();
    for (before, after) in rows(&told(1.0)).iter().zip(rows(&told(2.0))) {
        assert_eq!(before.get(0), after.get(0));
        assert_ne!(before.get(1), after.get(1));
    }
    let untold = encoder.encode(&images, None, false).unwrap_err().to_string();
    assert_eq!(untold, "the layer was built for 83 numbers per cell, but its input has shape [2, 80]");
}

#[test]
fn other_inputs_are_refused() {
    let store = VarStore::new(Device::Cpu);
    let encoder = build(&store, &small(), 16, [4, 2]);
    for size in [vec![2, 1, 8, 32], vec![2, 256], vec![2, 2, 16, 16]] {
        let other = Features::Dense(Tensor::zeros(size.as_slice(), (Kind::Float, Device::Cpu)));
        let error = encoder.encode(&other, None, false).unwrap_err().to_string();
        assert_eq!(error, format!("the encoder was built for images of 1 × 16 × 16, but its input has shape {size:?}"));
    }
}

#[test]
fn one_cell_cannot_be_trained_on() {
    let store = VarStore::new(Device::Cpu);
    let encoder = build(&store, &small(), 16, [4, 2]);
    let one = Features::Dense(images(1));
    assert!(encoder.encode(&one, None, true).unwrap_err().to_string().contains("at least 2 cells"));
    assert!(encoder.encode(&one, None, false).is_ok());
}

#[test]
fn values_out_of_range_are_problems() {
    let keys = |spec: ConvEncoderSpec| -> Vec<String> {
        spec.validate().into_iter().map(|problem| problem.key).collect::<Vec<_>>()
    };
    let numbers = |numbers: &[i64]| HeadChannels::Numbers(numbers.to_vec());
    let wrong = ConvEncoderSpec { channels: vec![8, 0], n_channels_out: 1, slope: 2.0, ..small() };
    assert_eq!(keys(wrong), ["channels[1]", "slope", "head_channels"]);
    assert_eq!(
        keys(ConvEncoderSpec { channels: vec![], n_channels_out: 0, ..small() }),
        ["channels", "n_channels_out"]
    );
    assert_eq!(keys(ConvEncoderSpec { head_channels: numbers(&[5, 2]), ..small() }), ["n_channels_out"]);
    assert_eq!(keys(ConvEncoderSpec { head_channels: numbers(&[6, 0]), ..small() }), ["head_channels[1]"]);
    assert!(keys(ConvEncoderSpec { head_channels: numbers(&[2, 2, 2]), ..small() }).is_empty());
    assert!(keys(ConvEncoderSpec::default()).is_empty());
}

#[test]
fn factors_of_16_bits_give_nearly_the_same_rows() {
    let store = VarStore::new(Device::Cpu);
    let spec = ConvEncoderSpec { channels: vec![16], n_channels_out: 24, ..ConvEncoderSpec::default() };
    let (encoder, input) = (build(&store, &spec, 16, [4, 2]), Features::Dense(images(32)));
    let of = |precision: Precision| precision.during(|| encoder.encode(&input, None, true).unwrap());
    for (rounded, exact) in of(Precision::Bf16).iter().zip(of(Precision::Float32)) {
        let error = (rounded - &exact).norm().double_value(&[]) / exact.norm().double_value(&[]);
        assert!(rounded.kind() == Kind::Float && error > 0.0 && error < 0.05, "relative error {error}");
    }
}
