//! The compressed sparse row matrix in which every count matrix travels.
//!
//! Storage, its invariants and sums live here; `canonical` brings a matrix into the promised form, `select` chooses
//! rows and columns, `transpose` exchanges them. Reading from files is not known here.

mod canonical;
mod select;
mod transpose;

use anyhow::{Result, ensure};
use rayon::prelude::*;

use crate::Dense;

/// Rows handled by one parallel task.
const ROWS_PER_TASK: usize = 16;

/// A sparse matrix of cells × features, row by row.
///
/// Invariants (see [`Csr::validate`]): `indptr` has `n_rows + 1` entries, starts at 0, never decreases and ends at the
/// number of stored values; within a row `indices` increase strictly and are below `n_columns`; values are finite.
/// Matrices read by this crate also hold no stored zeros.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Csr {
    /// Number of rows (cells).
    pub n_rows: usize,
    /// Number of columns (features).
    pub n_columns: usize,
    /// Where each row starts in `indices` and `values`; `n_rows + 1` entries.
    pub indptr: Vec<u64>,
    /// The column of each stored value.
    pub indices: Vec<u32>,
    /// The stored values.
    pub values: Vec<f32>,
}

impl Csr {
    /// A matrix of the given shape in which every value is zero.
    pub fn zeros(n_rows: usize, n_columns: usize) -> Self {
        Self { n_rows, n_columns, indptr: vec![0; n_rows + 1], ..Self::default() }
    }

    /// The stored (non-zero) values of a dense matrix.
    ///
    /// # Errors
    /// If the matrix has more columns than fit in 32 bits.
    pub fn from_dense(dense: &Dense) -> Result<Self> {
        ensure_columns_fit(dense.n_columns)?;
        let mut matrix = Self::zeros(0, dense.n_columns);
        matrix.append_dense_rows(dense.n_rows, &dense.values);
        Ok(matrix)
    }

    /// Appends the non-zero values of `n_rows` dense rows.
    pub(crate) fn append_dense_rows(&mut self, n_rows: usize, values: &[f32]) {
        self.n_rows += n_rows;
        if self.n_columns == 0 {
            self.indptr.resize(self.n_rows + 1, 0);
            return;
        }
        let parts: Vec<StoredRows> = values
            .par_chunks(self.n_columns * ROWS_PER_TASK)
            .map(|rows| StoredRows::of(rows.chunks_exact(self.n_columns)))
            .collect();
        for part in parts {
            let n_stored = self.indices.len() as u64;
            self.indptr.extend(part.ends.iter().map(|end| n_stored + end));
            self.indices.extend_from_slice(&part.indices);
            self.values.extend_from_slice(&part.values);
        }
    }

    /// The number of stored values.
    pub fn n_stored(&self) -> usize {
        self.values.len()
    }

    /// The columns and values stored in one row.
    ///
    /// # Panics
    /// If `row` is not below `n_rows`, as indexing a slice does.
    #[inline]
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.indptr[row] as usize..self.indptr[row + 1] as usize;
        (&self.indices[range.clone()], &self.values[range])
    }

    /// Sum of each row, in double precision.
    pub fn row_sums(&self) -> Vec<f64> {
        let sum = |row| self.row(row).1.iter().map(|v| f64::from(*v)).sum();
        (0..self.n_rows).into_par_iter().map(sum).collect()
    }

    /// Number of values that are not zero in each row.
    pub fn row_nonzeros(&self) -> Vec<usize> {
        let count = |row| self.row(row).1.iter().filter(|v| **v != 0.0).count();
        (0..self.n_rows).into_par_iter().map(count).collect()
    }

    /// Sum of each column, in double precision and in the order of the rows (so always the same).
    pub fn column_sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_columns];
        for (column, value) in self.indices.iter().zip(&self.values) {
            sums[*column as usize] += f64::from(*value);
        }
        sums
    }

    /// Number of values that are not zero in each column.
    pub fn column_nonzeros(&self) -> Vec<usize> {
        let mut counts = vec![0; self.n_columns];
        for (column, value) in self.indices.iter().zip(&self.values) {
            counts[*column as usize] += usize::from(*value != 0.0);
        }
        counts
    }

    /// Checks every invariant of the type.
    ///
    /// # Errors
    /// Names the first row that breaks an invariant, and how.
    pub fn validate(&self) -> Result<()> {
        ensure_columns_fit(self.n_columns)?;
        ensure!(
            self.indptr.len() == self.n_rows + 1 && self.indptr[0] == 0,
            "`indptr` has {} entries starting at {:?}; {} rows need {} entries starting at 0",
            self.indptr.len(),
            self.indptr.first(),
            self.n_rows,
            self.n_rows + 1
        );
        let n_stored = self.indptr[self.n_rows];
        ensure!(
            n_stored == self.indices.len() as u64 && n_stored == self.values.len() as u64,
            "`indptr` ends at {n_stored} but there are {} indices and {} values; the three must agree",
            self.indices.len(),
            self.values.len()
        );
        if let Some(row) = self.indptr.windows(2).position(|pair| pair[0] > pair[1]) {
            anyhow::bail!("`indptr` decreases after row {row}; it must never decrease");
        }
        (0..self.n_rows).try_for_each(|row| self.validate_row(row))
    }

    fn validate_row(&self, row: usize) -> Result<()> {
        let (indices, values) = self.row(row);
        ensure!(
            indices.windows(2).all(|pair| pair[0] < pair[1]),
            "the columns of row {row} do not increase strictly; sort them and sum duplicates"
        );
        if let Some(last) = indices.last() {
            ensure!(
                (*last as usize) < self.n_columns,
                "row {row} has a value in column {last}, but there are {} columns",
                self.n_columns
            );
        }
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            anyhow::bail!("row {row}, column {} holds {}; every value must be finite", indices[place], values[place]);
        }
        Ok(())
    }
}

/// The non-zero values of some dense rows.
#[derive(Default)]
struct StoredRows {
    ends: Vec<u64>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl StoredRows {
    fn of<'a>(rows: impl Iterator<Item = &'a [f32]>) -> Self {
        let mut stored = Self::default();
        for row in rows {
            for (column, value) in (0u32..).zip(row) {
                if *value != 0.0 {
                    stored.indices.push(column);
                    stored.values.push(*value);
                }
            }
            stored.ends.push(stored.indices.len() as u64);
        }
        stored
    }
}

/// Column numbers are kept in 32 bits.
pub(crate) fn ensure_columns_fit(n_columns: usize) -> Result<()> {
    ensure!(u32::try_from(n_columns).is_ok(), "{n_columns} columns are too many: at most {} are supported", u32::MAX);
    Ok(())
}

#[cfg(test)]
mod tests;
