//! How well one space predicts another, such as a specific space a shared one it should know nothing of.

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::matrix::Matrix;
use crate::rank_correlation::rank_correlation;
use crate::ridge::{Penalty, Ridge};
use crate::splits::CellSplit;
use crate::tensor::{host, ids, numbers, row_mean, sum_over};

/// How much of a space (or of any numbers of cells) another predicts, in cells it was not fitted on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Predictability {
    /// R² over the test cells of all columns together: 1 − Σ (observed − predicted)² / Σ (observed − mean)², each column
    /// about its own mean (scikit-learn's `r2_score`, `multioutput="variance_weighted"`). Below 0 for a space that knows
    /// nothing and was believed.
    pub r_squared: f64,
    /// The same of each column; `None` where it does not vary in the test cells.
    pub by_column: Vec<Option<f64>>,
    /// Spearman's correlation of what is predicted and what is there for each column; `None` where either does not vary.
    pub spearman: Vec<Option<f64>>,
    /// The ridge penalty used.
    pub penalty: f64,
    /// Cells fitted on.
    pub n_train: usize,
    /// Cells judged by.
    pub n_test: usize,
}

/// How well ridge regression on one space, fitted on the training cells, predicts another in the test cells.
///
/// The penalty is found on the training cells ([`Penalty::GeneralisedCrossValidation`]); dimensions of `from` are brought to
/// unit variance first, so that units do not matter. For labels use [`crate::LogisticProbe`] or [`crate::MlpProbe`].
///
/// # Shapes
/// both: n_cells × some columns; row `i` of both is one cell. A covariate is a single column.
///
/// # Errors
/// When the numbers of cells differ, a cell does not exist or is on both sides, a number is not finite, or `to` does not vary
/// over the test cells or `from` over the training cells.
pub fn predictability(from: &Tensor, to: &Tensor, split: &CellSplit) -> Result<Predictability> {
    let (from, to) = (host(from, "the space to predict from")?, host(to, "the space to predict")?);
    let n_cells = from.size()[0] as usize;
    ensure!(
        to.size()[0] as usize == n_cells,
        "the space to predict from has {n_cells} cells and the one to predict {}; expected the same cells in the same order",
        to.size()[0]
    );
    split.check(n_cells)?;
    let rows = |of: &Tensor, cells: &[usize]| of.index_select(0, &ids(cells));
    let train = rows(&from, &split.train);
    let (shift, scale) = (row_mean(&train), spread(&train));
    let standardised = |of: Tensor| (of - &shift) / &scale;
    let target = Matrix::dense(&rows(&to, &split.train))?;
    let all: Vec<usize> = (0..split.train.len()).collect();
    let ridge = Ridge::fit(&standardised(train), &target, &all, Penalty::GeneralisedCrossValidation)?;
    let predicted = ridge.predict(&standardised(rows(&from, &split.test)))?.to_kind(Kind::Double);
    let observed = rows(&to, &split.test);
    let squares = |of: Tensor| numbers(&sum_over(&(&of * &of), 0));
    let (left, total) = (squares(&observed - &predicted)?, squares(&observed - row_mean(&observed))?);
    let variation: f64 = total.iter().sum();
    ensure!(variation > 0.0, "the space to predict does not vary over the {} test cells", split.test.len());
    let columns = |of: &Tensor| -> Result<Vec<Vec<f64>>> {
        (0..of.size()[1]).map(|column| numbers(&of.select(1, column))).collect()
    };
    let pairs = columns(&predicted)?.into_iter().zip(columns(&observed)?);
    let spearman = pairs.map(|(predicted, observed)| rank_correlation(&predicted, &observed)).collect();
    Ok(Predictability {
        spearman,
        r_squared: 1.0 - left.iter().sum::<f64>() / variation,
        by_column: left.iter().zip(&total).map(|(left, all)| (*all > 0.0).then(|| 1.0 - left / all)).collect(),
        penalty: ridge.penalty,
        n_train: split.train.len(),
        n_test: split.test.len(),
    })
}

/// Standard deviation of each column, 1 where it does not vary.
fn spread(space: &Tensor) -> Tensor {
    let centred = space - row_mean(space);
    let deviation = row_mean(&(&centred * &centred)).sqrt();
    deviation.where_self(&deviation.gt(0.0), &deviation.ones_like())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::normal;

    #[test]
    fn a_space_knows_what_is_made_of_it_and_nothing_else() {
        let (n, split) = (400, CellSplit::random(400, 0.25, 1).unwrap());
        let (own, noise) = (normal(n, 5, 1), normal(n, 3, 2));
        // units and far-off means do not matter
        let from = &own * Tensor::from_slice(&[1.0, 1e-4, 1e4, 1.0, 1.0]) + 1000.0;
        let made = own.f_matmul(&normal(5, 3, 3)).unwrap();
        let known = predictability(&from, &made, &split).unwrap();
        assert!(known.r_squared > 0.999, "{known:?}");
        assert_eq!((known.n_train, known.n_test, known.by_column.len()), (300, 100, 3));
        let unknown = predictability(&from, &noise, &split).unwrap();
        assert!(unknown.r_squared.abs() < 0.06, "{unknown:?}");
        let half = predictability(&from, &(own.narrow(1, 0, 3) + &noise), &split).unwrap();
        assert!((0.35..0.65).contains(&half.r_squared), "{half:?}");
        // columns are weighted by their variance
        let both = Tensor::cat(&[own.narrow(1, 0, 1) * 100.0, noise.narrow(1, 0, 1), noise.zeros_like()], 1);
        let weighted = predictability(&from, &both, &split).unwrap();
        assert!(weighted.r_squared > 0.99 && weighted.by_column[1].unwrap() < 0.1 && weighted.by_column[2].is_none());
    }

    #[test]
    fn what_cannot_be_predicted_is_explained() {
        let (from, split) = (normal(10, 2, 1), CellSplit::random(10, 0.3, 1).unwrap());
        let of = |from: &Tensor, to: &Tensor| predictability(from, to, &split).unwrap_err().to_string();
        assert!(of(&from, &normal(9, 2, 1)).contains("has 10 cells and the one to predict 9"));
        assert!(of(&from, &from.zeros_like()).contains("does not vary over the 3 test cells"));
    }
}
