//! Linear probes and regressions.

use analysis::{LogisticProbe, Matrix, Penalty, Ridge, linear_r2};

use crate::{assert_close, codes, flat, golden, matrix, vector};

#[test]
fn logistic_probe() {
    for name in ["many", "two"] {
        let golden = &golden("logistic")[name];
        let probe = LogisticProbe::fit(&matrix(&golden["space"]), &codes(&golden["labels"]), 1.0).unwrap();
        assert!(probe.converged, "stopped after {} iterations", probe.n_iterations);
        let found = probe.probabilities(&matrix(&golden["unseen"])).unwrap();
        // both stop at a small gradient, which leaves the fifth digit or so open
        assert_close(&flat(&found), &flat(&matrix(&golden["probabilities"])), 1e-5);
    }
}

#[test]
fn ridge_regression() {
    let golden = golden("ridge");
    let inputs = matrix(&golden["inputs"]);
    let target = Matrix::dense(&matrix(&golden["target"])).unwrap();
    let rows: Vec<usize> = (0..target.n_rows()).collect();
    let ridge = Ridge::fit(&inputs, &target, &rows, Penalty::Fixed(2.5)).unwrap();
    assert_close(&flat(ridge.coefficients()), &flat(&matrix(&golden["coefficients"])), 1e-8);
    // predictions are 32-bit
    let predicted = ridge.predict(&matrix(&golden["unseen"])).unwrap();
    assert_close(&flat(&predicted), &flat(&matrix(&golden["predicted"])), 1e-6);
    let chosen = Ridge::fit(&inputs, &target, &rows, Penalty::GeneralisedCrossValidation).unwrap();
    assert_close(&[chosen.penalty], &[golden["cross_validated_penalty"].as_f64().unwrap()], 1e-9);
}

#[test]
fn linear_share_of_a_factor() {
    let golden = golden("spaces");
    let fit = linear_r2(&matrix(&golden["space"]), &vector(&golden["factor"])).unwrap();
    assert_close(&[fit.r_squared], &[golden["linear_r2"].as_f64().unwrap()], 1e-9);
}
