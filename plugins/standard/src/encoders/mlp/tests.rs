use super::*;
use framework::{FeatureShape, Head, SparseFeatures};
use tch::nn::VarStore;
use tch::{Device, Kind};

fn features() -> Features {
    Features::Sparse(SparseFeatures {
        offsets: Tensor::from_slice(&[0i64, 2, 3, 5]),
        indices: Tensor::from_slice(&[0i64, 3, 1, 2, 4]),
        values: Tensor::from_slice(&[0.5f32, 1.0, 0.25, 0.75, 1.0]),
        n_features: 5,
    })
}

fn build(store: &VarStore, spec: &MlpEncoderSpec) -> Box<dyn Encoder> {
    let heads = vec![Head { name: "shared".into(), dim: 3 }, Head { name: "rna".into(), dim: 2 }];
    spec.build(&EncoderContext { vars: store.root(), input: FeatureShape::Vector(5), heads, n_condition: 0 }).unwrap()
}

fn small() -> MlpEncoderSpec {
    MlpEncoderSpec { hidden: vec![8, 6], ..MlpEncoderSpec::default() }
}

fn shapes(spec: &MlpEncoderSpec) -> Vec<(String, Vec<i64>)> {
    let store = VarStore::new(Device::Cpu);
    build(&store, spec);
    let mut shapes: Vec<_> = store
        .variables()
        .iter()
        .filter(|(name, _)| name.contains("linear"))
        .map(|(n, t)| (n.clone(), t.size()))
        .collect();
    shapes.sort();
    shapes
}

#[test]
fn published_heads_are_as_wide_as_their_space() {
    let expected = [
        ("heads.rna.hidden.linear.weight", vec![2, 6]),
        ("heads.rna.output.linear.weight", vec![2, 2]),
        ("heads.shared.hidden.linear.weight", vec![3, 6]),
        ("heads.shared.output.linear.weight", vec![3, 3]),
        ("trunk.0.linear.weight", vec![5, 8]),
        ("trunk.1.linear.weight", vec![6, 8]),
    ];
    assert_eq!(shapes(&small()), expected.map(|(name, shape)| (name.to_owned(), shape)));
}

#[test]
fn heads_can_have_another_width_or_none() {
    let with = |head_hidden| shapes(&MlpEncoderSpec { head_hidden, ..small() });
    assert!(with(HeadHidden::Width(7)).contains(&("heads.rna.output.linear.weight".into(), vec![2, 7])));
    assert_eq!(with(HeadHidden::Rule(HeadRule::None)).len(), 4);
}

#[test]
fn the_number_of_parameters_is_the_published_one() {
    // RNA of SHARE-seq, 9,153 genes, spaces of 50 and 20: 10.50 million in linear layers
    let store = VarStore::new(Device::Cpu);
    let heads = vec![Head { name: "shared".into(), dim: 50 }, Head { name: "rna".into(), dim: 20 }];
    let context = EncoderContext { vars: store.root(), input: FeatureShape::Vector(9153), heads, n_condition: 0 };
    MlpEncoderSpec::default().build(&context).unwrap();
    let n: usize = store.trainable_variables().iter().map(Tensor::numel).sum();
    let linear = 9153 * 1024 + 1024 * 1024 + 1024 * 50 + 50 * 50 + 1024 * 20 + 20 * 20;
    assert_eq!(n, linear + 2 * (1024 + 1024 + 50 + 20));
}

#[test]
fn sparse_and_dense_features_give_the_same_rows() {
    let store = VarStore::new(Device::Cpu);
    let encoder = build(&store, &small());
    let dense = Features::Dense(features().to_dense());
    let (sparse, dense) =
        (encoder.encode(&features(), None, false).unwrap(), encoder.encode(&dense, None, false).unwrap());
    assert_eq!(sparse.iter().map(Tensor::size).collect::<Vec<_>>(), [[3, 3], [3, 2]]);
    for (sparse, dense) in sparse.iter().zip(&dense) {
        assert!(sparse.allclose(dense, 1e-6, 1e-6, false));
    }
}

#[test]
fn the_order_of_cells_is_that_of_the_rows() {
    let store = VarStore::new(Device::Cpu);
    let encoder = build(&store, &small());
    let order = Tensor::from_slice(&[2i64, 0, 1]);
    let permuted = Features::Dense(features().to_dense().index_select(0, &order));
    let rows = encoder.encode(&features(), None, false).unwrap();
    let permuted = encoder.encode(&permuted, None, false).unwrap();
    assert!(rows[0].index_select(0, &order).allclose(&permuted[0], 1e-6, 1e-6, false));
}

#[test]
fn every_parameter_is_learned() {
    let store = VarStore::new(Device::Cpu);
    let rows = build(&store, &small()).encode(&features(), None, true).unwrap();
    // a sum of squares, as the sum itself is constant under batch normalisation
    (rows[0].square().sum(Kind::Float) + rows[1].square().sum(Kind::Float)).backward();
    for (name, parameter) in store.variables() {
        assert!(!parameter.requires_grad() || parameter.grad().defined(), "{name}");
    }
}

#[test]
fn one_cell_cannot_be_trained_on() {
    let store = VarStore::new(Device::Cpu);
    let features = Features::Dense(Tensor::ones([1, 5], (Kind::Float, Device::Cpu)));
    let encoder = build(&store, &small());
    assert!(encoder.encode(&features, None, true).unwrap_err().to_string().contains("at least 2 cells"));
    assert!(encoder.encode(&features, None, false).is_ok());
}

#[test]
fn each_head_is_told_the_condition_of_each_cell() {
    let store = VarStore::new(Device::Cpu);
    let heads = vec![Head { name: "shared".into(), dim: 3 }, Head { name: "rna".into(), dim: 2 }];
    let context = EncoderContext { vars: store.root(), input: FeatureShape::Vector(5), heads, n_condition: 2 };
    let encoder = small().build(&context).unwrap();
    let variables = store.variables();
    assert_eq!(variables["trunk.1.linear.weight"].size(), [6, 8]);
    assert_eq!(variables["heads.rna.hidden.linear.weight"].size(), [2, 6 + 2]);
    let rows = |third: f32| {
        let condition = Tensor::from_slice(&[1f32, 0.0, 0.0, 1.0, third, 1.0]).view([3, 2]);
        encoder.encode(&features(), Some(&condition), false).unwrap()
    };
    for (before, after) in rows(0.0).iter().zip(rows(5.0)) {
        assert_eq!(before.narrow(0, 0, 2), after.narrow(0, 0, 2));
        assert_ne!(before.get(2), after.get(2));
    }
    let untold = encoder.encode(&features(), None, false).unwrap_err().to_string();
    assert_eq!(untold, "the layer was built for 8 numbers per cell, but its input has shape [3, 6]");
}

#[test]
fn values_out_of_range_are_problems() {
    let spec = MlpEncoderSpec {
        hidden: vec![8, 0],
        head_hidden: HeadHidden::Width(0),
        dropout: 1.0,
        input_dropout: Some(-0.1),
        slope: 2.0,
        ..MlpEncoderSpec::default()
    };
    let keys: Vec<String> = spec.validate().into_iter().map(|problem| problem.key).collect();
    assert_eq!(keys, ["hidden[1]", "head_hidden", "dropout", "input_dropout", "slope"]);
    assert!(MlpEncoderSpec::default().validate().is_empty());
}
