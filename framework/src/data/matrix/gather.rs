//! Rows of a matrix as tensors: sparse where most entries are zero, else dense.

use super::{MatrixModality, NO_TRIALS};
use crate::loss::TargetValues;
use crate::minibatch::{Features, SparseFeatures};
use crate::modality::Gathered;
use anyhow::{Result, bail, ensure};
use rayon::prelude::*;
use tch::Tensor;

/// Share of stored entries from which rows travel as dense tensors: above it, products with a dense minibatch are faster
/// than sums over entries.
const DENSE_FROM: f64 = 0.06;

/// Offsets and columns of a few rows, as tensors.
struct Structure {
    offsets: Tensor,
    indices: Tensor,
    starts: Vec<usize>,
}

/// 1 where a value is above 0, else 0.
fn presence(features: Features) -> Features {
    let above = |values: &Tensor| values.gt(0.0).to_kind(values.kind());
    match features {
        Features::Dense(values) => Features::Dense(above(&values)),
        Features::Sparse(sparse) => Features::Sparse(SparseFeatures { values: above(&sparse.values), ..sparse }),
    }
}

impl MatrixModality {
    /// The rows' processed values, and what a loss compares with.
    pub(super) fn gather_rows(&self, rows: &[usize], target: TargetValues) -> Result<Gathered> {
        ensure!(self.prepared, "the modality has not been prepared; fit or restore its steps first");
        if let Some(row) = rows.iter().find(|row| **row >= self.raw.n_rows) {
            bail!("row {row} was asked for, but there are {} cells", self.raw.n_rows);
        }
        let structure = self.is_sparse().then(|| self.structure(rows));
        let features = |values: &[f32]| match &structure {
            Some(structure) => self.sparse(rows, values, structure),
            None => self.dense(rows, values),
        };
        let input = features(&self.values);
        let target = match target {
            TargetValues::Counts => features(&self.raw.values),
            TargetValues::Presence => presence(features(&self.raw.values)),
            TargetValues::Processed | TargetValues::UnitInterval => input.shallow_clone(),
            TargetValues::Trials => bail!(NO_TRIALS),
        };
        Ok(Gathered::new(input, target))
    }

    fn is_sparse(&self) -> bool {
        let n_entries = self.raw.n_rows as f64 * self.raw.n_columns as f64;
        (self.raw.n_stored() as f64) < DENSE_FROM * n_entries
    }

    fn structure(&self, rows: &[usize]) -> Structure {
        let mut starts = vec![0];
        for row in rows {
            starts.push(starts[starts.len() - 1] + self.entries(*row).len());
        }
        let mut indices = vec![0i64; starts[rows.len()]];
        self.fill(rows, &mut indices, |row, out| {
            for (out, column) in out.iter_mut().zip(self.raw.row(row).0) {
                *out = i64::from(*column);
            }
        });
        let offsets: Vec<i64> = starts.iter().map(|start| *start as i64).collect();
        Structure { offsets: Tensor::from_slice(&offsets), indices: Tensor::from_slice(&indices), starts }
    }

    fn sparse(&self, rows: &[usize], values: &[f32], structure: &Structure) -> Features {
        let mut gathered = vec![0f32; structure.starts[rows.len()]];
        self.fill(rows, &mut gathered, |row, out| out.copy_from_slice(&values[self.entries(row)]));
        Features::Sparse(SparseFeatures {
            offsets: structure.offsets.shallow_clone(),
            indices: structure.indices.shallow_clone(),
            values: Tensor::from_slice(&gathered),
            n_features: self.raw.n_columns as i64,
        })
    }

    /// Lets `write` fill the entries of each row in `out`, which holds the rows one after the other.
    fn fill<T: Send>(&self, rows: &[usize], mut out: &mut [T], write: impl Fn(usize, &mut [T]) + Sync) {
        let mut tasks = Vec::with_capacity(rows.len());
        for row in rows {
            let (of_row, rest) = out.split_at_mut(self.entries(*row).len());
            tasks.push((*row, of_row));
            out = rest;
        }
        tasks.into_par_iter().for_each(|(row, of_row)| write(row, of_row));
    }

    fn dense(&self, rows: &[usize], values: &[f32]) -> Features {
        let n_columns = self.raw.n_columns;
        let mut gathered = vec![0f32; rows.len() * n_columns];
        gathered.par_chunks_mut(n_columns.max(1)).zip(rows).for_each(|(out, row)| {
            let entries = self.entries(*row);
            for (column, value) in self.raw.indices[entries.clone()].iter().zip(&values[entries]) {
                out[*column as usize] = *value;
            }
        });
        Features::Dense(Tensor::from_slice(&gathered).view([rows.len() as i64, n_columns as i64]))
    }
}
