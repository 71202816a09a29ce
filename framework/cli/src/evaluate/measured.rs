//! The measurements that are judged and learned from, gathered once and kept as sparse as they came.

use analysis::{Matrix, SparseRows, block_rows};
use anyhow::{Result, ensure};
use framework::data::Assay;
use framework::{Features, TargetValues};
use tch::{Device, Kind, Tensor};

/// Values of some cells of one modality.
#[derive(Debug)]
pub(super) enum Values {
    /// Compressed rows.
    Sparse {
        /// Start of each row, and the end of the last.
        indptr: Vec<u64>,
        /// Feature of each entry.
        indices: Vec<u32>,
        /// Value of each entry.
        values: Vec<f32>,
        /// Features per cell.
        n_columns: usize,
    },
    /// n_cells × n_features on the host, for modalities that hand out dense rows.
    Dense(Vec<Tensor>),
}

impl Values {
    /// Appends rows in the form of the first ones.
    fn append(&mut self, features: &Features) -> Result<()> {
        match (self, features) {
            (Values::Sparse { indptr, indices, values, n_columns }, Features::Sparse(rows)) => {
                ensure!(*n_columns == rows.n_features as usize, "the number of features differs between cells");
                let start = values.len() as u64;
                let offsets = Vec::<i64>::try_from(&rows.offsets)?;
                indptr.extend(offsets[1..].iter().map(|&offset| start + offset as u64));
                indices.extend(Vec::<i64>::try_from(&rows.indices)?.into_iter().map(|index| index as u32));
                values.extend(Vec::<f32>::try_from(&rows.values)?);
            }
            (Values::Dense(blocks), features) => {
                blocks.push(features.to_dense().flatten(1, -1).to_device(Device::Cpu).to_kind(Kind::Float));
            }
            (Values::Sparse { .. }, Features::Dense(_)) => {
                anyhow::bail!("the modality hands out sparse rows for some cells and dense ones for others");
            }
        }
        Ok(())
    }

    fn like(features: &Features) -> Values {
        match features {
            Features::Dense(_) => Values::Dense(Vec::new()),
            Features::Sparse(rows) => Values::Sparse {
                indptr: vec![0],
                indices: Vec::new(),
                values: Vec::new(),
                n_columns: rows.n_features as usize,
            },
        }
    }

    /// Joins blocks that came one by one.
    fn joined(self) -> Values {
        match self {
            Values::Dense(blocks) if blocks.len() > 1 => Values::Dense(vec![Tensor::cat(&blocks, 0)]),
            other => other,
        }
    }

    /// The values as metrics read them.
    ///
    /// # Errors
    /// When columns are not ascending or a value is not finite.
    pub fn matrix(&self) -> Result<Matrix<'_>> {
        match self {
            Values::Sparse { indptr, indices, values, n_columns } => {
                Ok(SparseRows::new(indptr, indices, values, *n_columns)?.into())
            }
            Values::Dense(blocks) => Matrix::dense(&blocks[0]),
        }
    }

    /// Share of the entries of some rows that are not 0.
    pub fn share_nonzero(&self, rows: &[usize]) -> f64 {
        let (n_nonzero, n_columns) = match self {
            Values::Sparse { indptr, values, n_columns, .. } => {
                let of_row = |&row: &usize| &values[indptr[row] as usize..indptr[row + 1] as usize];
                (rows.iter().flat_map(of_row).filter(|value| **value != 0.0).count() as f64, *n_columns)
            }
            Values::Dense(blocks) => {
                let nonzero = super::numbers::select(&blocks[0], rows).not_equal(0.0).sum(Kind::Double);
                (nonzero.double_value(&[]), blocks[0].size()[1] as usize)
            }
        };
        n_nonzero / (rows.len() * n_columns).max(1) as f64
    }
}

/// What one modality measured of the cells that matter here.
#[derive(Debug)]
pub(super) struct Measured {
    /// Row of each cell of the data set in the values; `None` where it was not measured or does not matter.
    rows: Vec<Option<u32>>,
    input: Values,
    /// What the loss compares with, where it is not the input.
    target: Option<Values>,
}

impl Measured {
    /// Gathers the measured ones of `cells`, a block at a time; `None` if there is none.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn gather(assay: &Assay, cells: &[usize], target: TargetValues) -> Result<Option<Measured>> {
        let cells = assay.measured_cells(cells);
        let has_target = matches!(target, TargetValues::Counts | TargetValues::Presence);
        let mut stores: Option<(Values, Option<Values>)> = None;
        for block in cells.chunks(block_rows(assay.modality.shape().n_features() as usize)) {
            let gathered = assay.modality.gather(&assay.measured(block), target)?;
            let start = || (Values::like(&gathered.input), has_target.then(|| Values::like(&gathered.target)));
            let (input, target) = stores.get_or_insert_with(start);
            input.append(&gathered.input)?;
            if let Some(target) = target {
                target.append(&gathered.target)?;
            }
        }
        let Some((input, target)) = stores else { return Ok(None) };
        let mut rows = vec![None; assay.rows.len()];
        for (row, &cell) in cells.iter().enumerate() {
            rows[cell] = Some(row as u32);
        }
        Ok(Some(Measured { rows, input: input.joined(), target: target.map(Values::joined) }))
    }

    /// Those of `cells` that are held.
    pub fn held(&self, cells: &[usize]) -> Vec<usize> {
        cells.iter().copied().filter(|&cell| self.rows[cell].is_some()).collect()
    }

    /// Rows of those of `cells` that are held.
    pub fn rows_of(&self, cells: &[usize]) -> Vec<usize> {
        cells.iter().filter_map(|&cell| self.rows[cell].map(|row| row as usize)).collect()
    }

    /// What encoders see.
    pub fn input(&self) -> &Values {
        &self.input
    }

    /// What the loss compares with.
    pub fn target(&self) -> &Values {
        self.target.as_ref().unwrap_or(&self.input)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assay, sparse_and_dense};
    use super::*;

    #[test]
    fn sparse_and_dense_modalities_hold_the_same_values() {
        let rows = [0.0, 1.0, 0.0, 2.0, 0.0, 3.0];
        for modality in sparse_and_dense(&rows, 2) {
            // the second cell of the data set was not measured
            let assay = assay(modality, vec![Some(0), None, Some(1), Some(2)]);
            let measured = Measured::gather(&assay, &[0, 1, 3], TargetValues::Processed).unwrap().unwrap();
            assert_eq!(measured.held(&[0, 1, 2, 3]), [0, 3]);
            let matrix = measured.input().matrix().unwrap();
            let of_last = matrix.rows(&measured.rows_of(&[3])).unwrap();
            assert_eq!(of_last, Tensor::from_slice(&[0f32, 3.0]).view([1, 2]));
            assert_eq!(measured.target().share_nonzero(&[0, 1]), 0.5);
        }
    }

    #[test]
    fn nothing_measured_is_nothing_held() {
        let [modality, _] = sparse_and_dense(&[1.0, 2.0], 2);
        let assay = assay(modality, vec![Some(0), None]);
        assert!(Measured::gather(&assay, &[1], TargetValues::Processed).unwrap().is_none());
    }
}
