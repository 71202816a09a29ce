//! Numbers that the published package gives (multiDGD 0.0.1), for tests: `golden/dgd`.

use serde_json::Value;
use tch::nn::VarStore;
use tch::{Kind, Tensor, no_grad};

/// Largest relative difference in double precision.
pub const DOUBLE: f64 = 1e-10;
/// Largest relative difference in single precision.
pub const SINGLE: f64 = 1e-5;

/// The mixtures.
pub fn mixtures() -> Value {
    serde_json::from_str(include_str!("../../golden/dgd/gmm.json")).unwrap()
}

/// The softball.
pub fn softball() -> Value {
    serde_json::from_str(include_str!("../../golden/dgd/softball.json")).unwrap()
}

/// The two precisions: name of the block, kind, tolerance.
pub const PRECISIONS: [(&str, Kind, f64); 2] = [("f64", Kind::Double, DOUBLE), ("f32", Kind::Float, SINGLE)];

/// All numbers of nested lists, in order.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

/// The tensor of nested lists.
pub fn tensor(value: &Value, kind: Kind) -> Tensor {
    let (mut size, mut inner) = (Vec::new(), value);
    while let Value::Array(items) = inner {
        size.push(items.len() as i64);
        inner = &items[0];
    }
    Tensor::from_slice(&numbers(value)).view(size.as_slice()).to_kind(kind)
}

/// Parameters in a precision, with the values of a block.
pub fn set(store: &mut VarStore, block: &Value, kind: Kind) {
    if kind == Kind::Double {
        store.double();
    }
    for (name, mut variable) in store.variables() {
        let values = tensor(&block[&name], kind);
        assert_eq!(values.size(), variable.size(), "{name}");
        no_grad(|| variable.copy_(&values));
    }
}

/// Wants every number to be close in units of itself, and as many of them.
#[track_caller]
pub fn close(found: &Tensor, expected: &Value, relative: f64, what: &str) {
    let (expected, found) =
        (numbers(expected), Vec::<f64>::try_from(found.detach().flatten(0, -1).to_kind(Kind::Double)).unwrap());
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(difference <= relative * expected.abs(), "{what}, number {place}: {found} instead of {expected}");
    }
}

/// Wants every number to be close in units of the largest.
#[track_caller]
pub fn close_to_largest(found: &Tensor, expected: &Value, relative: f64, what: &str) {
    let largest = numbers(expected).into_iter().fold(0.0, |largest, number| f64::max(largest, number.abs()));
    let off = (found.detach().to_kind(Kind::Double) - tensor(expected, Kind::Double)).abs().max().double_value(&[]);
    assert!(off <= relative * largest, "{what}: off by {off} where the largest is {largest}");
}
