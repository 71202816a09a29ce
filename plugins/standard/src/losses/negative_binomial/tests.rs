use super::entry::Entry;
use super::row::{Counts, Dispersions, Row, zero};
use super::*;
use crate::losses::testing::{gradient_error, logits};
use framework::{FeatureShape, Features, SparseFeatures};
use serde_json::Value;
use tch::nn::VarStore;

/// The two kinds, and the largest relative difference from the published package (multiDGD 0.0.1) in double precision.
const PRECISIONS: [(Kind, f64); 2] = [(Kind::Double, 1e-10), (Kind::Float, 1e-5)];

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../golden/dgd/nb.json")).unwrap()
}

/// The table of nested lists.
fn table(value: &Value) -> Vec<Vec<f64>> {
    let row = |row: &Value| row.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

fn tensor(value: &Value, kind: Kind) -> Tensor {
    let rows = table(value);
    Tensor::from_slice(&rows.concat()).view([rows.len() as i64, -1]).to_kind(kind)
}

/// A loss for so many features with these parameters.
fn loss(store: &mut VarStore, dispersion: Dispersion, log_r: &Tensor) -> Box<dyn Loss> {
    let context = LossContext {
        vars: store.root(),
        output: FeatureShape::Vector(log_r.numel() as i64),
        training: framework::Statistics::default(),
        all: framework::Statistics::default(),
    };
    let loss = NegativeBinomialSpec { dispersion }.build(&context).unwrap();
    store.set_kind(log_r.kind());
    no_grad(|| store.variables()["log_r"].shallow_clone().copy_(&log_r.view([1, -1])));
    loss
}

fn sparse(counts: &Tensor) -> Target {
    let (n_cells, n_features) = counts.size2().unwrap();
    let stored = counts.not_equal(0.0);
    let lengths = stored.sum_dim_intlist([1i64].as_slice(), false, Kind::Int64);
    Target::new(Features::Sparse(SparseFeatures {
        offsets: Tensor::cat(&[Tensor::zeros([1], (Kind::Int64, Device::Cpu)), lengths.cumsum(0, Kind::Int64)], 0),
        indices: stored.nonzero().select(1, 1),
        values: counts.masked_select(&stored).to_kind(Kind::Float).view([-1]),
        n_features: {
            assert!(n_cells > 0);
            n_features
        },
    }))
}

fn dense(counts: &Tensor) -> Target {
    Target::new(Features::Dense(counts.to_kind(Kind::Float)))
}

/// Largest difference, as a share of the expected number; where that is nearly 0, of 10⁻⁶ of the largest.
fn difference(found: &Tensor, expected: &Tensor) -> f64 {
    let (found, expected) = (found.to_kind(Kind::Double), expected.to_kind(Kind::Double));
    let least = expected.abs().max() * 1e-6;
    ((found - &expected).abs() / expected.abs().maximum(&least)).max().double_value(&[])
}

/// −ln p as the formula is written, by libtorch in double precision; elementwise.
fn by_formula(logits: &Tensor, counts: &Tensor, r: &Tensor) -> Tensor {
    let k = counts.to_kind(Kind::Double);
    let m = logits.to_kind(Kind::Double).softmax(1, Kind::Double) * k.sum_dim_intlist([1i64].as_slice(), true, None);
    let spread: Tensor = r + &m + 1e-10;
    let gammas: Tensor = (&k + r).lgamma() - r.lgamma() - (&k + 1.0).lgamma();
    -(gammas + &k * (&m / &spread + 1e-10).log() + r * (r / &spread).log())
}

#[test]
fn densities_are_those_of_the_published_package() {
    let (golden, mut largest) = (golden(), [0.0f64; 3]);
    let (x, mean, r) = (table(&golden["x"]), table(&golden["mean"]), table(&golden["dispersion"]));
    let mut by_dispersion = vec![0.0; r[0].len()];
    let expected = &golden["density"]["f64"];
    let (densities, by_mean) = (table(&expected["log_prob"]), table(&expected["grad_mean"]));
    // Rounding of r / (r + m), whose logarithm r multiplies, and of terms that cancel.
    let far = |found: f64, expected: f64, r: f64| ((found - expected).abs() - r * 3e-16).max(0.0) / expected.abs();
    for cell in 0..x.len() {
        for feature in 0..r[0].len() {
            let (k, m, r) = (x[cell][feature], mean[cell][feature], r[0][feature]);
            let zero = zero(m, r, 1.0 / r);
            let entry =
                if k > 0.0 { Entry::new(k, m, r) } else { Entry { value: 0.0, by_mean: 0.0, by_dispersion: 0.0 } };
            largest[0] = largest[0].max(far(-(zero.value + entry.value), densities[cell][feature], r));
            largest[1] = largest[1].max(far(-(zero.by_mean + entry.by_mean), by_mean[cell][feature], 1.0));
            by_dispersion[feature] -= zero.by_dispersion + entry.by_dispersion;
        }
    }
    for (found, expected) in by_dispersion.iter().zip(&table(&expected["grad_dispersion"])[0]) {
        largest[2] = largest[2].max(far(*found, *expected, 0.0));
    }
    assert!(largest.iter().all(|one| *one < 1e-10), "{largest:?}");
}

/// Loss and slopes by predictions and by dispersions, of every cell of the layer in the golden file.
fn layer<T: Number>(layer: &Value, x: &Value) -> [Vec<Vec<f64>>; 3] {
    let one_row = |row: &[f64]| row.iter().map(|one| T::of(*one)).collect::<Vec<T>>();
    let r: Vec<f64> = table(&layer["log_r"])[0].iter().map(|log_r| 1.0 + log_r.exp()).collect();
    let dispersions = Dispersions { r: one_row(&r), inverse: one_row(&r).iter().map(|r| T::ONE / *r).collect() };
    let mut found = [Vec::new(), Vec::new(), Vec::new()];
    for (place, (logits, x)) in table(&layer["logits"]).iter().zip(table(x)).enumerate() {
        let entries = x.into_iter().enumerate().filter(|(_, count)| *count > 0.0).collect();
        let counts = Counts { entries, total: table(&layer["library"])[place][0] };
        let mut row = Row::new(r.len());
        row.prediction = one_row(logits);
        found[0].push(vec![row.loss(&counts, &dispersions, Wanted::ByAll)]);
        found[1].push(row.prediction.iter().map(|one| one.double()).collect());
        found[2].push(row.by_dispersion.iter().map(|one| one.double()).collect());
    }
    found
}

#[test]
fn losses_and_gradients_are_those_of_the_published_package() {
    let golden = golden();
    let (of, expected) = (&golden["layer"], &golden["layer"]["f64"]);
    let log_r = Tensor::from_slice(&table(&of["log_r"])[0]);
    for (kind, tolerance) in PRECISIONS {
        let found = if kind == Kind::Double { layer::<f64>(of, &golden["x"]) } else { layer::<f32>(of, &golden["x"]) };
        let [losses, by_prediction, by_dispersion] =
            found.map(|rows| Tensor::from_slice(&rows.concat()).view([rows.len() as i64, -1]));
        let by_log_r = by_dispersion.sum_dim_intlist([0i64].as_slice(), true, None::<Kind>) * log_r.exp();
        let densities =
            tensor(&expected["log_prob"], Kind::Double).sum_dim_intlist([1i64].as_slice(), true, None::<Kind>);
        for (found, expected) in [
            (losses, -densities),
            (by_prediction, tensor(&expected["grad_logits_of_loss"], Kind::Double)),
            (by_log_r, tensor(&expected["grad_log_r_of_loss"], Kind::Double)),
        ] {
            let off = difference(&found, &expected);
            assert!(off < tolerance, "{kind:?}: off by {off}: {found} {expected}");
        }
    }
}

#[test]
fn sparse_and_dense_targets_follow_the_formula() {
    let counts = Tensor::from_slice(&[1f32, 0.0, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 40.0, 3.0, 1e5]).view([3, 4]);
    let log_r = Tensor::from_slice(&[-3f64, 0.0, 0.7, 4.0]);
    for dispersion in [Dispersion::OnePlusExp, Dispersion::Exp] {
        let r = dispersion.of(&log_r).unwrap();
        let expected = by_formula(&logits(), &counts, &r).mean_dim([1i64].as_slice(), false, None::<Kind>);
        for (kind, tolerance) in PRECISIONS {
            let mut store = VarStore::new(Device::Cpu);
            let loss = loss(&mut store, dispersion, &log_r.to_kind(kind));
            for target in [sparse(&counts), dense(&counts)] {
                let found = loss.per_cell(&logits().to_kind(kind), &target).unwrap();
                assert_eq!((found.kind(), found.size()), (kind, vec![3]));
                let off = difference(&found, &expected);
                assert!(off < tolerance, "{dispersion:?} {kind:?}: off by {off}: {found} {expected}");
            }
        }
    }
}
