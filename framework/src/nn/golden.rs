//! What tests of networks against golden files have in common.

use serde_json::Value;
use std::collections::HashMap;
use tch::nn::VarStore;
use tch::{Kind, Tensor};

/// Largest difference, relative to the largest expected number or 1.
const TOLERANCE: f64 = 1e-10;

/// All numbers of an array of arrays, in order.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

/// Wants numbers to be those of a golden file.
pub fn is_close(found: &[f64], expected: &Value, what: &str) {
    let expected = numbers(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1f64, |largest, value| largest.max(value.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() <= TOLERANCE * largest, "{what}: {found} instead of {expected}");
    }
}

/// All numbers of a tensor, in order.
pub fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).contiguous().view(-1)).unwrap()
}

/// Numbers by the formula of the scripts.
pub fn filled(shape: &[i64], key: u64) -> Tensor {
    let n: i64 = shape.iter().product();
    let value = |place: u64| {
        let mixed = ((place * 37 + key * 101 + 1).wrapping_mul(2_654_435_761) % (1 << 32)) >> 24;
        (mixed as f64 - 128.0) / 512.0
    };
    Tensor::from_slice(&(0..n as u64).map(value).collect::<Vec<_>>()).view(shape)
}

/// Sum, sum of squares, and a sum weighted by places.
fn short(tensor: &Tensor) -> Vec<f64> {
    let values = values(tensor);
    let weighted: f64 = values.iter().enumerate().map(|(place, value)| value * (place as f64).cos()).sum();
    vec![values.iter().sum(), values.iter().map(|value| value * value).sum(), weighted]
}

/// Wants gradients and running averages to be those of a golden file.
pub fn has_moved(variables: &HashMap<String, Tensor>, golden: &Value) {
    for (name, expected) in golden["gradients"].as_object().unwrap() {
        is_close(&short(&variables[name].grad()), expected, name);
    }
    for (name, expected) in golden["running"].as_object().unwrap() {
        is_close(&short(&variables[name]), expected, name);
    }
}

/// Wants parameters to have the names and shapes of a golden file, and no others to be there.
pub fn has_shapes(store: &VarStore, expected: &Value) {
    let shapes: HashMap<String, Vec<i64>> =
        store.variables().into_iter().map(|(name, variable)| (name, variable.size())).collect();
    let expected = expected.as_object().unwrap();
    for (name, shape) in expected {
        assert_eq!(numbers(shape), shapes[name].iter().map(|&n| n as f64).collect::<Vec<_>>(), "{name}");
    }
    assert_eq!(shapes.keys().filter(|name| !name.contains("running")).count(), expected.len());
}
