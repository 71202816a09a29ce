use super::*;
use crate::losses::NegativeBinomialSpec;
use crate::losses::testing::{close, context, dense_target, gradient_error, logits, sparse_target};
use tch::nn::VarStore;
use tch::{Device, Kind, no_grad};

fn loss(store: &VarStore, log_r: &Tensor, inflation: &Tensor) -> Box<dyn Loss> {
    let loss = ZinbSpec::default().build(&context(store)).unwrap();
    let variables = store.variables();
    no_grad(|| {
        variables["log_r"].shallow_clone().copy_(&log_r.view([1, 4]));
        variables["inflation"].shallow_clone().copy_(&inflation.view([1, 4]));
    });
    loss
}

/// −ln(π [k = 0] + (1 − π) NB(k)) in double precision, mean over features.
fn by_formula(prediction: &Tensor, counts: &Tensor, log_r: &Tensor, inflation: &Tensor) -> Tensor {
    let (k, r, share) = (counts.to_kind(Kind::Double), log_r.exp() + 1.0, inflation.sigmoid());
    let totals = k.sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
    let m = prediction.to_kind(Kind::Double).softmax(1, Kind::Double) * totals;
    let gammas: Tensor = (&k + &r).lgamma() - r.lgamma() - (&k + 1.0).lgamma();
    let odds: Tensor = &m / (&r + &m + 1e-10);
    let density = (gammas + k.xlogy(&(odds + 1e-10)) - &r * ((&m + 1e-10) / &r).log1p()).exp();
    let at_zero = k.eq(0.0).to_kind(Kind::Double);
    let probability: Tensor = &share * at_zero + (1.0 - &share) * density;
    -probability.log().mean_dim([1i64].as_slice(), false, Kind::Double)
}

#[test]
fn sparse_and_dense_targets_follow_the_formula() {
    let (log_r, inflation) = (Tensor::from_slice(&[-1f64, 0.0, 0.5, 2.0]), Tensor::from_slice(&[-3f64, 0.0, 1.0, 4.0]));
    let store = VarStore::new(Device::Cpu);
    let loss = loss(&store, &log_r, &inflation);
    for target in [sparse_target(), dense_target()] {
        let expected = by_formula(&logits(), target.dense(), &log_r, &inflation);
        let found = loss.per_cell(&logits(), &target).unwrap();
        assert!(close(&found, &expected), "{found} {expected}");
    }
}

#[test]
fn gradients_are_central_differences() {
    let mut store = VarStore::new(Device::Cpu);
    let loss = loss(&store, &Tensor::from_slice(&[-1f64, 0.0, 0.5, 2.0]), &Tensor::from_slice(&[-3f64, 0.0, 1.0, 4.0]));
    store.double();
    for target in [sparse_target(), dense_target()] {
        let off = gradient_error(loss.as_ref(), &target);
        assert!(off < 1e-7, "{off}");
    }
}

#[test]
fn without_inflation_it_is_the_negative_binomial() {
    let (mut zinb, mut plain) = (VarStore::new(Device::Cpu), VarStore::new(Device::Cpu));
    let zeros = Tensor::zeros([4], (Kind::Double, Device::Cpu));
    let with = loss(&zinb, &zeros, &(&zeros - 80.0));
    let without = NegativeBinomialSpec::default().build(&context(&plain)).unwrap();
    zinb.double();
    plain.double();
    let prediction = logits().to_kind(Kind::Double);
    for target in [sparse_target(), dense_target()] {
        let [found, expected] = [&with, &without].map(|loss| loss.per_cell(&prediction, &target).unwrap());
        assert!(found.allclose(&expected, 1e-12, 1e-14, false), "{found} {expected}");
    }
    assert!(close(&with.expectation(&prediction, None).unwrap(), &without.expectation(&prediction, None).unwrap()));
}

#[test]
fn shares_that_are_no_probabilities_are_refused() {
    for initial_inflation in [0.0, 1.0, -0.5, f64::NAN] {
        let problems = ZinbSpec { initial_inflation, ..ZinbSpec::default() }.validate();
        assert_eq!(problems[0].key, "initial_inflation");
    }
    assert!(ZinbSpec::default().validate().is_empty());
}
