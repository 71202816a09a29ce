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
    let n_features = counts.size()[1];
    let stored = counts.not_equal(0.0);
    let lengths = stored.sum_dim_intlist([1i64].as_slice(), false, Kind::Int64);
    Target::new(Features::Sparse(SparseFeatures {
        offsets: Tensor::cat(&[Tensor::zeros([1], (Kind::Int64, Device::Cpu)), lengths.cumsum(0, Kind::Int64)], 0),
        indices: stored.nonzero().select(1, 1),
        values: counts.masked_select(&stored).to_kind(Kind::Float).view([-1]),
        n_features,
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
    -(gammas + &k * (&m / &spread + 1e-10).log()) + r * ((&m + 1e-10) / r).log1p()
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

/// Predictions and counts of more cells and features than one stretch of the loops has; some cells have no count.
fn many(kind: Kind) -> (Tensor, Tensor, Tensor) {
    let (n_cells, n_features) = (7, 2_345);
    let wave = |factor: f64| (Tensor::arange(n_cells * n_features, (Kind::Double, Device::Cpu)) * factor).sin();
    let counts = ((wave(12.9898) - 0.7) * 20.0).clamp_min(0.0).floor().view([n_cells, n_features]);
    let _ = counts.get(3).fill_(0.0);
    let prediction = (wave(0.37) * 3.0).view([n_cells, n_features]).to_kind(kind);
    let log_r = (Tensor::arange(n_features, (Kind::Double, Device::Cpu)) * 0.71).cos() * 2.0;
    (prediction, counts, log_r.to_kind(kind))
}

/// Loss, and gradients by predictions and log r, where each cell's loss has a weight of its own.
fn weighted(per_cell: impl Fn(&Tensor, &Tensor) -> Tensor, prediction: &Tensor, log_r: &Tensor) -> [Tensor; 3] {
    let (prediction, log_r) = (prediction.copy().set_requires_grad(true), log_r.copy().set_requires_grad(true));
    let losses = per_cell(&prediction, &log_r);
    let weights = Tensor::from_slice(&[1f64, -2.0, 0.0, 3.0, 0.5, 7.0, 1e3]).to_kind(losses.kind());
    (&losses * weights).sum(None::<Kind>).backward();
    [losses.detach(), prediction.grad(), log_r.grad()]
}

#[test]
fn gradients_are_those_of_autograd_whatever_each_cell_weighs() {
    for dispersion in [Dispersion::OnePlusExp, Dispersion::Exp] {
        for (kind, tolerance) in PRECISIONS {
            let (prediction, counts, log_r) = many(kind);
            let formula = |x: &Tensor, log_r: &Tensor| {
                let r = dispersion.of(&log_r.to_kind(Kind::Double)).unwrap();
                by_formula(x, &counts, &r).mean_dim([1i64].as_slice(), false, None::<Kind>)
            };
            let expected = weighted(formula, &prediction, &log_r);
            for target in [sparse(&counts), dense(&counts)] {
                let mut store = VarStore::new(Device::Cpu);
                let loss = loss(&mut store, dispersion, &log_r);
                let parameter = store.variables()["log_r"].shallow_clone();
                let mut found = weighted(|x, _| loss.per_cell(x, &target).unwrap(), &prediction, &log_r);
                found[2] = parameter.grad().flatten(0, -1);
                let off = difference(&found[0], &expected[0]);
                assert!(off < tolerance, "{dispersion:?} {kind:?}: losses off by {off}");
                for (found, expected) in found.iter().zip(&expected).skip(1) {
                    // Differences of a feature's own slope and the mean slope of its cell, some of them nearly 0.
                    let least = expected.abs().max() * 1e-4;
                    let off = (found.to_kind(Kind::Double) - expected).abs() / expected.abs().maximum(&least);
                    let (off, largest) = (off.max().double_value(&[]), if kind == Kind::Float { 1e-4 } else { 1e-10 });
                    assert!(off < largest, "{dispersion:?} {kind:?}: gradients off by {off}");
                }
            }
        }
    }
}

#[test]
fn operations_give_the_same_as_the_fused_loops() {
    let (prediction, counts, log_r) = many(Kind::Double);
    for target in [sparse(&counts), dense(&counts)] {
        let of = |fused_loops: bool| {
            let summed = |x: &Tensor, log_r: &Tensor| {
                let r = Dispersion::OnePlusExp.of(log_r).unwrap();
                let summed = if fused_loops { fused::<f64> } else { operations::summed };
                summed(x, &target, &r).unwrap()
            };
            weighted(summed, &prediction, &log_r)
        };
        for (found, expected) in of(true).iter().zip(&of(false)) {
            let off = difference(found, expected);
            assert!(off < 1e-9, "off by {off}");
        }
    }
}

#[test]
fn gradients_are_central_differences() {
    let counts = Tensor::from_slice(&[1f32, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 2.0, 0.0, 1.0]).view([3, 4]);
    let (target, mut store) = (sparse(&counts), VarStore::new(Device::Cpu));
    let loss = loss(&mut store, Dispersion::OnePlusExp, &Tensor::from_slice(&[-1f64, 0.0, 0.7, 2.0]));
    assert!(gradient_error(loss.as_ref(), &target) < 1e-7);
    let mut log_r = store.variables()["log_r"].shallow_clone();
    log_r.zero_grad();
    let prediction = logits().clamp(-3.0, 3.0).to_kind(Kind::Double);
    let total = || loss.per_cell(&prediction, &target).unwrap().sum(Kind::Double);
    total().backward();
    for feature in 0..4 {
        let claimed = log_r.grad().double_value(&[0, feature]);
        let moved = |shift: f64| {
            let _ = no_grad(|| log_r.narrow(1, feature, 1).g_add_scalar_(shift));
            total().double_value(&[])
        };
        let (up, down) = (moved(1e-5), moved(-2e-5));
        moved(1e-5);
        assert!(((up - down) / 2e-5 - claimed).abs() < 1e-7, "feature {feature}: {claimed}");
    }
}

#[test]
fn only_the_gradients_that_are_asked_for_are_tracked() {
    let (prediction, counts, log_r) = many(Kind::Float);
    let mut store = VarStore::new(Device::Cpu);
    let loss = loss(&mut store, Dispersion::OnePlusExp, &log_r);
    let learned = prediction.copy().set_requires_grad(true);
    let value = |prediction: &Tensor| loss.per_cell(prediction, &sparse(&counts)).unwrap();
    assert!(!no_grad(|| value(&learned)).requires_grad());
    assert!(value(&prediction).requires_grad());
    store.freeze();
    assert!(!value(&prediction).requires_grad());
    let with_gradient = value(&learned);
    assert!(with_gradient.requires_grad());
    assert_eq!(with_gradient.detach(), value(&prediction));
}

#[test]
fn huge_counts_and_cells_without_any_are_finite() {
    let counts = Tensor::from_slice(&[0f32, 0.0, 0.0, 1e6, 0.0, 3e7, 1e6, 1e6, 1e6]).view([3, 3]);
    let extremes = Tensor::from_slice(&[1e3f32, -1e3, 0.0, -1e3, 1e3, -50.0, 1e3, 1e3, -1e3]).view([3, 3]);
    let log_r = Tensor::from_slice(&[-20f32, 0.0, 20.0]);
    for dispersion in [Dispersion::OnePlusExp, Dispersion::Exp] {
        let mut store = VarStore::new(Device::Cpu);
        let loss = loss(&mut store, dispersion, &log_r);
        for target in [sparse(&counts), dense(&counts)] {
            let prediction = extremes.copy().set_requires_grad(true);
            let losses = loss.per_cell(&prediction, &target).unwrap();
            losses.sum(Kind::Float).backward();
            for tensor in [&losses, &prediction.grad(), &store.variables()["log_r"].grad()] {
                assert!(bool::try_from(tensor.isfinite().all()).unwrap(), "{dispersion:?}: {tensor}");
            }
            assert!((0.0..1e-6).contains(&losses.double_value(&[0])), "{losses}");
        }
    }
}

#[test]
fn what_is_no_count_is_refused() {
    let mut store = VarStore::new(Device::Cpu);
    let loss = loss(&mut store, Dispersion::OnePlusExp, &Tensor::zeros([4], (Kind::Float, Device::Cpu)));
    let refusal = |count: f32| {
        let counts = Tensor::from_slice(&[1.0, 0.0, count, 0.0]).view([1, 4]);
        loss.per_cell(&logits().narrow(0, 0, 1), &dense(&counts)).unwrap_err().to_string()
    };
    assert!(refusal(-1.0).starts_with("feature 2 has the count -1, but"), "{}", refusal(-1.0));
    assert!(refusal(f32::NAN).starts_with("feature 2 has the count NaN, but"));
    let narrow = loss.per_cell(&logits(), &dense(&Tensor::ones([3, 5], (Kind::Float, Device::Cpu)))).unwrap_err();
    assert!(narrow.to_string().contains("the loss was made for 4 features"), "{narrow}");
}

#[test]
fn expectations_are_shares_or_counts() {
    let mut store = VarStore::new(Device::Cpu);
    let loss = loss(&mut store, Dispersion::OnePlusExp, &Tensor::zeros([4], (Kind::Float, Device::Cpu)));
    let sums = |totals: Option<&Tensor>| {
        loss.expectation(&logits(), totals).unwrap().sum_dim_intlist([1i64].as_slice(), false, Kind::Float)
    };
    let totals = Tensor::from_slice(&[10f32, 0.0, 5.0]);
    assert!(sums(None).allclose(&Tensor::ones([3], (Kind::Float, Device::Cpu)), 1e-6, 0.0, false));
    assert!(sums(Some(&totals)).allclose(&totals, 1e-6, 0.0, false));
}
