//! What is done to the values last: each property less its mean, in units of its standard deviation.

use framework::anndata::Csr;
use framework::anyhow::{Context, Result, ensure};
use framework::serde::{Deserialize, Serialize};
use framework::{Step, serde_json};

/// Mean and standard deviation of each property over the training cells; one without spread becomes 0.
///
/// Zeros move, so every value of the matrix it is fitted on must be stored. What is not, as a property that new data
/// lack, stays 0: the mean.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "framework::serde")]
pub struct Standardise(Vec<(f64, f64)>);

impl Step for Standardise {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        let moments = |column: usize| {
            let values = || training.iter().map(|row| f64::from(matrix.row(*row).1[column]));
            let n_cells = training.len() as f64;
            let mean = values().sum::<f64>() / n_cells;
            (mean, (values().map(|value| (value - mean).powi(2)).sum::<f64>() / n_cells).sqrt())
        };
        self.0 = (0..matrix.n_columns).map(moments).collect();
        Ok(())
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        ensure!(self.0.len() == matrix.n_columns, "{} properties are known, not {}", self.0.len(), matrix.n_columns);
        for (value, column) in matrix.values.iter_mut().zip(&matrix.indices) {
            let (mean, sd) = self.0[*column as usize];
            *value = if sd > 0.0 { ((f64::from(*value) - mean) / sd) as f32 } else { 0.0 };
        }
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        *self = Standardise::deserialize(state).context("the saved state is not one of means and deviations")?;
        Ok(())
    }
}
