//! The measurements that are judged and learned from, gathered once and kept as sparse as they came. Images are not gathered:
//! their pixels are read again, a block of cells at a time, wherever they are needed.

mod images;
mod rows;

use analysis::{Matrix, ReadRows, block_rows};
use anyhow::{Context, Result};
use framework::data::Assay;
use framework::{FeatureShape, Features, Gathered, SparseFeatures, TargetValues};
use images::StoredImages;
use rows::Rows;
use tch::{Device, Kind, Tensor};

/// Values of some cells of one modality.
#[derive(Debug)]
pub(crate) enum Values<'a> {
    /// Compressed rows; what they do not store is 0.
    Sparse(Rows),
    /// Shares of successes of the entries with trials; what the rows do not store was not measured.
    Shares(Rows),
    /// n_cells × n_features on the host, for modalities that hand out dense rows.
    Dense(Vec<Tensor>),
    /// Images, which stay where they are.
    Images(StoredImages<'a>),
}

impl<'a> Values<'a> {
    /// Appends rows in the form of the first ones.
    fn append(&mut self, features: &Features) -> Result<()> {
        match (self, features) {
            (Values::Sparse(rows), Features::Sparse(features)) => rows.append(features)?,
            (Values::Dense(blocks), features) => {
                blocks.push(features.to_dense().flatten(1, -1).to_device(Device::Cpu).to_kind(Kind::Float));
            }
            (Values::Sparse(_) | Values::Shares(_) | Values::Images(_), _) => {
                anyhow::bail!("the modality hands out sparse rows for some cells and dense ones for others");
            }
        }
        Ok(())
    }

    /// Appends what a loss compares with.
    fn append_target(&mut self, gathered: &Gathered) -> Result<()> {
        let Values::Shares(rows) = self else { return self.append(&gathered.target) };
        let trials = gathered.trials.as_ref();
        let trials = trials.context("the loss compares shares of trials, but the modality hands out no trials")?;
        rows.append_shares(&gathered.target, trials)
    }

    fn like(features: &Features) -> Values<'a> {
        match features {
            Features::Dense(_) => Values::Dense(Vec::new()),
            Features::Sparse(rows) => Values::Sparse(Rows::new(rows.n_features as usize)),
        }
    }

    /// An empty store for what a loss compares with; `None` where that is the input.
    fn for_target(gathered: &Gathered, target: TargetValues) -> Option<Values<'a>> {
        match target {
            TargetValues::Counts | TargetValues::Presence => Some(Values::like(&gathered.target)),
            TargetValues::Trials => Some(Values::Shares(Rows::new(gathered.target.n_features() as usize))),
            TargetValues::Processed | TargetValues::UnitInterval => None,
        }
    }

    /// Joins blocks that came one by one.
    fn joined(self) -> Values<'a> {
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
            Values::Sparse(rows) => Ok(rows.borrowed()?.into()),
            Values::Shares(rows) => Ok(Matrix::Measured(rows.borrowed()?)),
            Values::Dense(blocks) => Matrix::dense(&blocks[0]),
            Values::Images(images) => Ok(Matrix::Read(images)),
        }
    }

    /// Share of the measured entries of some rows that are not 0.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn share_nonzero(&self, rows: &[usize]) -> Result<f64> {
        let (n_nonzero, n_entries) = match self {
            Values::Sparse(stored) => (stored.n_nonzero(rows), rows.len() * stored.n_columns()),
            Values::Shares(stored) => (stored.n_nonzero(rows), stored.n_stored(rows)),
            Values::Dense(blocks) => {
                let nonzero = super::numbers::select(&blocks[0], rows).not_equal(0.0).sum(Kind::Double);
                (nonzero.double_value(&[]) as usize, rows.len() * blocks[0].size()[1] as usize)
            }
            Values::Images(images) => (images.n_nonzero(rows)?, rows.len() * images.n_columns()),
        };
        Ok(n_nonzero as f64 / n_entries.max(1) as f64)
    }

    /// The same in memory, whatever it was.
    fn held(self) -> Result<Values<'static>> {
        Ok(match self {
            Values::Sparse(rows) => Values::Sparse(rows),
            Values::Shares(rows) => Values::Shares(rows),
            Values::Dense(blocks) => Values::Dense(blocks),
            Values::Images(images) => Values::Dense(vec![images.read(&(0..images.n_rows()).collect::<Vec<_>>())?]),
        })
    }
}

