//! Matrices that steps are fitted on.

use crate::testing::small::{counts, rare_counts, shares};
use anndata::Csr;

/// Matrices of usual and unusual sizes, by name.
pub(super) fn matrices() -> Vec<(String, Csr)> {
    let empty_rows = {
        let mut matrix = counts(9, 5, 3);
        let (start, end) = (matrix.indptr[3] as usize, matrix.indptr[5] as usize);
        matrix.indices.drain(start..end);
        matrix.values.drain(start..end);
        let removed = (end - start) as u64;
        matrix.indptr[4] = matrix.indptr[3];
        matrix.indptr[5..].iter_mut().for_each(|place| *place -= removed);
        matrix
    };
    let stored_zeros = {
        let mut matrix = counts(9, 5, 4);
        matrix.values.iter_mut().step_by(3).for_each(|value| *value = 0.0);
        matrix
    };
    [
        ("counts of 20 cells × 7 features", counts(20, 7, 1)),
        ("values in [0, 1] of 20 cells × 7 features", shares(20, 7, 2)),
        ("counts of 9 cells × 5 features, two cells without any", empty_rows),
        ("counts of 9 cells × 5 features, some stored zeros", stored_zeros),
        ("rare counts of 33 cells × 130 features", rare_counts(33, 130, 5)),
        ("counts of 6 cells × 1 feature", counts(6, 1, 6)),
        ("counts of 1 cell × 7 features", counts(1, 7, 7)),
        ("3 cells × 4 features, all zero", Csr::zeros(3, 4)),
    ]
    .map(|(name, matrix)| (name.to_owned(), matrix))
    .to_vec()
}
