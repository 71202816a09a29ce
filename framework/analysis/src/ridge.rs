//! Ridge regression of many outputs at once, in closed form.

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::matrix::Matrix;
use crate::tensor::{check_rows, from_rows, host, numbers, row_mean, shape, sum_over};

/// How strongly coefficients are drawn to zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// This α.
    Fixed(f64),
    /// The α of a grid (10⁻⁶ … 10², in half decades, times the largest eigenvalue of XᵀX) with the least generalised
    /// cross-validation error, n ‖(I − H) Y‖² / (n − 1 − tr H)² summed over outputs (Golub, Heath and Wahba 1979).
    GeneralisedCrossValidation,
}

/// Linear regression with a squared penalty on its coefficients.
///
/// Minimises ‖Y − 1 bᵀ − X B‖² + α ‖B‖²; the intercept b is not penalised. With XᵀX = V diag(λ) Vᵀ of centred X,
/// B = V diag(1 / (λ + α)) Vᵀ Xᵀ Y. Y may be sparse and is read by rows, once. Entries of Y that were not measured are
/// filled with the mean of their column over the rows fitted (which leaves the mean, b, as it is).
#[derive(Debug)]
pub struct Ridge {
    input_mean: Tensor,
    output_mean: Tensor,
    coefficients: Tensor,
    /// The α used.
    pub penalty: f64,
}

/// Centred inputs in the basis of their principal directions.
struct Directions {
    vectors: Tensor,
    eigenvalues: Vec<f64>,
    n_cells: f64,
}

impl Ridge {
    /// Fits targets from inputs.
    ///
    /// # Shapes
    /// inputs: n × k, whose row `i` belongs to row `rows[i]` of `target`; k is assumed small (a few hundred).
    ///
    /// # Errors
    /// When lengths disagree, a row does not exist, nothing was measured, a number is not finite, or α is negative.
    pub fn fit(inputs: &Tensor, target: &Matrix, rows: &[usize], penalty: Penalty) -> Result<Self> {
        let inputs = host(inputs, "the inputs")?;
        check_rows(rows, target.n_rows(), "the list of target rows")?;
        ensure!(
            inputs.size()[0] as usize == rows.len(),
            "there are {} rows of inputs for {} rows of targets; expected as many",
            inputs.size()[0],
            rows.len()
        );
        let input_mean = row_mean(&inputs);
        let centred = inputs - &input_mean;
        let directions = Directions::of(&centred)?;
        let (output_mean, variation) = target.column_means(rows)?;
        let projected = centred.f_matmul(&directions.vectors)?;
        let products = target.transposed_times_about(rows, &projected, &output_mean)?.tr();
        let penalty = match penalty {
            Penalty::Fixed(alpha) => alpha,
            Penalty::GeneralisedCrossValidation => directions.best_penalty(&products, variation)?,
        };
        ensure!(penalty >= 0.0 && penalty.is_finite(), "the penalty is {penalty}; expected 0 or a positive number");
        let shrunk = products * directions.inverse(penalty);
        let coefficients = directions.vectors.f_matmul(&shrunk)?;
        Ok(Self { input_mean, output_mean, coefficients, penalty })
    }

    /// Predicted targets.
    ///
    /// # Shapes
    /// inputs: n × k; result: n × n_outputs, 32-bit. Ask for at most [`crate::block_rows`] rows at once.
    ///
    /// # Errors
    /// When there are not k columns or a number is not finite.
    pub fn predict(&self, inputs: &Tensor) -> Result<Tensor> {
        let (_, n_columns) = shape(inputs, "the inputs")?;
        let fitted = self.input_mean.size()[1] as usize;
        ensure!(n_columns == fitted, "the inputs have {n_columns} columns; the regression was fitted on {fitted}");
        let centred = host(inputs, "the inputs")? - &self.input_mean;
        Ok((centred.f_matmul(&self.coefficients)? + &self.output_mean).to_kind(Kind::Float))
    }

    /// Coefficients, k × n_outputs, 64-bit.
    pub fn coefficients(&self) -> &Tensor {
        &self.coefficients
    }
}

impl Directions {
    fn of(centred: &Tensor) -> Result<Self> {
        let (eigenvalues, vectors) = centred.tr().f_matmul(centred)?.f_linalg_eigh("L")?;
        let eigenvalues = numbers(&eigenvalues)?.into_iter().map(|value| value.max(0.0)).collect();
        Ok(Self { vectors, eigenvalues, n_cells: centred.size()[0] as f64 })
    }

    /// Eigenvalues below this are rounding.
    fn smallest(&self) -> f64 {
        self.largest() * 1e-12
    }

    fn largest(&self) -> f64 {
        self.eigenvalues.iter().copied().fold(0.0, f64::max)
    }

    /// 1 / (λ + α) as a column; 0 for directions in which nothing varies.
    fn inverse(&self, penalty: f64) -> Tensor {
        let smallest = self.smallest();
        let inverse =
            self.eigenvalues.iter().map(|&value| if value > smallest { 1.0 / (value + penalty) } else { 0.0 });
        from_rows(&inverse.collect::<Vec<_>>(), 1)
    }

    /// `products` is Vᵀ Xᵀ Y (k × n_outputs), `variation` is ‖Y − Ȳ‖².
    fn best_penalty(&self, products: &Tensor, variation: f64) -> Result<f64> {
        let explained = numbers(&sum_over(&(products * products), 1))?;
        let grid = (-12..=4).map(|step| self.largest() * 10f64.powf(f64::from(step) / 2.0));
        let errors = grid.map(|alpha| (alpha, self.cross_validation_error(alpha, &explained, variation)));
        let (alpha, error) = errors.fold((0.0, f64::INFINITY), |best, next| if next.1 < best.1 { next } else { best });
        ensure!(error.is_finite(), "no penalty can be chosen: there are too few cells or the inputs do not vary");
        Ok(alpha)
    }

    fn cross_validation_error(&self, alpha: f64, explained: &[f64], variation: f64) -> f64 {
        let (mut left, mut trace) = (variation, 0.0);
        for (&value, &squared) in self.eigenvalues.iter().zip(explained) {
            if value > self.smallest() {
                let kept = value / (value + alpha);
                left -= squared / value * (1.0 - (1.0 - kept).powi(2));
                trace += kept;
            }
        }
        let free = self.n_cells - 1.0 - trace;
        if free > 0.0 { self.n_cells * left.max(0.0) / (free * free) } else { f64::INFINITY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_even_with_a_repeated_input() {
        let inputs = Tensor::from_slice(&[0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 5.0, 5.0]).view([4, 2]);
        let target = Matrix::dense(&Tensor::from_slice(&[1f32, 3.0, 5.0, 11.0]).view([4, 1])).unwrap();
        let ridge = Ridge::fit(&inputs, &target, &[0, 1, 2, 3], Penalty::Fixed(0.0)).unwrap();
        let predicted = numbers(&ridge.predict(&inputs).unwrap()).unwrap();
        assert!(predicted.iter().zip([1.0, 3.0, 5.0, 11.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{predicted:?}");
        let chosen = Ridge::fit(&inputs, &target, &[0, 1, 2, 3], Penalty::GeneralisedCrossValidation).unwrap();
        assert!(chosen.penalty < 1e-3, "{}", chosen.penalty);
        assert!(Ridge::fit(&inputs, &target, &[0, 1, 2], Penalty::Fixed(0.0)).is_err());
        assert!(Ridge::fit(&inputs, &target, &[0, 1, 2, 3], Penalty::Fixed(-1.0)).is_err());
    }
}
