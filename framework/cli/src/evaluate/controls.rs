//! Simple predictors of one modality from another, learned from the training cells measured by both.

use super::judge::Receive;
use super::numbers::numbers;
use analysis::{Distance, Matrix, NeighbourSearch, Neighbours, Penalty, Ridge, block_rows, neighbour_means};
use anyhow::{Context, Result};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::ops::Range;
use tch::{Device, Kind, Tensor};

/// What controls learn from and what they are judged on: rows of the target, and the source's principal components of
/// the same cells. Of a target with unmeasured entries they learn what was measured.
#[derive(Debug)]
pub(super) struct Task<'a> {
    /// The values to be predicted.
    pub target: &'a Matrix<'a>,
    /// Rows of the training cells.
    pub train: &'a [usize],
    /// Rows of the judged cells.
    pub judged: &'a [usize],
    /// Whether the judged cells are the training cells, so that each must not be its own neighbour.
    pub in_sample: bool,
    /// Totals of the judged cells where the model is given them: predictions are then brought to the same totals.
    pub totals: Option<Vec<f64>>,
}

impl Task<'_> {
    /// Predicts the mean of each feature over the training cells in which it was measured.
    ///
    /// # Errors
    /// When `receive` fails.
    pub fn feature_mean(&self, receive: &mut Receive<'_>) -> Result<()> {
        let mean = column_means(self.target, self.train)?.to_kind(Kind::Float);
        self.in_blocks(receive, |cells| Ok(mean.expand([cells.len() as i64, -1], false).contiguous()))
    }

    /// Predicts nothing at all: zeros.
    ///
    /// # Errors
    /// When `receive` fails.
    pub fn zeros(&self, receive: &mut Receive<'_>) -> Result<()> {
        let n_features = self.target.n_columns() as i64;
        self.in_blocks(receive, |cells| Ok(Tensor::zeros([cells.len() as i64, n_features], (Kind::Float, Device::Cpu))))
    }

    /// Predicts what was measured in a training cell drawn at random, never in the cell itself; the feature's mean where
    /// that cell was not measured.
    ///
    /// # Errors
    /// When `receive` fails.
    pub fn random_cell(&self, generator: &mut ChaCha8Rng, receive: &mut Receive<'_>) -> Result<()> {
        let n = self.train.len() as u64;
        let own_place = |judged: usize| self.in_sample.then_some(judged as u64);
        let mut draw = |judged: usize| match own_place(judged) {
            Some(own) if n > 1 => (own + 1 + generator.random_range(0..n - 1)) % n,
            _ => generator.random_range(0..n),
        };
        let drawn: Vec<usize> = (0..self.judged.len()).map(|cell| self.train[draw(cell) as usize]).collect();
        let means = self.means_for_unmeasured()?;
        self.in_blocks(receive, |cells| self.filled(self.target.rows(&drawn[cells])?, means.as_ref()))
    }

    /// Predicts the mean of the nearest training cells on the source's principal components; the feature's mean where none
    /// of them was measured.
    ///
    /// # Errors
    /// When `receive` fails.
    pub fn neighbours(&self, spaces: &Spaces, n_neighbours: usize, receive: &mut Receive<'_>) -> Result<()> {
        let neighbours = spaces.neighbours(n_neighbours, self.in_sample)?;
        let means = self.means_for_unmeasured()?;
        self.in_blocks(receive, |cells| {
            let predicted = neighbour_means(&neighbours, self.target, self.train, cells)?;
            self.filled(predicted, means.as_ref())
        })
    }

    /// Predicts by ridge regression on the source's principal components; unmeasured entries of the training cells are
    /// filled with the feature's mean over those in which it was measured.
    ///
    /// # Errors
    /// When `receive` fails.
    pub fn ridge(&self, spaces: &Spaces, penalty: f64, receive: &mut Receive<'_>) -> Result<()> {
        let ridge = Ridge::fit(&spaces.train, self.target, self.train, Penalty::Fixed(penalty))?;
        self.in_blocks(receive, |cells| ridge.predict(&spaces.judged.narrow(0, cells.start as i64, cells.len() as i64)))
    }

    /// What stands in for unmeasured entries; `None` where there are none.
    fn means_for_unmeasured(&self) -> Result<Option<Tensor>> {
        match self.target.is_complete() {
            true => Ok(None),
            false => column_means(self.target, self.train).map(Some),
        }
    }

    fn filled(&self, predicted: Tensor, means: Option<&Tensor>) -> Result<Tensor> {
        match means {
            Some(means) => self.target.filled(predicted, means),
            None => Ok(predicted),
        }
    }

    fn in_blocks(&self, receive: &mut Receive<'_>, predict: impl Fn(Range<usize>) -> Result<Tensor>) -> Result<()> {
        let height = block_rows(self.target.n_columns());
        for start in (0..self.judged.len()).step_by(height) {
            let cells = start..(start + height).min(self.judged.len());
            let predicted = predict(cells.clone())?;
            match &self.totals {
                None => receive(&predicted)?,
                Some(totals) => receive(&brought_to(&predicted, &totals[cells]))?,
            }
        }
        Ok(())
    }
}