/// What is made of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// It is what encoders see.
    AsPrepared,
    /// It is raw counts that nothing prepares: ln(1 + 10⁴ × share of the cell's total), so that what learns from it beside
    /// a model of counts is not held back by depth.
    LogShares,
    /// The same of what the loss compares with, which must be counts.
    LogSharesOfTarget,
}

/// How measurements are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// What the loss compares with.
    pub target: TargetValues,
    /// What is made of the input.
    pub input: Input,
}

impl Reading {
    /// Whether what is read are images as they are.
    fn are_images(self, shape: &FeatureShape) -> bool {
        let as_they_are = matches!(self.target, TargetValues::Processed | TargetValues::UnitInterval);
        matches!(shape, FeatureShape::Image { .. }) && as_they_are && self.input == Input::AsPrepared
    }
}

/// The row of each cell of a data set, where `cells` are the rows.
fn places(cells: &[usize], n_cells: usize) -> Vec<Option<u32>> {
    let mut rows = vec![None; n_cells];
    for (row, &cell) in cells.iter().enumerate() {
        rows[cell] = Some(row as u32);
    }
    rows
}

fn log_shares(features: &Features) -> Features {
    let logarithm = |values: &Tensor, totals: Tensor| (values * 1e4 / totals.clamp_min(1e-12)).log1p();
    match features {
        Features::Dense(values) => {
            let flat = values.flatten(1, -1);
            let totals = flat.sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
            Features::Dense(logarithm(&flat, totals).view(values.size().as_slice()))
        }
        Features::Sparse(sparse) => {
            let rows = sparse.rows();
            let nothing = Tensor::zeros([sparse.n_cells()], (sparse.values.kind(), sparse.values.device()));
            let totals = nothing.index_add(0, &rows, &sparse.values).index_select(0, &rows);
            let values = logarithm(&sparse.values, totals);
            let (offsets, indices) = (sparse.offsets.shallow_clone(), sparse.indices.shallow_clone());
            Features::Sparse(SparseFeatures { offsets, indices, values, n_features: sparse.n_features })
        }
    }
}

/// What one modality measured of the cells that matter here.
#[derive(Debug)]
pub(crate) struct Measured<'a> {
    /// Row of each cell of the data set in the values; `None` where it was not measured or does not matter.
    rows: Vec<Option<u32>>,
    input: Values<'a>,
    /// What the loss compares with, where it is not the input.
    target: Option<Values<'a>>,
    /// Whether the input was made logarithms of shares.
    is_log: bool,
}

