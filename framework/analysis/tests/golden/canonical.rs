//! Canonical correlations against scikit-learn (`make_golden_canonical.py`), and what must hold whatever the numbers are.

use analysis::CanonicalCorrelation;
use serde_json::Value;
use tch::{Kind, Tensor};

use crate::{assert_close, flat, matrix, vector};

fn stored() -> (Tensor, Tensor, i64, Value) {
    let stored: Value = serde_json::from_str(include_str!("canonical.json")).unwrap();
    let n_fitted = stored["n_fitted"].as_i64().unwrap();
    (matrix(&stored["x"]), matrix(&stored["y"]), n_fitted, stored)
}

#[test]
fn correlations_of_fitted_and_of_other_cells() {
    let (x, y, n, stored) = stored();
    let found = CanonicalCorrelation::fit(&x.narrow(0, 0, n), &y.narrow(0, 0, n)).unwrap();
    assert_close(&found.correlations, &vector(&stored["fitted"]), 1e-9);
    assert_close(&found.among(&x.narrow(0, 0, n), &y.narrow(0, 0, n)).unwrap(), &vector(&stored["fitted"]), 1e-9);
    let rest = x.size()[0] - n;
    let others = found.among(&x.narrow(0, n, rest), &y.narrow(0, n, rest)).unwrap();
    assert_close(&others, &vector(&stored["others"]), 1e-7);
}

#[test]
fn variates_are_uncorrelated_and_affine_maps_change_nothing() {
    let (x, y, ..) = stored();
    let found = CanonicalCorrelation::fit(&x, &y).unwrap();
    let variates = Tensor::cat(&[found.of_x(&x).unwrap(), found.of_y(&y).unwrap()], 1);
    let covariance = flat(&(variates.tr().matmul(&variates) / (x.size()[0] - 1) as f64));
    for (at, value) in covariance.iter().enumerate() {
        let (row, column) = (at / 8, at % 8);
        let expected = match (row == column, row % 4 == column % 4) {
            (true, _) => 1.0,
            (false, true) => found.correlations[row % 4],
            _ => 0.0,
        };
        assert!((value - expected).abs() < 1e-9, "{row}, {column}: {value}, expected {expected}");
    }
    tch::manual_seed(3);
    let map =
        Tensor::eye(4, (Kind::Double, tch::Device::Cpu)) * 2.0 + Tensor::rand([4, 4], (Kind::Double, tch::Device::Cpu));
    let mapped = CanonicalCorrelation::fit(&(x.matmul(&map) + 5.0), &y).unwrap();
    assert_close(&mapped.correlations, &found.correlations, 1e-9);
}
