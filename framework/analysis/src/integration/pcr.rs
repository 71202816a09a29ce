//! Principal component regression: how much of the variance of a space a covariate explains.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::Tensor;

use crate::score::check_codes;
use crate::tensor::{host, numbers, row_mean};

/// A covariate of cells, such as the experimental batch.
#[derive(Clone, Copy, Debug)]
pub enum Covariate<'a> {
    /// One class per cell.
    Classes(&'a [u32]),
    /// One number per cell.
    Numbers(&'a [f64]),
}

/// How much of the variance a covariate explains, before and after integration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PcrComparison {
    /// Share explained before.
    pub before: f64,
    /// Share explained after.
    pub after: f64,
    /// max(0, before − after) / before: 0 … 1, higher is better removed.
    pub score: f64,
}

/// Share of the variance of a space that a covariate explains, 0 … 1.
///
/// Σ over principal components of variance × R² of the component on the covariate, over Σ of variances. With all
/// components, as here, that is ‖H X‖² / ‖X‖² for the centred space X and the projection H onto the covariate (centred;
/// classes as indicators), so that no component need be found: between-class over total sum of squares for classes. Pass
/// the scores on the components to be used where not all are wanted.
///
/// # Shapes
/// space: n_cells × n_dimensions.
///
/// # Errors
/// When lengths disagree, a number is not finite, or the space or the covariate does not vary.
///
/// # Source
/// Büttner et al. 2019; scib-metrics 0.5.10 `principal_component_regression` (`n_components=None`).
pub fn principal_component_regression(space: &Tensor, covariate: Covariate) -> Result<f64> {
    let space = host(space, "the space")?;
    let (n_cells, n_dimensions) = (space.size()[0] as usize, space.size()[1] as usize);
    let centred = numbers(&(&space - row_mean(&space)))?;
    let total: f64 = centred.iter().map(|x| x * x).sum();
    ensure!(total > 0.0, "all cells of the space are the same; there is no variance to explain");
    let rows = || centred.chunks_exact(n_dimensions);
    let explained = match covariate {
        Covariate::Classes(classes) => {
            check_codes(n_cells, &[classes])?;
            let mut sums: BTreeMap<u32, (f64, Vec<f64>)> = BTreeMap::new();
            for (row, &class) in rows().zip(classes) {
                let (n, sum) = sums.entry(class).or_insert_with(|| (0.0, vec![0.0; n_dimensions]));
                *n += 1.0;
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            ensure!(sums.len() > 1, "all cells have one class; there is nothing to explain variance by");
            sums.values().map(|(n, sum)| sum.iter().map(|x| x * x).sum::<f64>() / n).sum()
        }
        Covariate::Numbers(values) => {
            ensure!(values.len() == n_cells, "{} values for {n_cells} cells; expected one per cell", values.len());
            let mean = values.iter().sum::<f64>() / n_cells as f64;
            let square: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
            ensure!(square > 0.0 && square.is_finite(), "the covariate is constant or not finite; expected numbers");
            let mut sum = vec![0.0; n_dimensions];
            for (row, value) in rows().zip(values) {
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x * (value - mean));
            }
            sum.iter().map(|x| x * x).sum::<f64>() / square
        }
    };
    Ok((explained / total).clamp(0.0, 1.0))
}

/// How much less of the variance a covariate explains after integration than before.
///
/// # Shapes
/// before, after: n_cells × any number of dimensions; `before` is usually the scores on principal components of the data.
///
/// # Errors
/// As [`principal_component_regression`], or when the covariate explains nothing before.
///
/// # Source
/// Büttner et al. 2019; scib-metrics 0.5.10 `pcr_comparison` (`scale=True`).
pub fn pcr_comparison(before: &Tensor, after: &Tensor, covariate: Covariate) -> Result<PcrComparison> {
    let before = principal_component_regression(before, covariate)?;
    let after = principal_component_regression(after, covariate)?;
    ensure!(before > 0.0, "the covariate explains nothing before integration; there is nothing to remove");
    Ok(PcrComparison { before, after, score: ((before - after) / before).max(0.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covariate_explains_what_lies_along_it() {
        // variance 1 along the covariate, 3 across
        let across = 3f64.sqrt();
        let space = Tensor::from_slice(&[-1.0, across, -1.0, -across, 1.0, across, 1.0, -across]).view([4, 2]);
        let classes = Covariate::Classes(&[7, 7, 9, 9]);
        assert!((principal_component_regression(&space, classes).unwrap() - 0.25).abs() < 1e-12);
        let numbers = Covariate::Numbers(&[2.0, 2.0, 8.0, 8.0]);
        assert!((principal_component_regression(&space, numbers).unwrap() - 0.25).abs() < 1e-12);
        let removed = pcr_comparison(&space, &space.narrow(1, 1, 1), classes).unwrap();
        assert!((removed.before, removed.score) == (0.25, 1.0) && removed.after < 1e-12, "{removed:?}");
        let worse = pcr_comparison(&space, &space.narrow(1, 0, 1), classes).unwrap();
        assert_eq!((worse.after, worse.score), (1.0, 0.0));
        let one = principal_component_regression(&space, Covariate::Classes(&[1; 4])).unwrap_err();
        assert!(one.to_string().contains("one class"));
        assert!(principal_component_regression(&space, Covariate::Numbers(&[1.0; 4])).is_err());
    }
}
