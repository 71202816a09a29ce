//! Share of variance explained, by predictions or by a space.

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::Tensor;

use crate::tensor::{host, numbers, row_mean, sum_over};

/// R² of outputs: 1 − Σ (observed − predicted)² / Σ (observed − mean)².
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RSquared {
    /// One per output; `None` where the observed values are constant.
    pub values: Vec<Option<f64>>,
    /// Mean over outputs with a value; `None` when there is none.
    pub mean: Option<f64>,
}

/// How much of a factor a space explains linearly, within the cells given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LinearFit {
    /// R² of the least-squares fit of the factor on the space, with intercept.
    pub r_squared: f64,
    /// 1 − (1 − R²)(n − 1) / (n − rank − 1): about 0 for a space that knows nothing of the factor.
    pub adjusted: f64,
    /// Cells used.
    pub n_cells: usize,
    /// Independent directions of the space.
    pub rank: usize,
}

/// R² of predicted against observed values (scikit-learn's `r2_score`).
///
/// # Shapes
/// both: n_cells × n_outputs.
///
/// # Errors
/// When shapes disagree or a number is not finite.
pub fn r_squared(predicted: &Tensor, observed: &Tensor) -> Result<RSquared> {
    let (predicted, observed) = (host(predicted, "the prediction")?, host(observed, "the observation")?);
    let (found, expected) = (predicted.size(), observed.size());
    ensure!(found == expected, "the prediction is {found:?} but the observation {expected:?}; expected one shape");
    ensure!(found[0] > 0, "there is no cell to compare");
    let squares = |difference: Tensor| numbers(&sum_over(&(&difference * &difference), 0));
    let left = squares(&observed - &predicted)?;
    let total = squares(&observed - row_mean(&observed))?;
    let values: Vec<Option<f64>> =
        left.iter().zip(&total).map(|(left, total)| (*total > 0.0).then(|| 1.0 - left / total)).collect();
    let defined: Vec<f64> = values.iter().flatten().copied().collect();
    let mean = (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64);
    Ok(RSquared { values, mean })
}

/// How much of a factor a space explains linearly.
///
/// # Shapes
/// space: n_cells × n_dimensions; factor: one number per cell (0 and 1 for a binary one).
///
/// # Errors
/// When lengths disagree, the factor is constant or not finite, or there are not more cells than independent directions
/// plus one.
pub fn linear_r2(space: &Tensor, factor: &[f64]) -> Result<LinearFit> {
    let space = host(space, "the space")?;
    let n_cells = space.size()[0] as usize;
    ensure!(factor.len() == n_cells, "{} values of the factor for {n_cells} cells; expected one each", factor.len());
    let factor = host(&Tensor::from_slice(factor).view([-1, 1]), "the factor")?;
    ensure!(
        n_cells > 0 && factor.max().double_value(&[]) > factor.min().double_value(&[]),
        "the factor does not vary over the cells; expected at least two different values"
    );
    let centred = &space - row_mean(&space);
    let (directions, strengths, _) = centred.f_svd(true, true)?;
    let strengths = numbers(&strengths)?;
    let smallest = strengths.first().copied().unwrap_or(0.0) * 1e-10;
    let rank = strengths.iter().filter(|&&strength| strength > smallest).count();
    ensure!(n_cells > rank + 1, "{n_cells} cells cannot judge {rank} directions; expected more than {}", rank + 1);
    let factor = &factor - row_mean(&factor);
    let total = (&factor * &factor).sum(tch::Kind::Double).double_value(&[]);
    let along = directions.narrow(1, 0, rank as i64).tr().f_matmul(&factor)?;
    let explained = (&along * &along).sum(tch::Kind::Double).double_value(&[]);
    let r_squared = (explained / total).clamp(0.0, 1.0);
    let adjusted = 1.0 - (1.0 - r_squared) * (n_cells - 1) as f64 / (n_cells - rank - 1) as f64;
    Ok(LinearFit { r_squared, adjusted, n_cells, rank })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_that_is_a_column_is_explained_in_full() {
        let space = Tensor::from_slice(&[0.0, 1.0, 0.0, 2.0, 1.0, 2.0, 3.0, 1.0, 3.0, 5.0, 2.0, 5.0]).view([4, 3]);
        let fit = linear_r2(&space, &[1.0, 2.0, 1.0, 2.0]).unwrap();
        assert_eq!(fit.rank, 2);
        let column = linear_r2(&space, &[0.0, 2.0, 3.0, 5.0]).unwrap();
        assert!((column.r_squared - 1.0).abs() < 1e-12 && (column.adjusted - 1.0).abs() < 1e-12);
        assert!(linear_r2(&space, &[1.0; 4]).unwrap_err().to_string().contains("does not vary"));
        assert!(linear_r2(&space, &[1.0, 2.0]).is_err());
    }
}
