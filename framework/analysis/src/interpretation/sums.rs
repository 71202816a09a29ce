//! Sums over the cells of a group, feature by feature, from stored entries alone.

use anyhow::{Result, ensure};
use rayon::prelude::*;
use tch::Tensor;

use crate::matrix::Matrix;
use crate::sparse::SparseRows;
use crate::tensor::check_finite;

/// A spread up to this part of the root mean square (its square, that is) is rounding.
const ROUNDING: f64 = 1e-12;

/// A measured matrix whose rows can be added up, by whichever thread.
pub(super) enum Entries<'a> {
    Sparse(SparseRows<'a>),
    /// Values row by row, less those of the first row: a feature that is far from 0 keeps its digits, and one that does not
    /// vary is exactly 0.
    Dense {
        values: Vec<f32>,
        first: Vec<f32>,
    },
}

impl<'a> Entries<'a> {
    /// # Errors
    /// When entries were not measured or are not finite.
    pub(super) fn of(matrix: &Matrix<'a>) -> Result<Self> {
        matrix.check_complete()?;
        match matrix {
            Matrix::Sparse(rows) | Matrix::Measured(rows) => Ok(Self::Sparse(*rows)),
            Matrix::Dense(tensor) => Self::dense(tensor, matrix.n_columns()),
            // features are few here: sums need them all
            Matrix::Read(reader) => {
                let all: Vec<usize> = (0..reader.n_rows()).collect();
                Self::dense(&reader.read(&all)?, matrix.n_columns())
            }
        }
    }

    fn dense(tensor: &Tensor, n_columns: usize) -> Result<Self> {
        check_finite(tensor, "the matrix of features")?;
        let values: Vec<f32> = Vec::try_from(tensor.contiguous().view(-1))?;
        Ok(Self::Dense { first: values[..n_columns.min(values.len())].to_vec(), values })
    }

    pub(super) fn n_features(&self) -> usize {
        match self {
            Self::Sparse(rows) => rows.n_columns(),
            Self::Dense { first, .. } => first.len(),
        }
    }

    /// What every value of a feature is less of in the sums.
    fn shift(&self, feature: usize) -> f64 {
        match self {
            Self::Sparse(_) => 0.0,
            Self::Dense { first, .. } => f64::from(first[feature]),
        }
    }

    fn dense_row(&self, row: usize) -> &[f32] {
        match self {
            Self::Sparse(_) => &[],
            Self::Dense { values, first } => &values[row * first.len()..(row + 1) * first.len()],
        }
    }

    fn add_row(&self, row: usize, sums: &mut [[f64; 2]]) {
        match self {
            Self::Sparse(rows) => {
                let (columns, values) = rows.row(row);
                for (&column, &value) in columns.iter().zip(values) {
                    let (value, sum) = (f64::from(value), &mut sums[column as usize]);
                    *sum = [sum[0] + value, sum[1] + value * value];
                }
            }
            Self::Dense { first, .. } => {
                for ((&value, &first), sum) in self.dense_row(row).iter().zip(first).zip(sums) {
                    let value = f64::from(value) - f64::from(first);
                    *sum = [sum[0] + value, sum[1] + value * value];
                }
            }
        }
    }

    /// Smallest and largest value of each feature over some cells, zeros that are not stored among them.
    pub(super) fn ranges(&self, cells: &[usize]) -> Vec<(f64, f64)> {
        let mut ranges = vec![(f32::INFINITY, f32::NEG_INFINITY, 0usize); self.n_features()];
        let mut meet = |feature: usize, value: f32| {
            let (low, high, n) = &mut ranges[feature];
            (*low, *high, *n) = (low.min(value), high.max(value), *n + 1);
        };
        for &cell in cells {
            match self {
                Self::Sparse(rows) => {
                    let (columns, values) = rows.row(cell);
                    columns.iter().zip(values).for_each(|(&column, &value)| meet(column as usize, value));
                }
                Self::Dense { .. } => self.dense_row(cell).iter().enumerate().for_each(|(at, &value)| meet(at, value)),
            }
        }
        let with_zeros = |(low, high, n): (f32, f32, usize)| {
            let (low, high) = if n < cells.len() { (low.min(0.0), high.max(0.0)) } else { (low, high) };
            (f64::from(low), f64::from(high))
        };
        ranges.into_iter().map(with_zeros).collect()
    }

