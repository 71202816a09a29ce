//! Values in any order, each with its cell and feature, on their way to a sparse matrix.

use anyhow::Result;

use crate::Csr;
use crate::csr::ensure_columns_fit;

/// Entries (cell, feature, value); 12 bytes each.
#[derive(Default)]
pub(crate) struct Triplets {
    cells: Vec<u32>,
    features: Vec<u32>,
    values: Vec<f32>,
}

impl Triplets {
    /// Adds one entry, counted from 0.
    pub(crate) fn push(&mut self, cell: u32, feature: u32, value: f32) {
        self.cells.push(cell);
        self.features.push(feature);
        self.values.push(value);
    }

    /// The matrix in which entries of one place are summed and zeros are not stored.
    ///
    /// Entries must be within the shape. Costs no second copy where the cells are in order, as 10x writes them.
    ///
    /// # Errors
    /// If there are more features than fit in 32 bits, or a sum is too large for single precision.
    pub(crate) fn into_csr(self, n_cells: usize, n_features: usize) -> Result<Csr> {
        ensure_columns_fit(n_features)?;
        let mut indptr = vec![0u64; n_cells + 1];
        for cell in &self.cells {
            indptr[*cell as usize + 1] += 1;
        }
        for cell in 0..n_cells {
            indptr[cell + 1] += indptr[cell];
        }
        let (indices, values) = match self.cells.is_sorted() {
            true => (self.features, self.values),
            false => self.ordered_by_cell(indptr.clone()),
        };
        let mut matrix = Csr { n_rows: n_cells, n_columns: n_features, indptr, indices, values };
        matrix.canonicalise();
        matrix.validate()?;
        Ok(matrix)
    }

    fn ordered_by_cell(&self, mut next: Vec<u64>) -> (Vec<u32>, Vec<f32>) {
        let (mut indices, mut values) = (vec![0; self.features.len()], vec![0.0; self.values.len()]);
        for ((cell, feature), value) in self.cells.iter().zip(&self.features).zip(&self.values) {
            let place = next[*cell as usize] as usize;
            next[*cell as usize] += 1;
            indices[place] = *feature;
            values[place] = *value;
        }
        (indices, values)
    }
}

#[cfg(test)]
mod tests {
    use super::Triplets;
    use crate::Csr;

    #[test]
    fn any_order_gives_the_same_matrix() {
        let expected = Csr {
            n_rows: 3,
            n_columns: 2,
            indptr: vec![0, 2, 2, 3],
            indices: vec![0, 1, 1],
            values: vec![1.0, 5.0, 4.0],
        };
        let entries = [(0, 1, 2.0), (0, 0, 1.0), (0, 1, 3.0), (2, 0, 0.0), (2, 1, 4.0)];
        let matrix_of = |entries: &[(u32, u32, f32)]| {
            let mut triplets = Triplets::default();
            entries.iter().for_each(|(cell, feature, value)| triplets.push(*cell, *feature, *value));
            triplets.into_csr(3, 2)
        };
        assert_eq!(matrix_of(&entries).unwrap(), expected);
        let backwards: Vec<_> = entries.into_iter().rev().collect();
        assert_eq!(matrix_of(&backwards).unwrap(), expected);
        assert!(matrix_of(&[(1, 0, f32::MAX), (1, 0, f32::MAX)]).is_err());
    }
}
