//! Features of the model that new data lack: an encoder sees the mean of the training cells in their place, a loss leaves
//! them out.

use super::MatrixModality;
use super::held::{Block, Held};
use crate::minibatch::{Features, SparseFeatures};
use anyhow::Result;
use std::collections::HashSet;
use std::ops::ControlFlow;
use tch::Tensor;

/// What stands for features that data lack.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lacking {
    /// Mean of each feature after the steps over the training cells; empty where it was not kept: then they count as zero.
    pub means: Vec<f32>,
    /// The features that these data lack, ascending.
    pub columns: Vec<i64>,
}

impl Lacking {
    /// The features that these data lack, among those after the steps.
    pub(super) fn note(&mut self, missing: &[String], features: &[String]) {
        let missing: HashSet<&String> = missing.iter().collect();
        let lacks = |(_, name): &(i64, &String)| missing.contains(name);
        self.columns = (0i64..).zip(features).filter(lacks).map(|(column, _)| column).collect();
    }

    /// Rows as an encoder sees them.
    pub(super) fn fill(&self, rows: Features) -> Result<Features> {
        if self.columns.is_empty() || self.means.is_empty() {
            return Ok(rows);
        }
        let means: Vec<f32> = self.columns.iter().map(|column| self.means[*column as usize]).collect();
        let columns = Tensor::from_slice(&self.columns);
        Ok(match rows {
            Features::Dense(values) => {
                let means = Tensor::from_slice(&means).to_kind(values.kind());
                let means = means.f_expand([values.size()[0], means.size()[0]], false)?;
                Features::Dense(values.f_index_copy(1, &columns, &means)?)
            }
            Features::Sparse(sparse) => Features::Sparse(append(&sparse, &self.columns, &means)?),
        })
    }
}

/// Sparse rows with these entries at the end of each.
fn append(sparse: &SparseFeatures, columns: &[i64], means: &[f32]) -> Result<SparseFeatures> {
    let offsets = Vec::<i64>::try_from(&sparse.offsets)?;
    let (indices, values) = (Vec::<i64>::try_from(&sparse.indices)?, Vec::<f32>::try_from(&sparse.values)?);
    let n_added = columns.len() * offsets.len().saturating_sub(1);
    let mut filled = (Vec::with_capacity(indices.len() + n_added), Vec::with_capacity(values.len() + n_added));
    let mut starts = vec![0i64];
    for row in offsets.windows(2) {
        let stored = row[0] as usize..row[1] as usize;
        filled.0.extend_from_slice(&indices[stored.clone()]);
        filled.0.extend_from_slice(columns);
        filled.1.extend_from_slice(&values[stored]);
        filled.1.extend_from_slice(means);
        starts.push(filled.0.len() as i64);
    }
    Ok(SparseFeatures {
        offsets: Tensor::from_slice(&starts),
        indices: Tensor::from_slice(&filled.0),
        values: Tensor::from_slice(&filled.1),
        n_features: sparse.n_features,
    })
}

impl MatrixModality {
    /// Mean of each feature after the steps over these rows; on disk they are read once more for it.
    pub(super) fn means(&self, rows: &[usize]) -> Result<Vec<f32>> {
        let mut sums = vec![0f64; self.features.len()];
        match &self.held {
            Held::Memory(memory) => add_up(&memory.block(0), rows, &mut sums),
            Held::Disk(disk) => disk.each_of(rows, self.applied(), &mut |block| {
                add_up(block, &(0..block.raw.n_rows).collect::<Vec<_>>(), &mut sums);
                Ok(ControlFlow::Continue(()))
            })?,
        }
        Ok(sums.into_iter().map(|sum| (sum / rows.len().max(1) as f64) as f32).collect())
    }
}

/// Adds the processed values of rows of a block to the sums of their columns.
fn add_up(block: &Block<'_>, rows: &[usize], sums: &mut [f64]) {
    for row in rows {
        let entries = super::gather::entries(block.raw, *row);
        for (column, value) in block.raw.indices[entries.clone()].iter().zip(&block.processed[entries]) {
            sums[*column as usize] += f64::from(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MatrixReading, Measured};
    use super::*;
    use crate::loss::TargetValues;
    use crate::modality::Modality;
    use anndata::{Csr, Dense};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn of(features: &[&str], values: &[f32]) -> MatrixModality {
        let n = values.len() / features.len();
        let matrix = Csr::from_dense(&Dense::new(n, features.len(), values.to_vec()).unwrap()).unwrap();
        let cells = (0..n).map(|cell| format!("c{cell}")).collect();
        let measured = Measured { origin: None, cells, features: names(features), matrix };
        MatrixModality::new(measured, &MatrixReading::default(), Vec::new()).unwrap()
    }

    #[test]
    fn lacking_features_are_seen_as_their_means_and_told() {
        let mut known = of(&["a", "b", "c"], &[1.0, 4.0, 0.0, 3.0, 8.0, 0.0, 90.0, 90.0, 9.0]);
        known.prepare(&[0, 1]).unwrap();
        let state = known.state();
        let mut new = of(&["d", "c", "a"], &[7.0, 5.0, 0.0, 0.0, 0.0, 2.0]);
        let alignment = new.restore(&state).unwrap();
        assert_eq!((alignment.n_found, &alignment.missing[..]), (2, &names(&["b"])[..]));
        assert_eq!(new.lacking(), [1]);
        let gathered = new.gather(&[0, 1], TargetValues::Processed).unwrap();
        assert_eq!(gathered.input.to_dense(), Tensor::from_slice2(&[[0f32, 6.0, 5.0], [2.0, 6.0, 0.0]]));
        assert_eq!(gathered.target.to_dense(), Tensor::from_slice2(&[[0f32, 0.0, 5.0], [2.0, 0.0, 0.0]]));
        let mut whole = of(&["c", "b", "a"], &[5.0, 1.0, 0.0]);
        whole.restore(&state).unwrap();
        assert!(whole.lacking().is_empty());
    }

    #[test]
    fn sparse_rows_are_filled_as_dense_ones() {
        let lacking = Lacking { means: vec![0.5, 0.0, 2.0, 3.0], columns: vec![0, 3] };
        let sparse = Features::Sparse(SparseFeatures {
            offsets: Tensor::from_slice(&[0i64, 2, 2]),
            indices: Tensor::from_slice(&[1i64, 2]),
            values: Tensor::from_slice(&[7f32, 8.0]),
            n_features: 4,
        });
        let dense = Features::Dense(sparse.to_dense());
        let expected = Tensor::from_slice2(&[[0.5f32, 7.0, 8.0, 3.0], [0.5, 0.0, 0.0, 3.0]]);
        assert_eq!(lacking.fill(sparse).unwrap().to_dense(), expected);
        assert_eq!(lacking.fill(dense).unwrap().to_dense(), expected);
    }
}
