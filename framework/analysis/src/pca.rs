//! Principal components, fitted on some cells and applied to others, without making a sparse matrix dense.

mod exact;
mod krylov;

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::matrix::Matrix;
use crate::tensor::{check_rows, numbers};

/// Up to this many features the covariance is made and decomposed; beyond, components are found by iteration.
const MAX_EXACT_FEATURES: usize = 2000;

/// How components are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// `Exact` up to 2,000 features, else `Randomised`.
    Automatic,
    /// Eigenvectors of the covariance, n_features × n_features; for at most a few thousand features.
    Exact,
    /// Randomised block Krylov iteration (Musco and Musco 2015), restarted until the explained variances settle;
    /// centring is implicit, so a sparse matrix stays sparse. Few features are decomposed exactly all the same.
    Randomised,
}

/// What principal components are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PcaSpec {
    /// Number of components.
    pub n_components: usize,
    /// Seed of the randomised solver.
    pub seed: u64,
    /// How to find them.
    pub solver: Solver,
}

impl PcaSpec {
    fn is_exact(&self, n_features: usize) -> bool {
        n_features <= krylov::basis_size(self.n_components)
            || match self.solver {
                Solver::Automatic => n_features <= MAX_EXACT_FEATURES,
                Solver::Exact => true,
                Solver::Randomised => false,
            }
    }
}

/// Principal components of centred, unscaled features.
///
/// Component signs: the loading of largest magnitude is positive.
#[derive(Debug)]
pub struct Pca {
    mean: Tensor,
    components: Tensor,
    /// Variance along each component (over n − 1), descending, in squared units of the values.
    pub explained_variance: Vec<f64>,
    /// The same as share of the variance of all features.
    pub explained_variance_ratio: Vec<f64>,
    /// False when the randomised solver ran out of restarts before the explained variances settled.
    pub converged: bool,
}

/// Directions (n_features × n_components), sums of squares along them, and whether they settled.
struct Found {
    directions: Tensor,
    squares: Vec<f64>,
    converged: bool,
}

impl Pca {
    /// Finds the principal components of the given cells.
    ///
    /// # Errors
    /// When a cell does not exist, entries were not measured, or more components are asked for than cells or features
    /// allow.
    pub fn fit(matrix: &Matrix, rows: &[usize], spec: PcaSpec) -> Result<Self> {
        check_rows(rows, matrix.n_rows(), "the list of cells to fit")?;
        matrix.check_complete()?;
        let most = rows.len().min(matrix.n_columns());
        ensure!(
            (1..=most).contains(&spec.n_components) && rows.len() > 1,
            "{} components were asked for; {} cells × {} features allow 1 to {most}, from two cells or more",
            spec.n_components,
            rows.len(),
            matrix.n_columns()
        );
        let (mean, total) = matrix.column_means(rows)?;
        ensure!(total.is_finite(), "the matrix holds numbers that are not finite; look for the step that made them");
        ensure!(total > 0.0, "the cells to fit are all the same; there is no variance to decompose");
        let centred = Centred { matrix, rows, mean: &mean };
        let found = if spec.is_exact(matrix.n_columns()) {
            exact::find(&centred, spec.n_components)?
        } else {
            krylov::find(&centred, spec)?
        };
        let degrees = (rows.len() - 1) as f64;
        Ok(Self {
            components: with_fixed_signs(&found.directions)?,
            explained_variance: found.squares.iter().map(|square| square / degrees).collect(),
            explained_variance_ratio: found.squares.iter().map(|square| square / total).collect(),
            converged: found.converged,
            mean,
        })
    }

    /// Scores of some cells on the components.
    ///
    /// # Shapes
    /// result: `rows.len()` × n_components, 64-bit.
    ///
    /// # Errors
    /// When a cell does not exist or the matrix has other features than were fitted.
    pub fn transform(&self, matrix: &Matrix, rows: &[usize]) -> Result<Tensor> {
        let fitted = self.mean.size()[1] as usize;
        ensure!(
            matrix.n_columns() == fitted,
            "the matrix has {} features; the components were fitted on {fitted}",
            matrix.n_columns()
        );
        check_rows(rows, matrix.n_rows(), "the list of cells to transform")?;
        Centred { matrix, rows, mean: &self.mean }.times(&self.components)
    }

    /// Loadings, n_features × n_components, 64-bit, orthonormal columns.
    pub fn components(&self) -> &Tensor {
        &self.components
    }
}

/// Some rows of a matrix, less the mean of each column; never written out.
struct Centred<'a> {
    matrix: &'a Matrix<'a>,
    rows: &'a [usize],
    mean: &'a Tensor,
}

impl Centred<'_> {
    /// (A − 1 μ) B = A B − 1 (μ B).
    fn times(&self, right: &Tensor) -> Result<Tensor> {
        Ok(self.matrix.times(self.rows, right)? - self.mean.f_matmul(right)?)
    }

    /// (A − 1 μ)ᵀ B = Aᵀ B − μᵀ (1ᵀ B).
    fn transposed_times(&self, right: &Tensor) -> Result<Tensor> {
        let sums = crate::tensor::sum_over(right, 0);
        Ok(self.matrix.transposed_times(self.rows, right)? - self.mean.tr().f_matmul(&sums)?)
    }
}

/// Turns each column so that its entry of largest magnitude is positive.
fn with_fixed_signs(directions: &Tensor) -> Result<Tensor> {
    let place = directions.abs().argmax(0, true);
    let signs = directions.f_gather(0, &place, false)?.sign();
    Ok(directions * signs)
}

/// The last columns of an ascending eigendecomposition, largest first.
fn largest(eigenvalues: &Tensor, vectors: &Tensor, n: usize) -> Result<(Vec<f64>, Tensor)> {
    let start = eigenvalues.size()[0] - n as i64;
    let values = numbers(&eigenvalues.narrow(0, start, n as i64).flip([0]))?;
    let values = values.into_iter().map(|value| value.max(0.0)).collect();
    Ok((values, vectors.narrow(1, start, n as i64).flip([1]).to_kind(Kind::Double)))
}
