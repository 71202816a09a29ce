//! Turning rows into columns.

use anyhow::Result;

use super::{Csr, ensure_columns_fit};

impl Csr {
    /// The matrix with rows and columns exchanged, at a cost linear in the stored values.
    ///
    /// Also the way from compressed sparse columns to rows: read the arrays as the rows of the transposed matrix.
    ///
    /// # Errors
    /// If there are more rows than a column number can hold (32 bits).
    pub fn transpose(&self) -> Result<Csr> {
        ensure_columns_fit(self.n_rows)?;
        let mut transposed = Csr {
            n_rows: self.n_columns,
            n_columns: self.n_rows,
            indptr: self.row_starts_of_transpose(),
            indices: vec![0; self.n_stored()],
            values: vec![0.0; self.n_stored()],
        };
        let mut next = transposed.indptr.clone();
        for row in 0..self.n_rows {
            let (indices, values) = self.row(row);
            for (column, value) in indices.iter().zip(values) {
                let place = next[*column as usize] as usize;
                transposed.indices[place] = row as u32;
                transposed.values[place] = *value;
                next[*column as usize] += 1;
            }
        }
        Ok(transposed)
    }

    fn row_starts_of_transpose(&self) -> Vec<u64> {
        let mut starts = vec![0; self.n_columns + 1];
        for column in &self.indices {
            starts[*column as usize + 1] += 1;
        }
        for column in 0..self.n_columns {
            starts[column + 1] += starts[column];
        }
        starts
    }
}
