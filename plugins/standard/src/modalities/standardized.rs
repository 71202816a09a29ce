//! Any modality of numbers with its features brought to mean 0 and variance 1.

use anyhow::{Context, Result, ensure};
use framework::{Alignment, FeatureShape, Features, Gathered, Modality, Statistics, TargetValues};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

/// Rows that are read at a time while means are found.
const ROWS_AT_A_TIME: usize = 1024;

/// A modality whose values x become (x − mean) / standard deviation, feature by feature, both over the training cells; 0 for
/// a feature that does not vary there. It hands out dense rows, and only values after its steps.
pub struct Standardized {
    inner: Box<dyn Modality>,
    /// Mean of each feature, and what differences are multiplied by; empty until they are known.
    affine: Vec<(f64, f64)>,
}

impl Standardized {
    /// The modality, not yet prepared.
    pub fn new(inner: Box<dyn Modality>) -> Standardized {
        Standardized { inner, affine: Vec::new() }
    }

    /// Sums of the values less `means` and of their squares, by feature.
    fn sums(&self, rows: &[usize], means: &Tensor) -> Result<(Tensor, Tensor)> {
        let nothing = || Tensor::zeros([self.inner.shape().n_features()], (Kind::Double, Device::Cpu));
        let (mut sum, mut squares) = (nothing(), nothing());
        for block in rows.chunks(ROWS_AT_A_TIME) {
            let input = self.inner.gather(block, TargetValues::Processed)?.input;
            let values = input.to_dense().to_kind(Kind::Double) - means;
            sum += values.sum_dim_intlist([0i64].as_slice(), false, Kind::Double);
            squares += (&values * &values).sum_dim_intlist([0i64].as_slice(), false, Kind::Double);
        }
        Ok((sum, squares))
    }

    fn standardized(&self, features: &Features) -> Result<Tensor> {
        ensure!(!self.affine.is_empty(), "the modality is not prepared yet");
        let (means, scales): (Vec<f32>, Vec<f32>) = self.affine.iter().map(|(m, s)| (*m as f32, *s as f32)).unzip();
        Ok((features.to_dense() - Tensor::from_slice(&means)) * Tensor::from_slice(&scales))
    }
}

impl Modality for Standardized {
    fn cells(&self) -> &[String] {
        self.inner.cells()
    }

    fn features(&self) -> &[String] {
        self.inner.features()
    }

    fn shape(&self) -> FeatureShape {
        self.inner.shape()
    }

    fn filter_round(&mut self, kept: &[bool]) -> Result<Vec<bool>> {
        self.inner.filter_round(kept)
    }

    fn keep_cells(&mut self, rows: &[usize]) -> Result<()> {
        self.inner.keep_cells(rows)
    }

    fn prepare(&mut self, training: &[usize]) -> Result<()> {
        self.inner.prepare(training)?;
        ensure!(!training.is_empty(), "there is no training cell to find means in");
        let n = training.len() as f64;
        let (sum, _) = self.sums(training, &Tensor::from(0.0))?;
        let means = sum / n;
        let (_, squares) = self.sums(training, &means)?;
        let (means, deviations): (Vec<f64>, Vec<f64>) = (Vec::try_from(&means)?, Vec::try_from((squares / n).sqrt())?);
        let scale = |(mean, deviation): (f64, f64)| {
            // of values in single precision, less than this is rounding
            let varies = deviation > 1e-6 * mean.abs();
            (mean, if varies { 1.0 / deviation } else { 0.0 })
        };
        self.affine = means.into_iter().zip(deviations).map(scale).collect();
        Ok(())
    }

    fn state(&self) -> Value {
        json!({ "inner": self.inner.state(), "affine": self.affine })
    }

    fn restore(&mut self, state: &Value) -> Result<Alignment> {
        let alignment = self.inner.restore(state.get("inner").context("the state of the modality lacks `inner`")?)?;
        let affine = state.get("affine").context("the state of the modality lacks `affine`")?;
        let mut affine: Vec<(f64, f64)> = serde_json::from_value(affine.clone()).context("the state is damaged")?;
        ensure!(
            affine.len() as i64 == self.inner.shape().n_features(),
            "the state has means of {} features, but there are {}",
            affine.len(),
            self.inner.shape().n_features()
        );
        // a feature that new data lack is taken as its mean
        for (feature, (_, scale)) in self.inner.features().iter().zip(&mut affine) {
            if alignment.missing.contains(feature) {
                *scale = 0.0;
            }
        }
        self.affine = affine;
        Ok(alignment)
    }

    fn statistics(&self, rows: &[usize]) -> Result<Statistics> {
        let inner = self.inner.statistics(rows)?;
        if self.affine.is_empty() {
            return Ok(inner);
        }
        let mut processed_sum = 0.0;
        for block in rows.chunks(ROWS_AT_A_TIME) {
            let values = self.gather(block, TargetValues::Processed)?.input.to_dense();
            processed_sum += values.sum(Kind::Double).double_value(&[]);
        }
        Ok(Statistics { processed_sum, ..inner })
    }

    fn check_target(&self, values: TargetValues) -> Result<()> {
        ensure!(
            values == TargetValues::Processed,
            "standardized values are neither counts nor shares; choose a loss of any numbers, such as `mse`, or leave out \
             `standardize`"
        );
        self.inner.check_target(values)
    }

    fn gather(&self, rows: &[usize], values: TargetValues) -> Result<Gathered> {
        self.check_target(values)?;
        let gathered = self.inner.gather(rows, values)?;
        // values after the steps are both what encoders see and what a loss compares with
        let values = self.standardized(&gathered.input)?;
        Ok(Gathered::new(Features::Dense(values.shallow_clone()), Features::Dense(values)))
    }

    fn n_bytes(&self) -> u64 {
        self.inner.n_bytes() + 24 * self.affine.len() as u64
    }
}