    /// The first cell and feature whose value is below 0.
    pub(super) fn negative(&self) -> Option<(usize, usize)> {
        let n_features = self.n_features().max(1);
        match self {
            Self::Dense { values, .. } => {
                values.iter().position(|&value| value < 0.0).map(|at| (at / n_features, at % n_features))
            }
            Self::Sparse(rows) => (0..rows.n_rows()).into_par_iter().find_map_first(|row| {
                let (columns, values) = rows.row(row);
                values.iter().position(|&value| value < 0.0).map(|at| (row, columns[at] as usize))
            }),
        }
    }
}

/// Refuses values of which no fold change can be taken.
pub(super) fn check_amounts(entries: &Entries) -> Result<()> {
    if let Some((cell, feature)) = entries.negative() {
        anyhow::bail!(
            "feature {feature} of cell {cell} is below 0, and fold changes are of amounts; expected values from 0 on: bring features \
             to 0 … 1 first (scale `range`)"
        );
    }
    Ok(())
}

/// Number of cells, sum and sum of squares of each feature over a group of cells.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupSums {
    pub(super) n: usize,
    sums: Vec<[f64; 2]>,
}

/// Number, mean and variance (n − 1) of one feature in a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moments {
    pub(super) n: f64,
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl GroupSums {
    /// Adds up these cells, in place of what was there.
    pub(super) fn fill(&mut self, entries: &Entries, cells: &[usize]) {
        self.n = cells.len();
        self.sums.clear();
        self.sums.resize(entries.n_features(), [0.0; 2]);
        cells.iter().for_each(|&cell| entries.add_row(cell, &mut self.sums));
    }

    pub(super) fn of(entries: &Entries, cells: &[usize]) -> Self {
        let mut sums = Self::default();
        sums.fill(entries, cells);
        sums
    }

    /// Number, sum and sum of squares of one feature, about the shift of the entries.
    fn raw(&self, feature: usize) -> [f64; 3] {
        let [sum, square] = self.sums[feature];
        [self.n as f64, sum, square]
    }
}

/// The cells that a group is compared with, as sums to add and, if there are any, sums to take off.
pub(super) struct ReferenceSums<'a> {
    pub(super) plus: Vec<&'a GroupSums>,
    pub(super) minus: Option<&'a GroupSums>,
}

impl ReferenceSums<'_> {
    pub(super) fn n(&self) -> usize {
        self.plus.iter().map(|sums| sums.n).sum::<usize>() - self.minus.map_or(0, |sums| sums.n)
    }

    pub(super) fn moments(&self, entries: &Entries, feature: usize) -> Moments {
        let mut raw = self.minus.map_or([0.0; 3], |sums| sums.raw(feature).map(|value| -value));
        for sums in &self.plus {
            let more = sums.raw(feature);
            raw = [raw[0] + more[0], raw[1] + more[1], raw[2] + more[2]];
        }
        moments(raw, entries.shift(feature))
    }
}

impl GroupSums {
    pub(super) fn moments(&self, entries: &Entries, feature: usize) -> Moments {
        moments(self.raw(feature), entries.shift(feature))
    }
}

fn moments([n, sum, square]: [f64; 3], shift: f64) -> Moments {
    let mean = sum / n;
    let left = square - sum * mean;
    let variance = if left <= ROUNDING * square { 0.0 } else { left / (n - 1.0) };
    Moments { n, mean: shift + mean, variance }
}

/// Refuses groups that have cells the matrix does not.
pub(super) fn check_cells(cells: &[usize], n_rows: usize, what: &str) -> Result<()> {
    let missing = cells.iter().find(|&&cell| cell >= n_rows);
    ensure!(
        missing.is_none(),
        "{what} names cell {}, but the matrix has {n_rows} cells, counted from 0",
        missing.copied().unwrap_or_default()
    );
    Ok(())
}
