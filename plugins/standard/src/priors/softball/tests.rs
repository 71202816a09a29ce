use super::*;
use crate::priors::golden::{self, PRECISIONS, close, tensor};
use serde_json::Value;

fn of(case: &Value) -> Softball {
    Softball { radius: case["radius"].as_f64().unwrap(), sharpness: case["sharpness"].as_f64().unwrap() }
}

#[test]
fn densities_and_gradients_are_the_published_ones() {
    let golden = golden::softball();
    for case in golden["cases"].as_array().unwrap() {
        let (ball, dim) = (of(case), case["dim"].as_i64().unwrap());
        for (block, kind, tolerance) in PRECISIONS {
            let (rows, expected) = (tensor(&case["z"], kind).set_requires_grad(true), &case[block]);
            let constant = Tensor::from(ball.log_constant(dim));
            close(&constant, &expected["norm_const"], 1e-13, "constant");
            let density = ball.log_density(&rows).unwrap();
            assert_eq!(density.kind(), kind);
            close(&density, &expected["log_prob"], tolerance, &format!("density, {dim} dimensions, {block}"));
            density.sum(kind).backward();
            let gradient = rows.grad().narrow(0, 1, rows.size()[0] - 1);
            close(&gradient, &expected["grad_z_rows1plus"], tolerance, &format!("gradient, {dim} dimensions, {block}"));
            assert_eq!(rows.grad().get(0).abs().max().double_value(&[]), 0.0);
        }
    }
}

#[test]
fn draws_are_placed_as_published() {
    let drawn = &golden::softball()["sample"];
    let ball = Softball { radius: 2.0, sharpness: 5.0 };
    for kind in [Kind::Double, Kind::Float] {
        let (directions, quantiles) =
            (tensor(&drawn["randn_drawn_first"], kind), tensor(&drawn["rand_drawn_second"], kind));
        // the package drew in single precision
        close(&ball.place(&directions, &quantiles).unwrap(), &drawn["sample"], 1e-6, "draws");
    }
}

#[test]
fn draws_are_those_of_the_published_seed() {
    let drawn = &golden::softball()["sample"];
    // other tests may draw in between
    let same = || {
        tch::manual_seed(0);
        let rows = Softball { radius: 2.0, sharpness: 5.0 }.sample(3, 4).unwrap();
        (rows - tensor(&drawn["sample"], Kind::Float)).abs().max().double_value(&[]) < 1e-6
    };
    assert!((0..100).any(|_| same()));
}

#[test]
fn draws_lie_in_the_ball_and_fill_it() {
    let lengths = Softball { radius: 3.0, sharpness: 5.0 }.sample(2000, 2).unwrap().norm_scalaropt_dim(
        2.0,
        [1i64].as_slice(),
        false,
    );
    assert!(lengths.max().double_value(&[]) <= 3.0 + 1e-5);
    // within radius R/2 there is a quarter of a disc
    let inner = lengths.le(1.5).to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
    assert!((inner - 0.25).abs() < 0.05, "{inner}");
}

#[test]
fn the_density_is_nearly_that_of_a_ball() {
    // ∫ over a disc of R = 1 by a fine grid; the surface of sharpness 50 is nearly hard
    let ball = Softball { radius: 1.0, sharpness: 50.0 };
    let (n, half) = (400, 1.5);
    let line = Tensor::linspace(-half, half, n, (Kind::Double, Device::Cpu));
    let grid = Tensor::cartesian_prod(&[&line, &line]);
    let cell = (2.0 * half / (n - 1) as f64).powi(2);
    let mass = ball.log_density(&grid).unwrap().exp().sum(Kind::Double).double_value(&[]) * cell;
    assert!((mass - 1.0).abs() < 5e-3, "{mass}");
}