/// Rows of training and judged cells in one space.
#[derive(Debug)]
pub(super) struct Spaces {
    /// Training cells.
    pub train: Tensor,
    /// Judged cells.
    pub judged: Tensor,
}

impl Spaces {
    /// The nearest training cells of each judged cell, itself left out; fewer where there are fewer.
    ///
    /// # Errors
    /// When there is no training cell or a coordinate is not finite.
    pub fn neighbours(&self, n_neighbours: usize, in_sample: bool) -> Result<Neighbours> {
        let n_training = self.train.size()[0] as usize;
        let search = NeighbourSearch::new(&self.train, Distance::Euclidean)?;
        match in_sample {
            true => search.nearest_others(n_neighbours.min(n_training.saturating_sub(1))),
            false => search.nearest(&self.judged, n_neighbours.min(n_training)),
        }
        .context("neighbours")
    }

    /// The first dimensions only; all where there are no more.
    pub fn first(&self, dim: usize) -> Spaces {
        let first = |of: &Tensor| of.narrow(1, 0, of.size()[1].min(dim as i64));
        Spaces { train: first(&self.train), judged: first(&self.judged) }
    }

    /// Numbers per cell.
    pub fn dim(&self) -> usize {
        self.train.size()[1] as usize
    }
}

/// How much was measured of each cell at all: its total and its number of values that are not 0, each centred and scaled
/// by the training cells. What follows from these follows from the depth of sequencing.
///
/// # Errors
/// When a row does not exist.
pub(super) fn depth(matrix: &Matrix<'_>, train: &[usize], judged: &[usize]) -> Result<Spaces> {
    let train = depth_of(matrix, train)?;
    let mean = train.mean_dim([0i64].as_slice(), true, Kind::Double);
    let scale = train.std_dim([0i64].as_slice(), false, true);
    let scale = scale.where_self(&scale.gt(0.0), &scale.ones_like());
    let judged = (depth_of(matrix, judged)? - &mean) / &scale;
    Ok(Spaces { train: (train - mean) / scale, judged })
}

/// n_rows × 2, 64-bit.
fn depth_of(matrix: &Matrix<'_>, rows: &[usize]) -> Result<Tensor> {
    let mut parts = Vec::new();
    for block in rows.chunks(block_rows(matrix.n_columns())) {
        let block = matrix.rows(block)?;
        let sum = |of: &Tensor| of.sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
        parts.push(Tensor::cat(&[sum(&block), sum(&block.not_equal(0.0))], 1));
    }
    Ok(Tensor::cat(&parts, 0))
}

/// Mean of each column over those of some rows in which it was measured (over all of their entries where it was in none):
/// 1 × n_features, 64-bit.
///
/// # Errors
/// When a row does not exist or nothing was measured.
pub(super) fn column_means(matrix: &Matrix<'_>, rows: &[usize]) -> Result<Tensor> {
    if !matrix.is_complete() {
        return Ok(matrix.column_means(rows)?.0);
    }
    let mut sums = Tensor::zeros([1, matrix.n_columns() as i64], (Kind::Double, Device::Cpu));
    for block in rows.chunks(block_rows(matrix.n_columns())) {
        sums += matrix.rows(block)?.sum_dim_intlist([0i64].as_slice(), true, Kind::Double);
    }
    Ok(sums / rows.len() as f64)
}

/// Sum of each of some rows.
///
/// # Errors
/// When a row does not exist.
pub(super) fn row_totals(matrix: &Matrix<'_>, rows: &[usize]) -> Result<Vec<f64>> {
    let mut totals = Vec::with_capacity(rows.len());
    for block in rows.chunks(block_rows(matrix.n_columns())) {
        totals.extend(numbers(&matrix.rows(block)?.sum_dim_intlist([1i64].as_slice(), false, Kind::Double))?);
    }
    Ok(totals)
}

