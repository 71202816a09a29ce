//! Every number of this crate against numpy, scipy, scikit-image, scikit-learn, statsmodels, scanpy, scib-metrics, gseapy, networkx, Biopython and MOODS (the `make_golden*.py` beside this folder wrote them).

mod agreement;
mod canonical;
mod gene_score;
mod graph;
mod images;
mod interpretation;
mod motifs;
mod paired;
mod published;
mod regression;
mod spaces;

use serde_json::Value;
use tch::Tensor;

/// What the Python script wrote under one heading.
fn golden(heading: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    all[heading].clone()
}

fn vector(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn optional(value: &Value) -> Vec<Option<f64>> {
    value.as_array().unwrap().iter().map(Value::as_f64).collect()
}

fn codes(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as u32).collect()
}

/// A matrix as a 64-bit tensor.
fn matrix(value: &Value) -> Tensor {
    let rows = value.as_array().unwrap();
    let numbers: Vec<f64> = rows.iter().flat_map(vector).collect();
    Tensor::from_slice(&numbers).view([rows.len() as i64, -1])
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(tch::Kind::Double).contiguous().view(-1)).unwrap()
}

/// Relative to the larger of the two and 1.
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (at, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "entry {at}: {a}, expected {b}");
    }
}

fn assert_close_or_none(found: &[Option<f64>], expected: &[Option<f64>], tolerance: f64) {
    assert_eq!(
        found.iter().map(Option::is_some).collect::<Vec<_>>(),
        expected.iter().map(Option::is_some).collect::<Vec<_>>()
    );
    let defined = |values: &[Option<f64>]| values.iter().flatten().copied().collect::<Vec<_>>();
    assert_close(&defined(found), &defined(expected), tolerance);
}
