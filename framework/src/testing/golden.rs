//! Numbers that another program gave, as JSON: nested lists beside tensors.

use serde_json::Value;
use tch::{Kind, Tensor};

/// The two precisions: name of the block in a file, kind of tensors, largest relative difference.
pub const PRECISIONS: [(&str, Kind, f64); 2] = [("f64", Kind::Double, 1e-10), ("f32", Kind::Float, 1e-5)];

/// All numbers of nested lists, in order.
///
/// # Panics
/// When something else is among them.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

/// The tensor of nested lists.
///
/// # Panics
/// When they are not of equal length.
pub fn tensor(value: &Value, kind: Kind) -> Tensor {
    let (mut size, mut inner) = (Vec::new(), value);
    while let Value::Array(items) = inner {
        size.push(items.len() as i64);
        inner = &items[0];
    }
    Tensor::from_slice(&numbers(value)).view(size.as_slice()).to_kind(kind)
}

/// Wants every number to be close in units of itself, and as many of them.
///
/// # Panics
/// When one is not.
#[track_caller]
pub fn close(found: &Tensor, expected: &Value, relative: f64, what: &str) {
    let expected = numbers(expected);
    let found = Vec::<f64>::try_from(found.detach().to_kind(Kind::Double).flatten(0, -1)).expect("numbers");
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(difference <= relative * expected.abs(), "{what}, number {place}: {found} instead of {expected}");
    }
}

/// Wants every number to be close in units of the largest.
///
/// # Panics
/// When one is not.
#[track_caller]
pub fn close_to_largest(found: &Tensor, expected: &Value, relative: f64, what: &str) {
    let largest = numbers(expected).into_iter().fold(0.0, |largest, number| f64::max(largest, number.abs()));
    let off = (found.detach().to_kind(Kind::Double) - tensor(expected, Kind::Double)).abs().max().double_value(&[]);
    assert!(off <= relative * largest, "{what}: off by {off} where the largest is {largest}");
}
