//! Sparse matrices by rows (CSR), borrowed from whoever holds them, and their products with thin dense matrices.
//!
//! Nothing here makes the whole matrix dense. Products add in a fixed order, whatever the number of threads.

use std::ops::Range;

use anyhow::{Result, ensure};
use rayon::prelude::*;

/// Column ranges that a transposed product is cut into; fixed, so that results do not depend on the machine.
const N_COLUMN_RANGES: usize = 16;

/// A sparse matrix by rows (CSR), cells × features.
///
/// Row `i` holds `values[indptr[i]..indptr[i + 1]]` at the columns `indices[indptr[i]..indptr[i + 1]]`, ascending.
#[derive(Clone, Copy, Debug)]
pub struct SparseRows<'a> {
    indptr: &'a [u64],
    indices: &'a [u32],
    values: &'a [f32],
    n_columns: usize,
}

impl<'a> SparseRows<'a> {
    /// Checks and borrows the three arrays of a CSR matrix.
    ///
    /// # Shapes
    /// `indptr`: n_rows + 1; `indices`, `values`: one entry per stored value.
    ///
    /// # Errors
    /// When lengths disagree, `indptr` falls, a column is out of range or not ascending within its row, or a value is
    /// not finite.
    pub fn new(indptr: &'a [u64], indices: &'a [u32], values: &'a [f32], n_columns: usize) -> Result<Self> {
        ensure!(indptr.first() == Some(&0), "`indptr` must start with 0; got {:?}", indptr.first());
        ensure!(
            indices.len() == values.len() && indptr.last() == Some(&(values.len() as u64)),
            "a sparse matrix has {} indices, {} values and `indptr` ending at {:?}; expected the same number",
            indices.len(),
            values.len(),
            indptr.last()
        );
        ensure!(indptr.is_sorted(), "`indptr` falls; expected row starts in ascending order");
        let matrix = Self { indptr, indices, values, n_columns };
        let wrong = (0..matrix.n_rows()).into_par_iter().find_map_first(|row| matrix.check_row(row).err());
        wrong.map_or(Ok(matrix), Err)
    }

    fn check_row(&self, row: usize) -> Result<()> {
        let (columns, values) = self.row(row);
        ensure!(
            columns.windows(2).all(|pair| pair[0] < pair[1]),
            "row {row} of a sparse matrix repeats a column or is not in ascending order; sort its indices first"
        );
        if let Some(&last) = columns.last() {
            let n_columns = self.n_columns;
            ensure!((last as usize) < n_columns, "row {row} names column {last}, but there are {n_columns} columns");
        }
        ensure!(values.iter().all(|value| value.is_finite()), "row {row} holds a value that is not finite");
        Ok(())
    }

