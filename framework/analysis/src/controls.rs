//! Simple predictors of one modality from another, to stand beside every model: what it must beat to be worth training.
//!
//! In stored benchmark results plain neighbours are within a few per cent of the best method, and for peaks the mean of
//! each feature nearly is; a model's numbers mean little without these.

use std::collections::HashSet;
use std::ops::Range;

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::matrix::{Matrix, block_rows};
use crate::moments::{PairedMoments, PairedReport};
use crate::neighbour_models::neighbour_means;
use crate::neighbours::{Distance, NeighbourSearch, Neighbours};
use crate::pca::{Pca, PcaSpec, Solver};
use crate::random::draws;
use crate::ridge::{Penalty, Ridge};
use crate::tensor::check_rows;

/// A simple predictor of the target from the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// The mean of each target feature over the training cells (in which it was measured).
    FeatureMean,
    /// The target of one training cell, drawn at random for each test cell; the feature mean where that cell was not
    /// measured.
    RandomCell,
    /// The mean target of the nearest training cells on the source's principal components; the feature mean where none of
    /// them was measured.
    Neighbours,
    /// Ridge regression on the source's principal components; unmeasured entries of the training cells are filled with
    /// the feature mean.
    Ridge,
}

impl Control {
    /// All controls, simplest first.
    pub const ALL: [Self; 4] = [Self::FeatureMean, Self::RandomCell, Self::Neighbours, Self::Ridge];

    /// The name in tables, such as `feature_mean`.
    pub fn name(self) -> &'static str {
        match self {
            Self::FeatureMean => "feature_mean",
            Self::RandomCell => "random_cell",
            Self::Neighbours => "neighbours",
            Self::Ridge => "ridge",
        }
    }
}

/// One modality to predict from another, in the same cells: row `i` of both matrices is one cell.
#[derive(Clone, Copy, Debug)]
pub struct CrossPrediction<'a> {
    /// What is predicted from.
    pub source: &'a Matrix<'a>,
    /// What is predicted.
    pub target: &'a Matrix<'a>,
    /// Cells the controls may learn from.
    pub train: &'a [usize],
    /// Cells predicted; none of them a training cell.
    pub test: &'a [usize],
}

/// Sizes and seed of the controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ControlsSpec {
    /// Principal components of the source (fewer when it has fewer features or training cells).
    pub n_components: usize,
    /// Neighbours averaged (fewer when there are fewer training cells).
    pub n_neighbours: usize,
    /// Seed of the random cells and of the randomised principal components.
    pub seed: u64,
}

impl Default for ControlsSpec {
    fn default() -> Self {
        Self { n_components: 50, n_neighbours: 25, seed: 0 }
    }
}

/// The controls of one cross-prediction, fitted on its training cells only.
#[derive(Debug)]
pub struct Controls<'a> {
    task: CrossPrediction<'a>,
    test_space: Tensor,
    neighbours: Neighbours,
    ridge: Ridge,
    mean: Tensor,
    random_rows: Vec<usize>,
}

impl<'a> Controls<'a> {
    /// Fits all controls.
    ///
    /// # Errors
    /// When the matrices have different numbers of cells, a cell does not exist, or a cell is both training and test
    /// cell.
    pub fn fit(task: CrossPrediction<'a>, spec: ControlsSpec) -> Result<Self> {
        task.check()?;
        let n_components = spec.n_components.min(task.source.n_columns()).min(task.train.len());
        let pca =
            Pca::fit(task.source, task.train, PcaSpec { n_components, seed: spec.seed, solver: Solver::Automatic })?;
        let train_space = pca.transform(task.source, task.train)?;
        let test_space = pca.transform(task.source, task.test)?;
        let search = NeighbourSearch::new(&train_space, Distance::Euclidean)?;
        let neighbours = search.nearest(&test_space, spec.n_neighbours.min(task.train.len()))?;
        let ridge = Ridge::fit(&train_space, task.target, task.train, Penalty::GeneralisedCrossValidation)?;
        let (mean, _) = task.target.column_means(task.train)?;
        let random_rows = draws(task.train, task.test.len(), spec.seed);
        Ok(Self { task, test_space, neighbours, ridge, mean: mean.to_kind(Kind::Float), random_rows })
    }

    /// Hands the predictions of one control to `receive`, a block of test cells at a time, in order.
    ///
    /// # Shapes
    /// `receive` gets a range of positions in `test` and a tensor of its length × n_target_features, 32-bit.
    ///
    /// # Errors
    /// When `receive` fails.
    pub fn predictions<F>(&self, control: Control, mut receive: F) -> Result<()>
    where
        F: FnMut(Range<usize>, &Tensor) -> Result<()>,
    {
        let n_test = self.task.test.len();
        let height = block_rows(self.task.target.n_columns());
        for start in (0..n_test).step_by(height) {
            let cells = start..(start + height).min(n_test);
            receive(cells.clone(), &self.block(control, cells)?)?;
        }
        Ok(())
    }

    fn block(&self, control: Control, cells: Range<usize>) -> Result<Tensor> {
        let n_cells = cells.len() as i64;
        match control {
            Control::FeatureMean => Ok(self.mean.expand([n_cells, -1], false).contiguous()),
            Control::RandomCell => {
                let drawn = self.task.target.rows(&self.random_rows[cells])?;
                self.task.target.filled(drawn, &self.mean)
            }
            Control::Neighbours => {
                let means = neighbour_means(&self.neighbours, self.task.target, self.task.train, cells)?;
                self.task.target.filled(means, &self.mean)
            }
            Control::Ridge => self.ridge.predict(&self.test_space.narrow(0, cells.start as i64, n_cells)),
        }
    }

    /// How well one control predicts what was measured of the test cells.
    ///
    /// # Errors
    /// When the target holds numbers that are not finite, or nothing of the test cells was measured.
    pub fn report(&self, control: Control) -> Result<PairedReport> {
        let mut moments = PairedMoments::new();
        self.predictions(control, |cells, predicted| {
            let observed = self.task.target.rows(&self.task.test[cells])?;
            match self.task.target.is_complete() {
                true => moments.push(predicted, &observed),
                false => moments.push_measured(predicted, &observed),
            }
        })?;
        moments.report()
    }
}

impl CrossPrediction<'_> {
    fn check(&self) -> Result<()> {
        let n_cells = self.source.n_rows();
        ensure!(
            n_cells == self.target.n_rows(),
            "the source has {n_cells} cells and the target {}; expected the same cells in the same order",
            self.target.n_rows()
        );
        check_rows(self.train, n_cells, "the list of training cells")?;
        check_rows(self.test, n_cells, "the list of test cells")?;
        let train: HashSet<usize> = self.train.iter().copied().collect();
        if let Some(cell) = self.test.iter().find(|cell| train.contains(cell)) {
            bail!("cell {cell} is both a training and a test cell; expected each cell in one of them");
        }
        Ok(())
    }
}
