use super::*;
use crate::latent::EPSILON;

const RULE: AdamRule = AdamRule { learning_rate: 0.1, beta_1: 0.5, beta_2: 0.7, weight_decay: 0.01, l1: 0.3 };

/// Adam as it is written: the parameter after each of `n` steps on Σ p², and the penalty before the last.
fn by_formula(start: &[f64], rule: AdamRule, n: i32) -> (Vec<f64>, f64) {
    let (mut x, mut m, mut v) = (start.to_vec(), vec![0.0; start.len()], vec![0.0; start.len()]);
    let mut penalty = 0.0;
    for step in 1..=n {
        penalty = rule.l1 * x.iter().map(|one| one.abs()).sum::<f64>();
        for i in 0..x.len() {
            let sign = if x[i] == 0.0 { 0.0 } else { x[i].signum() };
            let g = 2.0 * x[i] + rule.weight_decay * x[i] + rule.l1 * sign;
            m[i] = rule.beta_1 * m[i] + (1.0 - rule.beta_1) * g;
            v[i] = rule.beta_2 * v[i] + (1.0 - rule.beta_2) * g * g;
            let (m_hat, v_hat) = (m[i] / (1.0 - rule.beta_1.powi(step)), v[i] / (1.0 - rule.beta_2.powi(step)));
            x[i] -= rule.learning_rate * m_hat / (f64::sqrt(v_hat) + EPSILON);
        }
    }
    (x, penalty)
}

/// The same by the optimizer, through gradients that the parameters hold or that it is given.
fn by_optimizer(start: &Tensor, rule: AdamRule, n: i32, held: bool) -> (Vec<f64>, Option<f64>) {
    let parameter = start.copy().set_requires_grad(true);
    let mut adam = Adam::new(vec![parameter.shallow_clone()], rule);
    for _ in 0..n {
        let loss = parameter.square().sum(None::<Kind>);
        if held {
            adam.zero_gradients();
            loss.backward();
            adam.step();
        } else {
            adam.step_along(&Tensor::run_backward(&[&loss], &[&parameter], false, false));
        }
    }
    let penalty = adam.l1_norm().map(|norm| norm.double_value(&[]));
    (Vec::try_from(parameter.detach().to_kind(Kind::Double)).unwrap(), penalty)
}

fn farthest(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn steps_are_those_of_adam_with_decay_and_penalty() {
    let start: Vec<f64> = (0..37).map(|i| f64::from(i - 18) * 0.2).collect();
    let defaults = AdamRule::new(0.1, 0.01);
    for rule in [RULE, defaults, AdamRule { l1: 0.0, ..RULE }, AdamRule { weight_decay: 0.0, ..RULE }] {
        let (expected, penalty) = by_formula(&start, rule, 4);
        for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 1e-5)] {
            for held in [true, false] {
                let (found, norm) = by_optimizer(&Tensor::from_slice(&start).to_kind(kind), rule, 4, held);
                assert!(farthest(&found, &expected) < tolerance, "{rule:?} {kind:?}: {found:?} is not {expected:?}");
                assert_eq!(norm.is_some(), rule.l1 > 0.0);
                assert!((norm.unwrap_or_default() - penalty).abs() <= 1e-6 * penalty, "{norm:?} is not {penalty}");
            }
        }
    }
}

#[test]
fn operations_of_libtorch_step_as_the_pieces_do() {
    let start = Tensor::arange(37, (Kind::Double, Device::Cpu)) * 0.2 - 3.6;
    let gradient = &start * 2.0;
    let (here, elsewhere) = (start.copy(), start.copy());
    let (mut host, mut device) = (HostMoments::<f64>::of(&here), DeviceMoments::of(&elsewhere));
    for rate in [0.1, 0.2] {
        let stride = Stride { rule: RULE, rate, scale: 1.3 };
        let norms = [host.step(&here, &gradient, &stride), device.step(&elsewhere, &gradient, &stride)];
        assert!(norms[0].allclose(&norms[1], 1e-12, 0.0, false));
        assert!(here.allclose(&elsewhere, 1e-12, 1e-14, false));
    }
}

#[test]
fn every_piece_is_stepped_alike() {
    let n = 3 * (1 << 18) + 32_768 + 17;
    let parameter = Tensor::ones([n], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let mut adam = Adam::new(vec![parameter.shallow_clone()], AdamRule { l1: 1.0, ..AdamRule::new(0.1, 0.0) });
    parameter.sum(Kind::Float).backward();
    adam.step();
    let (low, high) = (f64::try_from(parameter.min()).unwrap(), f64::try_from(parameter.max()).unwrap());
    assert_eq!(low, high);
    assert!((low - 0.9).abs() < 1e-6);
    assert_eq!(adam.l1_norm().unwrap().double_value(&[]), n as f64);
}

#[test]
fn parameters_without_a_gradient_rest_unless_penalised() {
    for (l1, after) in [(0.0, 1.0), (0.5, 0.9)] {
        let parameter = Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let mut adam = Adam::new(vec![parameter.shallow_clone()], AdamRule { l1, ..AdamRule::new(0.1, 0.0) });
        adam.step();
        assert!((parameter.double_value(&[0]) - after).abs() < 1e-6);
    }
}
