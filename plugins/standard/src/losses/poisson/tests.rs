use super::*;
use crate::losses::testing::{close, context, dense_target, gradient_error, logits, sparse_target};
use framework::Features;
use tch::Device;
use tch::nn::VarStore;

fn loss(likelihood: Likelihood) -> Box<dyn Loss> {
    PoissonSpec { likelihood }.build(&context(&VarStore::new(Device::Cpu))).unwrap()
}

/// −(k ln μ − μ − ln k!) in double precision, with μ = total × softmax; terms with k = 0 have k ln μ = 0.
fn by_formula(prediction: &Tensor, counts: &Tensor, likelihood: Likelihood) -> Tensor {
    let (x, k) = (prediction.to_kind(Kind::Double), counts.to_kind(Kind::Double));
    let totals = k.sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
    let rates = x.softmax(1, Kind::Double) * totals;
    let mut each = k.xlogy(&rates) - &rates;
    if likelihood == Likelihood::Full {
        each -= (&k + 1.0).lgamma();
    }
    -each.mean_dim([1i64].as_slice(), false, Kind::Double)
}

#[test]
fn sparse_and_dense_targets_follow_the_formula() {
    for likelihood in [Likelihood::Full, Likelihood::WithoutConstant] {
        let loss = loss(likelihood);
        for target in [sparse_target(), dense_target()] {
            let expected = by_formula(&logits(), target.dense(), likelihood);
            let values = loss.per_cell(&logits(), &target).unwrap();
            assert!(close(&values, &expected), "{likelihood:?}: {values} {expected}");
            assert!(gradient_error(loss.as_ref(), &target) < 1e-7);
        }
    }
}

#[test]
fn one_number_by_hand() {
    // counts 3 and 1, equal shares: rates 2 and 2; −(3 ln 2 − 2 − ln 6) − (ln 2 − 2 − ln 1), over 2 features
    let target = Target::new(Features::Dense(Tensor::from_slice(&[3f32, 1.0]).view([1, 2])));
    let value = loss(Likelihood::Full).per_cell(&Tensor::from_slice(&[5f32, 5.0]).view([1, 2]), &target).unwrap();
    let expected = (4.0 + 6f64.ln() - 4.0 * 2f64.ln()) / 2.0;
    assert!((value.double_value(&[0]) - expected).abs() < 1e-6);
}

#[test]
fn expectations_are_shares_or_counts() {
    let loss = loss(Likelihood::Full);
    let shares = loss.expectation(&logits(), None).unwrap();
    let ones = Tensor::ones([3], (Kind::Float, Device::Cpu));
    assert!(close(&shares.sum_dim_intlist([1i64].as_slice(), false, Kind::Float), &ones));
    let totals = Tensor::from_slice(&[10f32, 0.0, 5.0]);
    let counts = loss.expectation(&logits(), Some(&totals)).unwrap();
    assert!(close(&counts.sum_dim_intlist([1i64].as_slice(), false, Kind::Float), &totals));
}