    /// Number of rows (cells).
    pub fn n_rows(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of columns (features).
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Columns and values stored in one row; the row must exist.
    pub fn row(&self, row: usize) -> (&'a [u32], &'a [f32]) {
        let range = self.indptr[row] as usize..self.indptr[row + 1] as usize;
        (&self.indices[range.clone()], &self.values[range])
    }

    /// The part of one row that lies in a range of columns.
    fn row_within(&self, row: usize, columns: &Range<usize>) -> (&'a [u32], &'a [f32]) {
        let (indices, values) = self.row(row);
        let start = indices.partition_point(|&column| (column as usize) < columns.start);
        let end = start + indices[start..].partition_point(|&column| (column as usize) < columns.end);
        (&indices[start..end], &values[start..end])
    }

    /// A few rows and columns written out, zeros included: `rows.len()` × `columns.len()`, row by row.
    pub(crate) fn dense(&self, rows: &[usize], columns: &Range<usize>) -> Vec<f32> {
        self.written_out(rows, columns, 0.0)
    }

    /// The same with another number than 0 where nothing is stored.
    pub(crate) fn written_out(&self, rows: &[usize], columns: &Range<usize>, elsewhere: f32) -> Vec<f32> {
        let width = columns.len();
        let mut block = vec![elsewhere; rows.len() * width];
        block.par_chunks_mut(width.max(1)).zip(rows).for_each(|(out, &row)| {
            let (indices, values) = self.row_within(row, columns);
            for (&column, &value) in indices.iter().zip(values) {
                out[column as usize - columns.start] = value;
            }
        });
        block
    }

    /// Sum and sum of squares of each column over the given rows.
    pub(crate) fn column_sums(&self, rows: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let (mut sums, mut squares) = (vec![0.0; self.n_columns], vec![0.0; self.n_columns]);
        for &row in rows {
            let (indices, values) = self.row(row);
            for (&column, &value) in indices.iter().zip(values) {
                sums[column as usize] += f64::from(value);
                squares[column as usize] += f64::from(value) * f64::from(value);
            }
        }
        (sums, squares)
    }

    /// A B for the given rows of A: `right` is n_columns × width, the result `rows.len()` × width.
    pub(crate) fn times(&self, rows: &[usize], right: &[f64], width: usize) -> Vec<f64> {
        let mut product = vec![0.0; rows.len() * width];
        product.par_chunks_mut(width.max(1)).zip(rows).for_each(|(out, &row)| {
            let (indices, values) = self.row(row);
            for (&column, &value) in indices.iter().zip(values) {
                let start = column as usize * width;
                add_scaled(out, &right[start..start + width], f64::from(value));
            }
        });
        product
    }

    /// Aᵀ B for the given rows of A: `right` is `rows.len()` × width, the result n_columns × width.
    pub(crate) fn transposed_times(&self, rows: &[usize], right: &[f64], width: usize) -> Vec<f64> {
        self.weighted_sums(rows, (right, width), |_, value| value)
    }

    /// The same with `centre` of its column taken off each stored entry of A, and none off the others.
    pub(crate) fn transposed_times_about(
        &self,
        rows: &[usize],
        right: &[f64],
        width: usize,
        centre: &[f64],
    ) -> Vec<f64> {
        self.weighted_sums(rows, (right, width), |column, value| value - centre[column])
    }

    /// Sums over rows of what becomes of each entry (told its column), times the weights of its row.
    fn weighted_sums(
        &self,
        rows: &[usize],
        (right, width): (&[f64], usize),
        entry: impl Fn(usize, f64) -> f64 + Sync,
    ) -> Vec<f64> {
        let mut product = vec![0.0; self.n_columns * width];
        let n_columns = self.n_columns.div_ceil(N_COLUMN_RANGES).max(1);
        product.par_chunks_mut((n_columns * width).max(1)).enumerate().for_each(|(part, out)| {
            let columns = part * n_columns..((part + 1) * n_columns).min(self.n_columns);
            for (&row, weights) in rows.iter().zip(right.chunks_exact(width.max(1))) {
                let (indices, values) = self.row_within(row, &columns);
                for (&column, &value) in indices.iter().zip(values) {
                    let start = (column as usize - columns.start) * width;
                    add_scaled(&mut out[start..start + width], weights, entry(column as usize, f64::from(value)));
                }
            }
        });
        product
    }
}

fn add_scaled(out: &mut [f64], from: &[f64], factor: f64) {
    for (out, from) in out.iter_mut().zip(from) {
        *out += factor * from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [[1 0 2], [0 0 0], [0 3 4]]
    fn example() -> SparseRows<'static> {
        SparseRows::new(&[0, 2, 2, 4], &[0, 2, 1, 2], &[1.0, 2.0, 3.0, 4.0], 3).unwrap()
    }

    #[test]
    fn rows_and_columns_are_written_out() {
        assert_eq!(example().dense(&[2, 0], &(1..3)), [3.0, 4.0, 0.0, 2.0]);
        assert_eq!(example().written_out(&[2, 0], &(1..3), 9.0), [3.0, 4.0, 9.0, 2.0]);
    }

    #[test]
    fn products_equal_those_written_by_hand() {
        let right = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
        assert_eq!(example().times(&[2, 1, 0], &right, 2), [18.0, 180.0, 0.0, 0.0, 7.0, 70.0]);
        assert_eq!(example().transposed_times(&[0, 2], &[5.0, 6.0], 1), [5.0, 18.0, 34.0]);
        let about = example().transposed_times_about(&[0, 2], &[5.0, 6.0], 1, &[1.0, 1.0, 3.0]);
        assert_eq!(about, [0.0, 12.0, 1.0]);
        assert_eq!(example().column_sums(&[0, 2]), (vec![1.0, 3.0, 6.0], vec![1.0, 9.0, 20.0]));
    }

    #[test]
    fn broken_matrices_are_refused() {
        assert!(SparseRows::new(&[0, 2], &[1, 0], &[1.0, 1.0], 3).unwrap_err().to_string().contains("ascending"));
        assert!(SparseRows::new(&[0, 1], &[3], &[1.0], 3).unwrap_err().to_string().contains("3 columns"));
        assert!(SparseRows::new(&[0, 2], &[1], &[1.0], 3).unwrap_err().to_string().contains("same number"));
        assert!(SparseRows::new(&[0, 1], &[1], &[f32::NAN], 3).unwrap_err().to_string().contains("not finite"));
        assert!(SparseRows::new(&[], &[], &[], 3).is_err());
    }
}
