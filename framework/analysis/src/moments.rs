//! Agreement of predicted with observed values, met a block of cells at a time: Pearson correlation and root mean
//! squared error, by feature and by cell.

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::correlation::{Correlations, Paired, PairedSums};
use crate::tensor::{check_finite, numbers, shape};

/// Pairs that a correlation needs where not everything was measured.
const MIN_MEASURED: f64 = 3.0;

/// Running moments of predicted and observed values; memory grows with features and cells, never with their product.
///
/// Entries that were not measured ([`PairedMoments::push_measured`]) count nowhere: each number is what it would be on the
/// list of measured pairs alone. Correlations of fewer than 3 of them are left out.
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
    /// Pairs that a correlation needs: any number as long as everything was measured.
    n_needed: f64,
}

/// How well predictions agree with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedReport {
    /// Cells compared.
    pub n_cells: usize,
    /// Features compared.
    pub n_features: usize,
    /// Entries compared: cells × features where everything was measured.
    pub n_measured: u64,
    /// √(mean over all measured entries of (predicted − observed)²), in the units of the values.
    pub rmse: f64,
    /// The same for each feature, over cells; NaN where a feature was measured in none.
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
        let (predicted, observed) = self.checked(predicted, observed)?;
        check_finite(&observed, "the observation")?;
        self.add(&Paired::complete(predicted, observed))
    }

    /// Adds a block of cells of which some entries were not measured: those whose observed value is NaN.
    ///
    /// # Shapes
    /// as of [`PairedMoments::push`].
    ///
    /// # Errors
    /// When shapes disagree with each other or with earlier blocks, a prediction is not finite, or an observation is
    /// infinite.
    pub fn push_measured(&mut self, predicted: &Tensor, observed: &Tensor) -> Result<()> {
        let (predicted, observed) = self.checked(predicted, observed)?;
        let paired = Paired::measured(&predicted, &observed);
        check_finite(paired.observed(), "the observation")?;
        self.n_needed = MIN_MEASURED;
        self.add(&paired)
    }

    /// Both as 64-bit numbers on one device, the prediction finite.
    fn checked(&mut self, predicted: &Tensor, observed: &Tensor) -> Result<(Tensor, Tensor)> {
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
        self.n_features = found.1;
        Ok((predicted, observed))
    }

    fn add(&mut self, paired: &Paired) -> Result<()> {
        let cells = paired.sums(1).correlations(self.n_needed)?;
        self.n_constant_cells += cells.n_constant_predicted;
        self.by_cell.extend(cells.values);
        let squared = paired.squared_errors(0);
        self.squared_error = Some(match self.squared_error.take() {
            Some(earlier) => earlier + squared,
            None => squared,
        });
        let block = paired.sums(0);
        self.by_feature = Some(match self.by_feature.take() {
            Some(earlier) => earlier.joined(&block),
            None => block,
        });
        Ok(())
    }

    /// What was met so far.
    ///
    /// # Errors
    /// When no block was pushed or nothing in them was measured.
    pub fn report(&self) -> Result<PairedReport> {
        let (Some(by_feature), Some(squared)) = (&self.by_feature, &self.squared_error) else {
            anyhow::bail!("there is nothing to report: no cell was compared");
        };
        let (squared, counts) = (numbers(squared)?, by_feature.counts()?);
        let n_measured: f64 = counts.iter().sum();
        ensure!(n_measured > 0.0, "there is nothing to report: no entry of the compared cells was measured");
        Ok(PairedReport {
            n_cells: self.by_cell.len(),
            n_features: self.n_features,
            n_measured: n_measured as u64,
            rmse: (squared.iter().sum::<f64>() / n_measured).sqrt(),
            rmse_by_feature: squared.iter().zip(&counts).map(|(sum, n)| (sum / n).sqrt()).collect(),
            by_feature: by_feature.correlations(self.n_needed)?,
            by_cell: Correlations::new(self.by_cell.clone(), self.n_constant_cells),
        })
    }
}
