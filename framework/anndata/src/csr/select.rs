//! Choosing rows and columns of a sparse matrix.

use anyhow::{Result, ensure};

use super::Csr;
use crate::Dense;

impl Csr {
    /// The given rows, in the given order; a row may be asked for more than once.
    ///
    /// # Errors
    /// If a row does not exist.
    pub fn select_rows(&self, rows: &[usize]) -> Result<Csr> {
        self.ensure_rows_exist(rows)?;
        let n_stored = rows.iter().map(|row| self.row(*row).0.len()).sum();
        let mut selected = Csr {
            n_rows: rows.len(),
            n_columns: self.n_columns,
            indptr: Vec::with_capacity(rows.len() + 1),
            indices: Vec::with_capacity(n_stored),
            values: Vec::with_capacity(n_stored),
        };
        selected.indptr.push(0);
        for row in rows {
            let (indices, values) = self.row(*row);
            selected.indices.extend_from_slice(indices);
            selected.values.extend_from_slice(values);
            selected.indptr.push(selected.indices.len() as u64);
        }
        Ok(selected)
    }

    /// The given columns, in the given order, at a cost linear in the stored values.
    ///
    /// # Errors
    /// If a column does not exist or is asked for twice.
    pub fn select_columns(&self, columns: &[usize]) -> Result<Csr> {
        let place_of = self.column_places(columns)?;
        let mut selected = Csr::zeros(self.n_rows, columns.len());
        for row in 0..self.n_rows {
            let (indices, values) = self.row(row);
            for (column, value) in indices.iter().zip(values) {
                if let Some(place) = place_of[*column as usize] {
                    selected.indices.push(place);
                    selected.values.push(*value);
                }
            }
            selected.indptr[row + 1] = selected.indices.len() as u64;
        }
        if !columns.is_sorted() {
            selected.sort_rows();
        }
        Ok(selected)
    }

    /// The given rows with their zeros, row by row; meant for one minibatch.
    ///
    /// # Errors
    /// If a row does not exist.
    pub fn dense_rows(&self, rows: &[usize]) -> Result<Dense> {
        self.ensure_rows_exist(rows)?;
        let mut dense = Dense::zeros(rows.len(), self.n_columns);
        for (place, row) in rows.iter().enumerate() {
            let (indices, values) = self.row(*row);
            let out = &mut dense.values[place * self.n_columns..][..self.n_columns];
            for (column, value) in indices.iter().zip(values) {
                out[*column as usize] = *value;
            }
        }
        Ok(dense)
    }

    fn ensure_rows_exist(&self, rows: &[usize]) -> Result<()> {
        match rows.iter().find(|row| **row >= self.n_rows) {
            Some(row) => anyhow::bail!("row {row} was asked for, but there are {} rows", self.n_rows),
            None => Ok(()),
        }
    }

    fn column_places(&self, columns: &[usize]) -> Result<Vec<Option<u32>>> {
        let mut place_of = vec![None; self.n_columns];
        for (place, column) in (0u32..).zip(columns) {
            ensure!(
                *column < self.n_columns,
                "column {column} was asked for, but there are {} columns",
                self.n_columns
            );
            ensure!(
                place_of[*column].replace(place).is_none(),
                "column {column} was asked for twice; each column can be selected once"
            );
        }
        Ok(place_of)
    }
}
