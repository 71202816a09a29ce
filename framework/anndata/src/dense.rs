//! A small dense matrix: latents, predictions of a few cells, dense assays.

use anyhow::{Result, ensure};

/// A dense matrix, row by row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dense {
    /// Number of rows (cells).
    pub n_rows: usize,
    /// Number of columns.
    pub n_columns: usize,
    /// `n_rows · n_columns` values, row by row.
    pub values: Vec<f32>,
}

impl Dense {
    /// A matrix from its values, row by row.
    ///
    /// # Errors
    /// If the number of values is not `n_rows · n_columns`.
    pub fn new(n_rows: usize, n_columns: usize, values: Vec<f32>) -> Result<Self> {
        ensure!(
            n_rows.checked_mul(n_columns) == Some(values.len()),
            "{} values do not make {n_rows} rows of {n_columns} columns",
            values.len()
        );
        Ok(Self { n_rows, n_columns, values })
    }

    /// A matrix of zeros.
    pub fn zeros(n_rows: usize, n_columns: usize) -> Self {
        Self { n_rows, n_columns, values: vec![0.0; n_rows * n_columns] }
    }

    /// The values of one row.
    ///
    /// # Panics
    /// If `row` is not below `n_rows`, as indexing a slice does.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.n_columns..][..self.n_columns]
    }
}
