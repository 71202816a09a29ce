//! Compressed rows that grow a block of cells at a time.

use analysis::SparseRows;
use anyhow::{Result, ensure};
use framework::{Features, SparseFeatures};
use tch::{Device, Kind, Tensor};

/// Compressed rows; memory follows the stored entries.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Start of each row, and the end of the last.
    indptr: Vec<u64>,
    /// Feature of each entry.
    indices: Vec<u32>,
    /// Value of each entry.
    values: Vec<f32>,
    /// Features per cell.
    n_columns: usize,
}

impl Rows {
    /// No rows yet.
    pub fn new(n_columns: usize) -> Rows {
        Rows { indptr: vec![0], indices: Vec::new(), values: Vec::new(), n_columns }
    }

    /// Appends rows as they are.
    ///
    /// # Errors
    /// When the number of features is another.
    pub fn append(&mut self, rows: &SparseFeatures) -> Result<()> {
        self.check_width(rows.n_features)?;
        let start = self.values.len() as u64;
        let offsets = Vec::<i64>::try_from(&rows.offsets)?;
        self.indptr.extend(offsets[1..].iter().map(|&offset| start + offset as u64));
        self.indices.extend(Vec::<i64>::try_from(&rows.indices)?.into_iter().map(|index| index as u32));
        self.values.extend(Vec::<f32>::try_from(&rows.values)?);
        Ok(())
    }

    /// Appends successes / trials of the entries that have trials, shares of 0 among them.
    ///
    /// # Errors
    /// When the shapes differ, or successes are not between 0 and the trials.
    pub fn append_shares(&mut self, successes: &Features, trials: &Features) -> Result<()> {
        self.check_width(successes.n_features())?;
        let dense = |of: &Features| of.to_dense().flatten(1, -1).to_device(Device::Cpu).to_kind(Kind::Float);
        let (successes, trials) = (dense(successes), dense(trials));
        check_trials(&successes, &trials)?;
        let is_measured = trials.gt(0.0);
        let counts = is_measured.sum_dim_intlist([1i64].as_slice(), false, Kind::Int64);
        let mut end = self.values.len() as u64;
        for count in Vec::<i64>::try_from(counts)? {
            end += count as u64;
            self.indptr.push(end);
        }
        let columns = Vec::<i64>::try_from(is_measured.nonzero().select(1, 1).contiguous())?;
        self.indices.extend(columns.into_iter().map(|column| column as u32));
        self.values.extend(Vec::<f32>::try_from((successes / trials).masked_select(&is_measured))?);
        Ok(())
    }

    fn check_width(&self, n_features: i64) -> Result<()> {
        ensure!(self.n_columns == n_features as usize, "the number of features differs between cells");
        Ok(())
    }

    /// The rows as metrics read them.
    ///
    /// # Errors
    /// When columns are not ascending or a value is not finite.
    pub fn borrowed(&self) -> Result<SparseRows<'_>> {
        SparseRows::new(&self.indptr, &self.indices, &self.values, self.n_columns)
    }

    /// Features per cell.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Stored entries of some rows.
    pub fn n_stored(&self, rows: &[usize]) -> usize {
        rows.iter().map(|&row| self.of_row(row).len()).sum()
    }

    /// Entries of some rows that are not 0.
    pub fn n_nonzero(&self, rows: &[usize]) -> usize {
        rows.iter().flat_map(|&row| self.of_row(row)).filter(|value| **value != 0.0).count()
    }

    fn of_row(&self, row: usize) -> &[f32] {
        &self.values[self.indptr[row] as usize..self.indptr[row + 1] as usize]
    }
}

/// Refuses successes that are no successes among the trials.
fn check_trials(successes: &Tensor, trials: &Tensor) -> Result<()> {
    let (found, expected) = (successes.size(), trials.size());
    ensure!(found == expected, "there are successes of shape {found:?} for trials of shape {expected:?}");
    let is_right = successes.ge(0.0).logical_and(&successes.le_tensor(trials)).logical_and(&trials.isfinite());
    let wrong = is_right.logical_not().nonzero();
    if wrong.size()[0] > 0 {
        let [row, column] = [0, 1].map(|at| wrong.int64_value(&[0, at]));
        let of = |tensor: &Tensor| tensor.double_value(&[row, column]);
        anyhow::bail!(
            "feature {column} has {} successes among {} trials; expected from 0 to as many as there were trials",
            of(successes),
            of(trials)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(values: &[f32]) -> Features {
        Features::Dense(Tensor::from_slice(values).view([1, -1]))
    }

    #[test]
    fn more_successes_than_trials_are_refused() {
        let refused = |successes: &[f32], trials: &[f32]| {
            Rows::new(2).append_shares(&features(successes), &features(trials)).unwrap_err().to_string()
        };
        assert!(refused(&[0.0, 3.0], &[0.0, 2.0]).contains("feature 1 has 3 successes among 2 trials"));
        assert!(refused(&[1.0, 0.0], &[0.0, 2.0]).contains("feature 0 has 1 successes among 0 trials"));
        assert!(refused(&[0.0, -1.0], &[0.0, 2.0]).contains("-1 successes"));
        assert!(refused(&[0.0, 1.0], &[0.0, f32::NAN]).contains("NaN trials"));
        assert!(refused(&[0.0, 1.0], &[0.0, f32::INFINITY]).contains("inf trials"));
        assert!(refused(&[0.0, 1.0], &[2.0, 2.0, 2.0]).contains("shape [1, 3]"));
        assert!(refused(&[0.0], &[2.0]).contains("number of features"));
    }
}
