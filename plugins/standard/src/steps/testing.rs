//! Matrices that the tests of the steps share.

use framework::Step;
use framework::anndata::{Csr, Dense};

/// A matrix from its rows.
pub fn matrix(rows: &[&[f32]]) -> Csr {
    let values = rows.concat();
    Csr::from_dense(&Dense::new(rows.len(), rows[0].len(), values).unwrap()).unwrap()
}

/// The whole matrix, row by row.
pub fn dense(matrix: &Csr) -> Vec<f32> {
    matrix.dense_rows(&(0..matrix.n_rows).collect::<Vec<_>>()).unwrap().values
}

/// Equal to 1e-6.
pub fn close(a: &[f32], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-6)
}

/// Fits on some rows, applies to all, and checks that a copy restored from the saved state does the same.
pub fn fitted_and_restored(step: &mut dyn Step, copy: &mut dyn Step, rows: &[&[f32]], training: &[usize]) -> Vec<f32> {
    let mut fitted = matrix(rows);
    step.fit(&fitted, training).unwrap();
    let mut restored = fitted.clone();
    step.apply(&mut fitted).unwrap();
    copy.restore(&step.state()).unwrap();
    copy.apply(&mut restored).unwrap();
    assert_eq!(fitted, restored);
    dense(&fitted)
}
