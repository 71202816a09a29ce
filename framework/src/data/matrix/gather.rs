//! Rows of a matrix as tensors: sparse where most entries are zero, else dense.

use super::held::{Held, InMemory};
use super::{MatrixModality, NO_TRIALS};
use crate::loss::TargetValues;
use crate::minibatch::{Features, SparseFeatures};
use crate::modality::Gathered;
use anndata::Csr;
use anyhow::{Result, bail, ensure};
use rayon::prelude::*;
use tch::Tensor;

/// Share of stored entries from which rows travel as dense tensors: above it, products with a dense minibatch are faster
/// than sums over entries.
const DENSE_FROM: f64 = 0.06;

/// Some rows of a sparse matrix, to be handed out with any values that share its structure.
#[derive(Debug)]
pub struct Rows<'a> {
    matrix: &'a Csr,
    rows: &'a [usize],
    /// `None`: they travel dense.
    structure: Option<Structure>,
}

/// Offsets and columns of a few rows, as tensors.
#[derive(Debug)]
struct Structure {
    offsets: Tensor,
    indices: Tensor,
    starts: Vec<usize>,
}

impl<'a> Rows<'a> {
    /// These rows of a matrix, in any order, repeated or not.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn new(matrix: &'a Csr, rows: &'a [usize]) -> Result<Rows<'a>> {
        Rows::of_density(matrix, rows, are_sparse(matrix.n_stored() as u64, matrix.n_rows, matrix.n_columns))
    }

    /// The same, where the matrix is a part of one that is sparse or not.
    pub(super) fn of_density(matrix: &'a Csr, rows: &'a [usize], is_sparse: bool) -> Result<Rows<'a>> {
        if let Some(row) = rows.iter().find(|row| **row >= matrix.n_rows) {
            bail!("row {row} was asked for, but there are {} cells", matrix.n_rows);
        }
        let mut gathered = Rows { matrix, rows, structure: None };
        if is_sparse {
            gathered.structure = Some(gathered.structure());
        }
        Ok(gathered)
    }

    /// The rows with these values, one per stored entry of the matrix: n_rows × n_features, sparse or dense by how much
    /// of the matrix is stored; what is not stored is zero.
    ///
    /// # Errors
    /// When there are more or fewer values than entries.
    pub fn features(&self, values: &[f32]) -> Result<Features> {
        let n_stored = self.matrix.n_stored();
        ensure!(values.len() == n_stored, "there are {} values for {n_stored} stored entries", values.len());
        Ok(match &self.structure {
            Some(structure) => self.sparse(values, structure),
            None => self.dense(values),
        })
    }

    fn structure(&self) -> Structure {
        let mut starts = vec![0];
        for row in self.rows {
            starts.push(starts[starts.len() - 1] + entries(self.matrix, *row).len());
        }
        let mut indices = vec![0i64; starts[self.rows.len()]];
        let matrix = self.matrix;
        self.fill(&mut indices, |row, out| {
            for (out, column) in out.iter_mut().zip(matrix.row(row).0) {
                *out = i64::from(*column);
            }
        });
        let offsets: Vec<i64> = starts.iter().map(|start| *start as i64).collect();
        Structure { offsets: Tensor::from_slice(&offsets), indices: Tensor::from_slice(&indices), starts }
    }

    fn sparse(&self, values: &[f32], structure: &Structure) -> Features {
        let mut gathered = vec![0f32; structure.starts[self.rows.len()]];
        let matrix = self.matrix;
        self.fill(&mut gathered, |row, out| out.copy_from_slice(&values[entries(matrix, row)]));
        Features::Sparse(SparseFeatures {
            offsets: structure.offsets.shallow_clone(),
            indices: structure.indices.shallow_clone(),
            values: Tensor::from_slice(&gathered),
            n_features: self.matrix.n_columns as i64,
        })
    }

    /// Lets `write` fill the entries of each row in `out`, which holds the rows one after the other.
    fn fill<T: Send>(&self, mut out: &mut [T], write: impl Fn(usize, &mut [T]) + Sync) {
        let mut tasks = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            let (of_row, rest) = out.split_at_mut(entries(self.matrix, *row).len());
            tasks.push((*row, of_row));
            out = rest;
        }
        tasks.into_par_iter().for_each(|(row, of_row)| write(row, of_row));
    }

    fn dense(&self, values: &[f32]) -> Features {
        let (matrix, n_columns) = (self.matrix, self.matrix.n_columns);
        let mut gathered = vec![0f32; self.rows.len() * n_columns];
        gathered.par_chunks_mut(n_columns.max(1)).zip(self.rows).for_each(|(out, row)| {
            let entries = entries(matrix, *row);
            for (column, value) in matrix.indices[entries.clone()].iter().zip(&values[entries]) {
                out[*column as usize] = *value;
            }
        });
        Features::Dense(Tensor::from_slice(&gathered).view([self.rows.len() as i64, n_columns as i64]))
    }
}

/// Bounds of a row in the stored entries.
pub(super) fn entries(matrix: &Csr, row: usize) -> std::ops::Range<usize> {
    matrix.indptr[row] as usize..matrix.indptr[row + 1] as usize
}

/// 1 where a value is above 0, else 0.
fn presence(features: Features) -> Features {
    let above = |values: &Tensor| values.gt(0.0).to_kind(values.kind());
    match features {
        Features::Dense(values) => Features::Dense(above(&values)),
        Features::Sparse(sparse) => Features::Sparse(SparseFeatures { values: above(&sparse.values), ..sparse }),
    }
}

/// Whether rows of a matrix with so many stored entries travel as such.
fn are_sparse(n_stored: u64, n_rows: usize, n_columns: usize) -> bool {
    (n_stored as f64) < DENSE_FROM * (n_rows as f64 * n_columns as f64)
}

impl MatrixModality {
    /// The rows' processed values, and what a loss compares with.
    pub(super) fn gather_rows(&self, rows: &[usize], target: TargetValues) -> Result<Gathered> {
        ensure!(self.prepared, "the modality has not been prepared; fit or restore its steps first");
        let mut gathered = match &self.held {
            Held::Memory(memory) => gathered(memory, &Rows::new(&memory.raw, rows)?, target),
            Held::Disk(disk) => {
                let some = disk.read(rows, self.applied())?;
                let is_sparse = are_sparse(disk.n_stored(), self.cells.len(), self.features.len());
                let all: Vec<usize> = (0..rows.len()).collect();
                gathered(&some, &Rows::of_density(&some.raw, &all, is_sparse)?, target)
            }
        }?;
        gathered.input = self.lacking.fill(gathered.input)?;
        Ok(gathered)
    }
}

fn gathered(held: &InMemory, rows: &Rows<'_>, target: TargetValues) -> Result<Gathered> {
    let input = rows.features(held.processed())?;
    let target = match target {
        TargetValues::Counts if held.values.is_none() => input.shallow_clone(),
        TargetValues::Counts => rows.features(&held.raw.values)?,
        TargetValues::Presence => presence(rows.features(&held.raw.values)?),
        TargetValues::Processed | TargetValues::UnitInterval => input.shallow_clone(),
        TargetValues::Trials => bail!(NO_TRIALS),
    };
    Ok(Gathered::new(input, target))
}
