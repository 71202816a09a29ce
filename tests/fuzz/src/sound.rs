//! What must hold of whatever a reader accepts.

use anndata::{Column, Csr, Frame, Matrix, NewAnnData};

/// Checks the invariants of a matrix, and that it has this shape.
pub fn matrix(matrix: &Csr, shape: (usize, usize)) {
    matrix.validate().expect("a matrix that was read is sound");
    assert_eq!((matrix.n_rows, matrix.n_columns), shape);
    assert!(matrix.values.iter().all(|value| *value != 0.0), "stored zeros");
}

/// Checks that columns have a value for each row, and calls what turns them into labels and numbers.
pub fn frame(frame: &Frame) {
    for (_, column) in frame.columns() {
        assert!(column.n_rows().is_none_or(|n_rows| n_rows == frame.n_rows()), "a column of another length");
        if let Column::Categorical(column) = column {
            assert!(column.codes.iter().flatten().all(|code| (*code as usize) < column.categories.len()));
        }
        assert!(column.labels().is_none_or(|labels| labels.len() == frame.n_rows()));
        assert!(column.numbers().is_none_or(|numbers| numbers.len() == frame.n_rows()));
    }
}

/// Checks what was made of a table of counts in another format.
pub fn converted(found: &NewAnnData) {
    let Matrix::Sparse(x) = &found.x else { panic!("dense") };
    matrix(x, (found.obs.n_rows(), found.var.n_rows()));
    frame(&found.obs);
    frame(&found.var);
}