/// Each row, without its negative values, scaled to a total; rows of zeros stay zero.
fn brought_to(predicted: &Tensor, totals: &[f64]) -> Tensor {
    let shares = predicted.clamp_min(0.0).to_kind(Kind::Double);
    let sums = shares.sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
    let sums = sums.where_self(&sums.gt(0.0), &sums.ones_like());
    (shares / sums * Tensor::from_slice(totals).view([-1, 1])).to_kind(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use analysis::SparseRows;
    use rand::SeedableRng;

    fn predictions(predict: impl FnOnce(&mut Receive<'_>) -> Result<()>) -> Vec<f64> {
        let mut all = Vec::new();
        predict(&mut |block| {
            all.extend(numbers(block)?);
            Ok(())
        })
        .unwrap();
        all
    }

    fn target() -> Matrix<'static> {
        Matrix::dense(&Tensor::from_slice(&[1f32, 1.0, 3.0, 1.0, 5.0, 1.0, 100.0, 100.0]).view([4, 2])).unwrap()
    }

    fn spaces(train: &[f64], judged: &[f64]) -> Spaces {
        Spaces { train: Tensor::from_slice(train).view([-1, 1]), judged: Tensor::from_slice(judged).view([-1, 1]) }
    }

    #[test]
    fn controls_predict_what_is_written_by_hand() {
        let target = target();
        let task = Task { target: &target, train: &[0, 1, 2], judged: &[3, 3], in_sample: false, totals: None };
        assert_eq!(predictions(|receive| task.feature_mean(receive)), [3.0, 1.0, 3.0, 1.0]);
        assert_eq!(predictions(|receive| task.zeros(receive)), [0.0; 4]);
        let spaces = spaces(&[0.0, 1.0, 2.0], &[-1.0, 2.0]);
        assert_eq!(predictions(|receive| task.neighbours(&spaces, 2, receive)), [2.0, 1.0, 4.0, 1.0]);
        let line = predictions(|receive| task.ridge(&spaces, 0.0, receive));
        assert!(line.iter().zip([-1.0, 1.0, 5.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-5), "{line:?}");
    }

    #[test]
    fn what_was_not_measured_is_neither_learned_nor_handed_on() {
        // [[1 · ·], [· 0 ·], [5 · ·], [· · 1]]: of the last feature nothing was measured in the training cells
        let stored = SparseRows::new(&[0, 1, 2, 3, 4], &[0, 1, 0, 2], &[1.0, 0.0, 5.0, 1.0], 3).unwrap();
        let target = Matrix::Measured(stored);
        let task = Task { target: &target, train: &[0, 1, 2], judged: &[3], in_sample: false, totals: None };
        let mean = [3.0, 0.0, 2.0];
        assert_eq!(predictions(|receive| task.feature_mean(receive)), mean);
        let spaces = spaces(&[0.0, 1.0, 2.0], &[0.4]);
        assert_eq!(predictions(|receive| task.neighbours(&spaces, 1, receive)), [1.0, mean[1], mean[2]]);
        assert_eq!(predictions(|receive| task.neighbours(&spaces, 2, receive)), [1.0, 0.0, mean[2]]);
        // fitted to 1, 3 (the mean) and 5 in the first feature, and to the means of the others
        let line = predictions(|receive| task.ridge(&spaces, 0.0, receive));
        assert!(line.iter().zip([1.8, 0.0, 2.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{line:?}");
        let mut seen = Vec::new();
        for seed in 0..50 {
            let drawn = predictions(|receive| task.random_cell(&mut ChaCha8Rng::seed_from_u64(seed), receive));
            assert!([1.0, 3.0, 5.0].contains(&drawn[0]) && drawn[1..] == mean[1..], "{drawn:?}");
            seen.push(drawn[0] as i64);
        }
        assert!([1, 3, 5].iter().all(|value| seen.contains(value)), "{seen:?}");
    }

    #[test]
    fn no_cell_predicts_itself() {
        let target = target();
        let task = Task { target: &target, train: &[0, 1, 2], judged: &[0, 1, 2], in_sample: true, totals: None };
        let spaces = spaces(&[0.0, 1.0, 2.1], &[0.0, 1.0, 2.1]);
        assert_eq!(predictions(|receive| task.neighbours(&spaces, 1, receive)), [3.0, 1.0, 1.0, 1.0, 3.0, 1.0]);
        for seed in 0..50 {
            let drawn = predictions(|receive| task.random_cell(&mut ChaCha8Rng::seed_from_u64(seed), receive));
            assert!(drawn[0] != 1.0 && drawn[2] != 3.0 && drawn[4] != 5.0, "{drawn:?}");
        }
    }

    #[test]
    fn depth_is_in_units_of_the_training_cells() {
        let matrix = Matrix::dense(&Tensor::from_slice(&[1f32, 0.0, 2.0, 1.0, 4.0, 4.0]).view([3, 2])).unwrap();
        let spaces = depth(&matrix, &[0, 1], &[2]).unwrap();
        assert_eq!(numbers(&spaces.train).unwrap(), [-1.0, -1.0, 1.0, 1.0]);
        assert_eq!(numbers(&spaces.judged).unwrap(), [6.0, 1.0]);
    }

    #[test]
    fn predictions_are_brought_to_the_totals_that_the_model_knows() {
        let target = target();
        let totals = Some(vec![8.0, 400.0]);
        let task = Task { target: &target, train: &[0, 1, 2], judged: &[3, 3], in_sample: false, totals };
        assert_eq!(predictions(|receive| task.feature_mean(receive)), [6.0, 2.0, 300.0, 100.0]);
    }
}
