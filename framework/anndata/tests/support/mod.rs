//! What several tests share: the fixtures, what they hold, Python, and the state of every object of a file.
#![allow(dead_code, missing_docs)]

pub mod digest;
pub mod python;

use std::path::{Path, PathBuf};

use anndata::{Csr, Dense};

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The matrix that `make_fixtures.py` gives every shape.
pub fn counts(n_rows: usize, n_columns: usize) -> Csr {
    let value = |place: usize| {
        let value = (place / n_columns * 7 + place % n_columns * 3) % 5;
        if value >= 3 { value as f32 } else { 0.0 }
    };
    let values = (0..n_rows * n_columns).map(value).collect();
    Csr::from_dense(&Dense::new(n_rows, n_columns, values).unwrap()).unwrap()
}

pub fn names(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|place| format!("{prefix}{place}")).collect()
}

/// The message of an error with its causes.
pub fn message<T>(result: anyhow::Result<T>) -> String {
    match result {
        Ok(_) => panic!("this should have failed"),
        Err(error) => format!("{error:#}"),
    }
}
