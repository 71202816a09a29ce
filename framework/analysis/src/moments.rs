//! Agreement of predicted with observed values, met a block of cells at a time: Pearson correlation and root mean
//! squared error, by feature and by cell.

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::correlation::{Correlations, PairedSums};
use crate::tensor::{check_finite, numbers, shape, sum_over};

/// Running moments of predicted and observed values; memory grows with features and cells, never with their product.
///
/// Blocks are joined by the pairwise update of Chan, Golub and LeVeque (1983), in 64-bit, so that far-off means lose
/// nothing.
#[derive(Debug, Default)]
pub struct PairedMoments {
    by_feature: Option<PairedSums>,
    by_cell: Vec<Option<f64>>,
    n_constant_cells: usize,
    n_features: usize,
    squared_error: Option<Tensor>,
}

/// How well predictions agree with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedReport {
    /// Cells compared.
    pub n_cells: usize,
    /// Features compared.
    pub n_features: usize,
    /// √(mean over all entries of (predicted − observed)²), in the units of the values.
    pub rmse: f64,
    /// The same for each feature, over cells.
    pub rmse_by_feature: Vec<f64>,
    /// Pearson correlation over cells, one per feature.
    pub by_feature: Correlations,
    /// Pearson correlation over features, one per cell.
    pub by_cell: Correlations,
}

impl PairedMoments {
    /// Nothing met so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a block of cells.
    ///
    /// # Shapes
    /// both: cells of the block × n_features, any floating-point kind; the work is done on the device of `predicted`.
    ///
    /// # Errors
    /// When shapes disagree with each other or with earlier blocks, or a value is not finite.
    pub fn push(&mut self, predicted: &Tensor, observed: &Tensor) -> Result<()> {
        let (found, expected) = (shape(predicted, "the prediction")?, shape(observed, "the observation")?);
        ensure!(found == expected, "the prediction is {found:?} but the observation {expected:?}; expected one shape");
        ensure!(found.0 > 0 && found.1 > 0, "a block of {found:?} holds nothing; leave empty blocks out");
        ensure!(
            self.by_feature.is_none() || self.n_features == found.1,
            "a block has {} features, but earlier blocks had {}",
            found.1,
            self.n_features
        );
        let predicted = predicted.detach().to_kind(Kind::Double);
        let observed = observed.detach().to_device(predicted.device()).to_kind(Kind::Double);
        check_finite(&predicted, "the prediction")?;
        check_finite(&observed, "the observation")?;
        self.n_features = found.1;
        self.add_cells(&predicted, &observed)?;
        self.add_features(&predicted, &observed)
    }

    fn add_cells(&mut self, predicted: &Tensor, observed: &Tensor) -> Result<()> {
        let cells = PairedSums::over(predicted, observed, 1)?.correlations()?;
        self.n_constant_cells += cells.n_constant_predicted;
        self.by_cell.extend(cells.values);
        Ok(())
    }

    fn add_features(&mut self, predicted: &Tensor, observed: &Tensor) -> Result<()> {
        let difference = predicted - observed;
        let squared = sum_over(&(&difference * &difference), 0).view(-1);
        self.squared_error = Some(match self.squared_error.take() {
            Some(earlier) => earlier + squared,
            None => squared,
        });
        let block = PairedSums::over(predicted, observed, 0)?;
        self.by_feature = Some(match self.by_feature.take() {
            Some(earlier) => earlier.joined(&block),
            None => block,
        });
        Ok(())
    }

    /// What was met so far.
    ///
    /// # Errors
    /// When no block was pushed.
    pub fn report(&self) -> Result<PairedReport> {
        let (Some(by_feature), Some(squared)) = (&self.by_feature, &self.squared_error) else {
            anyhow::bail!("there is nothing to report: no cell was compared");
        };
        let squared = numbers(squared)?;
        let n_cells = self.by_cell.len();
        let mean: f64 = squared.iter().sum::<f64>() / (n_cells * self.n_features) as f64;
        Ok(PairedReport {
            n_cells,
            n_features: self.n_features,
            rmse: mean.sqrt(),
            rmse_by_feature: squared.iter().map(|sum| (sum / n_cells as f64).sqrt()).collect(),
            by_feature: by_feature.correlations()?,
            by_cell: Correlations::new(self.by_cell.clone(), self.n_constant_cells),
        })
    }
}
