//! Bringing a matrix as found in a file into the form that [`Csr`] promises.

use rayon::prelude::*;

use super::Csr;

/// Rows handled by one parallel task.
const ROWS_PER_TASK: usize = 256;

impl Csr {
    /// Sorts each row by column, sums duplicates and drops stored zeros.
    ///
    /// Costs one pass over the matrix when nothing has to change.
    pub fn canonicalise(&mut self) {
        if !self.rows_are_sorted() {
            self.sort_rows();
        }
        let duplicated =
            (0..self.n_rows).into_par_iter().any(|row| self.row(row).0.windows(2).any(|pair| pair[0] == pair[1]));
        if duplicated || self.values.par_iter().any(|value| *value == 0.0) {
            self.merge_and_drop_zeros();
        }
    }

    fn rows_are_sorted(&self) -> bool {
        (0..self.n_rows).into_par_iter().all(|row| self.row(row).0.is_sorted())
    }

    /// Sorts the stored values of every row by column, keeping the order of duplicates.
    pub(super) fn sort_rows(&mut self) {
        let mut tasks = Vec::new();
        let (mut indices, mut values) = (&mut self.indices[..], &mut self.values[..]);
        let mut done = 0;
        for bounds in self.indptr.windows(2).collect::<Vec<_>>().chunks(ROWS_PER_TASK) {
            let lengths: Vec<usize> = bounds.iter().map(|pair| (pair[1] - pair[0]) as usize).collect();
            let n_stored = bounds[bounds.len() - 1][1] as usize - done;
            done += n_stored;
            let (task_indices, rest) = indices.split_at_mut(n_stored);
            indices = rest;
            let (task_values, rest) = values.split_at_mut(n_stored);
            values = rest;
            tasks.push((lengths, task_indices, task_values));
        }
        tasks.into_par_iter().for_each(|(lengths, indices, values)| sort_consecutive(&lengths, indices, values));
    }

    fn merge_and_drop_zeros(&mut self) {
        let (mut read, mut write) = (0, 0);
        for row in 0..self.n_rows {
            let end = self.indptr[row + 1] as usize;
            while read < end {
                let column = self.indices[read];
                let mut value = 0.0;
                while read < end && self.indices[read] == column {
                    value += self.values[read];
                    read += 1;
                }
                if value != 0.0 {
                    self.indices[write] = column;
                    self.values[write] = value;
                    write += 1;
                }
            }
            self.indptr[row + 1] = write as u64;
        }
        self.indices.truncate(write);
        self.values.truncate(write);
    }
}

fn sort_consecutive(lengths: &[usize], mut indices: &mut [u32], mut values: &mut [f32]) {
    let mut pairs: Vec<(u32, f32)> = Vec::new();
    for length in lengths {
        let (row_indices, rest) = indices.split_at_mut(*length);
        indices = rest;
        let (row_values, rest) = values.split_at_mut(*length);
        values = rest;
        if row_indices.is_sorted() {
            continue;
        }
        pairs.clear();
        pairs.extend(row_indices.iter().copied().zip(row_values.iter().copied()));
        pairs.sort_by_key(|pair| pair.0);
        for (place, (column, value)) in pairs.iter().enumerate() {
            row_indices[place] = *column;
            row_values[place] = *value;
        }
    }
}
