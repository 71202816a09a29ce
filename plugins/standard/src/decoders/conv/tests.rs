use super::*;
use framework::FeatureShape;
use tch::nn::VarStore;
use tch::{Device, Kind};

fn build(store: &VarStore, spec: &ConvDecoderSpec, [channels, side]: [i64; 2], n_latent: i64) -> Box<dyn Decoder> {
    let output = FeatureShape::Image { channels, height: side, width: side };
    spec.build(&DecoderContext { vars: store.root(), n_latent, output }).unwrap()
}

fn small() -> ConvDecoderSpec {
    ConvDecoderSpec { channels: vec![3], n_channels_in: 6, ..ConvDecoderSpec::default() }
}

fn rows(n_cells: i64) -> Tensor {
    Tensor::randn([n_cells, 5], (Kind::Float, Device::Cpu))
}

#[test]
fn the_number_of_parameters_is_the_published_one() {
    // 4.08 and 3.77 million with 64 numbers more at the input, which stand for the protein
    let convolutions = 16 * (96 * 256 + 256 * 256 + 256 * 128 + 128 * 64 + 64);
    let norms = 2 * (256 + 256 + 128 + 64);
    let published = [(1224, 3_981_184), (1224 + 64, 4_079_488), (1024, 3_673_984), (1024 + 64, 3_772_288)];
    for (n_latent, expected) in published {
        let store = VarStore::new(Device::Cpu);
        build(&store, &ConvDecoderSpec::default(), [1, 128], n_latent);
        let n: usize = store.trainable_variables().iter().map(Tensor::numel).sum();
        assert_eq!(n as i64, (n_latent + 1) * 1536 + convolutions + norms);
        assert_eq!(n, expected);
    }
}

#[test]
fn images_of_every_size_come_out() {
    for (channels, side) in [(1, 8), (2, 16), (3, 64)] {
        let store = VarStore::new(Device::Cpu);
        let decoder = build(&store, &small(), [channels, side], 5);
        assert_eq!(decoder.decode(&rows(2), true).unwrap().size(), [2, channels, side, side]);
    }
}

#[test]
fn parameters_have_their_names_and_shapes() {
    let store = VarStore::new(Device::Cpu);
    build(&store, &small(), [2, 16], 5);
    let learned = store.variables().into_iter().filter(|(_, variable)| variable.requires_grad());
    let mut shapes: Vec<_> = learned.map(|(name, variable)| (name, variable.size())).collect();
    shapes.sort();
    let expected: [(&str, &[i64]); 6] = [
        ("first.bias", &[96]),
        ("first.weight", &[96, 5]),
        ("layers.0.norm.bias", &[3]),
        ("layers.0.norm.weight", &[3]),
        ("layers.0.weight", &[6, 3, 4, 4]),
        ("layers.1.weight", &[3, 2, 4, 4]),
    ];
    assert_eq!(shapes, expected.map(|(name, shape)| (name.to_owned(), shape.to_vec())));
}

#[test]
fn parameters_start_as_pytorchs() {
    let store = VarStore::new(Device::Cpu);
    build(&store, &ConvDecoderSpec::default(), [1, 32], 100);
    let variables = store.variables();
    // uniform in ± 1 / √n: for transposed convolutions PyTorch counts the channels that come out
    for (name, n) in [("layers.0.weight", 128.0 * 16.0), ("layers.2.weight", 16.0), ("first.weight", 100.0)] {
        let (largest, bound) = (variables[name].abs().max().double_value(&[]), 1.0 / f64::sqrt(n));
        assert!(largest <= bound && largest > 0.98 * bound, "{name}: {largest} of {bound}");
    }
}

#[test]
fn a_sigmoid_can_follow() {
    let (logits, shares) = (VarStore::new(Device::Cpu), VarStore::new(Device::Cpu));
    let without = build(&logits, &small(), [1, 16], 5);
    let with = build(&shares, &ConvDecoderSpec { sigmoid: true, ..small() }, [1, 16], 5);
    for (name, mut variable) in shares.variables() {
        tch::no_grad(|| variable.copy_(&logits.variables()[&name]));
    }
    let rows = rows(3);
    let expected = without.decode(&rows, false).unwrap().sigmoid();
    assert_eq!(with.decode(&rows, false).unwrap(), expected);
}

#[test]
fn other_rows_and_a_single_cell_in_training_are_refused() {
    let store = VarStore::new(Device::Cpu);
    let decoder = build(&store, &small(), [1, 16], 5);
    let error = decoder.decode(&rows(2).narrow(1, 0, 4), false).unwrap_err().to_string();
    assert_eq!(error, "the layer was built for 5 numbers per cell, but its input has shape [2, 4]");
    assert!(decoder.decode(&rows(1), true).unwrap_err().to_string().contains("at least 2 cells"));
    assert!(decoder.decode(&rows(1), false).is_ok());
}

#[test]
fn values_out_of_range_are_problems() {
    let spec = ConvDecoderSpec { channels: vec![0], n_channels_in: 1 << 17, slope: -1.0, sigmoid: false };
    let keys: Vec<String> = spec.validate().into_iter().map(|problem| problem.key).collect();
    assert_eq!(keys, ["channels[0]", "slope", "n_channels_in"]);
    assert!(ConvDecoderSpec::default().validate().is_empty());
}

#[test]
fn factors_of_16_bits_give_nearly_the_same_images_and_gradients_of_32() {
    let store = VarStore::new(Device::Cpu);
    let spec = ConvDecoderSpec { channels: vec![16], n_channels_in: 24, ..ConvDecoderSpec::default() };
    let (decoder, rows) = (build(&store, &spec, [1, 32], 5), rows(32));
    let weights = store.trainable_variables();
    let of = |precision: Precision| {
        let images = precision.during(|| decoder.decode(&rows, true).unwrap());
        let gradients =
            Tensor::run_backward(&[(&images * images.detach().sin()).sum(Kind::Float)], &weights, false, false);
        std::iter::once(images.detach()).chain(gradients).collect::<Vec<_>>()
    };
    for (rounded, exact) in of(Precision::Bf16).iter().zip(of(Precision::Float32)) {
        assert_eq!((rounded.kind(), rounded.size()), (Kind::Float, exact.size()));
        let error = (rounded - &exact).norm().double_value(&[]) / exact.norm().double_value(&[]);
        // each of four layers, forward and backward, rounds its factors by up to 2⁻⁹
        assert!(error > 0.0 && error < 0.05, "relative error {error} of {:?}", exact.size());
    }
}
