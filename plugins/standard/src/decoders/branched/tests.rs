use super::*;
use tch::nn::VarStore;
use tch::{Device, Kind};

fn spec(n_hidden: i64, width: i64, width_factor: i64) -> BranchedDecoderSpec {
    BranchedDecoderSpec { n_hidden, width, width_factor }
}

fn build(spec: &BranchedDecoderSpec, n_features: i64) -> (VarStore, Box<dyn Decoder>) {
    let store = VarStore::new(Device::Cpu);
    let output = FeatureShape::Vector(n_features);
    let decoder = spec.build(&DecoderContext { vars: store.root(), n_latent: 3, output }).unwrap();
    (store, decoder)
}

fn names(store: &VarStore) -> Vec<String> {
    let mut names: Vec<String> = store.variables().into_keys().collect();
    names.sort();
    names
}

fn rows() -> Tensor {
    Tensor::from_slice(&[1f32, 0.0, -1.0, 2.0, 0.5, 0.0]).view([2, 3])
}

#[test]
fn widths_are_the_published_ones() {
    let published = BranchedDecoderSpec::default();
    assert_eq!(published.widths(13_431), [100, 116]);
    assert_eq!(published.widths(116_490), [100, 341]);
    assert_eq!(published.widths(5_000), [100, 100]);
}

#[test]
fn only_the_last_hidden_layer_follows_the_features() {
    assert_eq!(spec(3, 10, 2).widths(10_000), [20, 20, 200]);
    assert_eq!(spec(1, 10, 1).widths(10_000), [100]);
    assert!(spec(0, 10, 1).widths(10_000).is_empty());
}

#[test]
fn bone_marrow_has_the_published_number_of_parameters() {
    // 41,619,685 in all, of which 12,400 are in the shared layers and 129,921 are dispersions
    let n: i64 = [13_431, 116_490]
        .into_iter()
        .flat_map(|n_features| {
            let widths = [vec![100], BranchedDecoderSpec::default().widths(n_features), vec![n_features]].concat();
            widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).collect::<Vec<_>>()
        })
        .sum();
    assert_eq!(n + (22 + 1) * 100 + 101 * 100 + 129_921, 41_619_685);
}

#[test]
fn values_are_those_of_the_formula() {
    let (store, decoder) = build(&spec(2, 4, 1), 30);
    let variables = store.variables();
    let layer = |name: &str, rows: &Tensor| {
        rows.matmul(&variables[&format!("{name}.weight")].tr()) + &variables[&format!("{name}.bias")]
    };
    let expected = layer("output", &layer("hidden_1", &layer("hidden_0", &rows()).relu()).relu());
    assert!(decoder.decode(&rows(), true).unwrap().allclose(&expected, 1e-6, 1e-6, false));
    assert_eq!(variables["hidden_1.weight"].size(), [5, 4]);
}

#[test]
fn parameters_are_named_for_their_layers() {
    let (store, _) = build(&spec(1, 4, 1), 9);
    assert_eq!(names(&store), ["hidden_0.bias", "hidden_0.weight", "output.bias", "output.weight"]);
    let (store, decoder) = build(&spec(0, 4, 1), 9);
    assert_eq!(names(&store), ["output.bias", "output.weight"]);
    assert_eq!(decoder.decode(&rows(), false).unwrap().size(), [2, 9]);
}

#[test]
fn parameters_are_drawn_as_pytorch_draws_them() {
    // weight, then bias, layer by layer; other tests may draw in between
    let same = || {
        tch::manual_seed(3);
        let (store, _) = build(&spec(1, 4, 1), 9);
        tch::manual_seed(3);
        let draw = |shape: &[i64], n_inputs: f64| {
            let bound = 1.0 / n_inputs.sqrt();
            Tensor::empty(shape, (Kind::Float, Device::Cpu)).uniform_(-bound, bound)
        };
        let expected = [draw(&[4, 3], 3.0), draw(&[4], 3.0), draw(&[9, 4], 4.0), draw(&[9], 4.0)];
        let names = ["hidden_0.weight", "hidden_0.bias", "output.weight", "output.bias"];
        names.iter().zip(&expected).all(|(name, expected)| store.variables()[*name] == *expected)
    };
    assert!((0..100).any(|_| same()));
}

#[test]
fn images_are_refused() {
    let store = VarStore::new(Device::Cpu);
    let output = FeatureShape::Image { channels: 2, height: 3, width: 4 };
    let context = DecoderContext { vars: store.root(), n_latent: 3, output };
    let error = BranchedDecoderSpec::default().build(&context).err().unwrap().to_string();
    assert_eq!(
        error,
        "this decoder makes a row of features, but those of a cell are an image of 2 × 3 × 4; use another decoder, such \
         as `mlp`"
    );
}

#[test]
fn sizes_out_of_range_are_told() {
    let keys = |spec: BranchedDecoderSpec| spec.validate().into_iter().map(|problem| problem.key).collect::<Vec<_>>();
    assert_eq!(keys(spec(-1, 0, 0)), ["n_hidden", "width", "width_factor"]);
    assert_eq!(keys(spec(65, 100, 1)), ["n_hidden"]);
    assert_eq!(keys(spec(2, 1 << 12, 1 << 12)), ["width_factor"]);
    assert!(keys(spec(0, 100, 10)).is_empty());
}