impl<'a> Measured<'a> {
    /// Gathers the measured ones of `cells`, a block at a time; `None` if there is none.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn gather(assay: &'a Assay, cells: &[usize], read: Reading) -> Result<Option<Measured<'a>>> {
        let (target, is_log) = (read.target, read.input != Input::AsPrepared);
        let cells = assay.measured_cells(cells);
        let rows = assay.measured(&cells);
        if read.are_images(&assay.modality.shape()) && !rows.is_empty() {
            let input = Values::Images(StoredImages::new(assay.modality.as_ref(), rows, target));
            return Ok(Some(Measured { rows: places(&cells, assay.rows.len()), input, target: None, is_log }));
        }
        let mut stores: Option<(Values, Option<Values>)> = None;
        for block in cells.chunks(block_rows(assay.modality.shape().n_features() as usize)) {
            let mut gathered = assay.modality.gather(&assay.measured(block), target)?;
            match read.input {
                Input::AsPrepared => {}
                Input::LogShares => gathered.input = log_shares(&gathered.input),
                Input::LogSharesOfTarget => gathered.input = log_shares(&gathered.target),
            }
            let start = || (Values::like(&gathered.input), Values::for_target(&gathered, target));
            let (input, target) = stores.get_or_insert_with(start);
            input.append(&gathered.input)?;
            if let Some(target) = target {
                target.append_target(&gathered)?;
            }
        }
        let Some((input, target)) = stores else { return Ok(None) };
        let rows = places(&cells, assay.rows.len());
        Ok(Some(Measured { rows, input: input.joined(), target: target.map(Values::joined), is_log }))
    }

    /// The same, all in memory.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn in_memory(self) -> Result<Measured<'static>> {
        let target = self.target.map(Values::held).transpose()?;
        Ok(Measured { rows: self.rows, input: self.input.held()?, target, is_log: self.is_log })
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
    pub fn input(&self) -> &Values<'a> {
        &self.input
    }

    /// The values whose total says how much of a cell was measured at all.
    pub fn depth_values(&self) -> &Values<'a> {
        if self.is_log { self.target() } else { &self.input }
    }

    /// What the loss compares with.
    pub fn target(&self) -> &Values<'a> {
        self.target.as_ref().unwrap_or(&self.input)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assay, sparse_and_dense};
    use super::*;

    fn reading(target: TargetValues) -> Reading {
        Reading { target, input: Input::AsPrepared }
    }

    #[test]
    fn counts_that_nothing_prepares_become_logarithms_of_shares() {
        for modality in sparse_and_dense(&[0.0, 1.0, 6.0, 2.0], 2) {
            let assay = assay(modality, vec![Some(0), Some(1)]);
            let read = Reading { target: TargetValues::Counts, input: Input::LogShares };
            let measured = Measured::gather(&assay, &[0, 1], read).unwrap().unwrap();
            let expected = [0.0, 1e4, 7500.0, 2500.0].map(|share: f32| share.ln_1p());
            let found = measured.input().matrix().unwrap().rows(&[0, 1]).unwrap().to_kind(Kind::Float);
            assert!(found.allclose(&Tensor::from_slice(&expected).view([2, 2]), 1e-6, 1e-6, false));
            let raw = measured.depth_values().matrix().unwrap().rows(&[0, 1]).unwrap().sum(Kind::Float);
            assert_eq!(raw.double_value(&[]), 9.0);
        }
    }

    #[test]
    fn sparse_and_dense_modalities_hold_the_same_values() {
        let rows = [0.0, 1.0, 0.0, 2.0, 0.0, 3.0];
        for modality in sparse_and_dense(&rows, 2) {
            // the second cell of the data set was not measured
            let assay = assay(modality, vec![Some(0), None, Some(1), Some(2)]);
            let measured = Measured::gather(&assay, &[0, 1, 3], reading(TargetValues::Processed)).unwrap().unwrap();
            assert_eq!(measured.held(&[0, 1, 2, 3]), [0, 3]);
            let matrix = measured.input().matrix().unwrap();
            let of_last = matrix.rows(&measured.rows_of(&[3])).unwrap();
            assert_eq!(of_last, Tensor::from_slice(&[0f32, 3.0]).view([1, 2]));
            assert_eq!(measured.target().share_nonzero(&[0, 1]).unwrap(), 0.5);
        }
    }

    #[test]
    fn nothing_measured_is_nothing_held() {
        let [modality, _] = sparse_and_dense(&[1.0, 2.0], 2);
        let assay = assay(modality, vec![Some(0), None]);
        assert!(Measured::gather(&assay, &[1], reading(TargetValues::Processed)).unwrap().is_none());
    }

    #[test]
    fn shares_are_held_where_there_were_trials() {
        for modality in sparse_and_dense(&[5.0; 6], 3) {
            let modality = modality.with_trials(&[1.0, 0.0, 0.0, 0.0, 3.0, 0.0], &[4.0, 0.0, 2.0, 0.0, 3.0, 0.0]);
            let assay = assay(modality, vec![Some(0), Some(1)]);
            let measured = Measured::gather(&assay, &[0, 1], reading(TargetValues::Trials)).unwrap().unwrap();
            let matrix = measured.target().matrix().unwrap();
            assert_eq!([matrix.n_measured(0), matrix.n_measured(1)], [2, 1]);
            let shares = matrix.rows(&[0, 1]).unwrap().nan_to_num(-1.0, None, None);
            // 0 of 2 trials is a measurement, 0 of none is not
            assert_eq!(shares, Tensor::from_slice(&[0.25f32, -1.0, 0.0, -1.0, 1.0, -1.0]).view([2, 3]));
            assert_eq!(measured.target().share_nonzero(&[0, 1]).unwrap(), 2.0 / 3.0);
            assert!(measured.input().matrix().unwrap().is_complete(), "encoders see what they always saw");
        }
    }

    #[test]
    fn a_modality_without_trials_is_told_so() {
        let [modality, _] = sparse_and_dense(&[1.0, 2.0], 2);
        let error = Measured::gather(&assay(modality, vec![Some(0)]), &[0], reading(TargetValues::Trials)).unwrap_err();
        assert!(error.to_string().contains("hands out no trials"), "{error}");
    }
}
