//! Step `log_min_max`: logarithm, then each cell scaled to [0, 1].

use super::{each_row, ensure_at_least};
use crate::range;
use anyhow::Result;
use framework::anndata::Csr;
use framework::component::{Problem, Spec};
use framework::{Step, StepSpec, TrainingBlocks, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// x ↦ (ln(x + c) − low)/(high − low), with low and high the least and largest ln(x + c) of the cell's features.
///
/// Zeros count, so a zero becomes exactly 0 and a sparse matrix stays exactly sparse; the largest value of each cell
/// becomes 1. A cell whose features are all equal becomes 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogMinMaxSpec {
    /// The number c added before the logarithm, above 0. Published: 0.5.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub pseudo_count: f64,
}

impl Default for LogMinMaxSpec {
    fn default() -> Self {
        LogMinMaxSpec { pseudo_count: 0.5 }
    }
}

impl Spec for LogMinMaxSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        range::positive(&mut problems, "pseudo_count", self.pseudo_count);
        problems
    }
}

#[typetag::serialize(name = "log_min_max")]
impl StepSpec for LogMinMaxSpec {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(LogMinMax { pseudo_count: self.pseudo_count }))
    }
}

/// The step of a [`LogMinMaxSpec`]; there is nothing to fit.
#[derive(Debug)]
pub struct LogMinMax {
    pseudo_count: f64,
}

impl Step for LogMinMax {
    fn fit_blocks(&mut self, _blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        Ok(())
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        ensure_at_least(matrix, 0.0)?;
        let n_features = matrix.n_columns;
        each_row(matrix, |columns, values| self.scale(values, columns.len() < n_features));
        Ok(())
    }
}

impl LogMinMax {
    /// Scales the stored values of a cell, some of whose features may not be stored because they are zero.
    fn scale(&self, values: &mut [f32], some_are_zero: bool) {
        let log = |value: f32| (f64::from(value) + self.pseudo_count).ln();
        let (mut low, mut high) = if some_are_zero { (0f32, 0f32) } else { (f32::INFINITY, 0f32) };
        for value in values.iter() {
            (low, high) = (low.min(*value), high.max(*value));
        }
        let (low, high) = (log(low), log(high));
        let span = high - low;
        for value in values {
            *value = if span > 0.0 { ((log(*value) - low) / span) as f32 } else { 0.0 };
        }
    }
}

component! {
    role: Step,
    name: "log_min_max",
    spec: LogMinMaxSpec,
    summary: "logarithm, then each cell scaled to [0, 1]",
    source: "Zhang et al. 2026, Methods (preprocessing of sequencing data) and its code",
    example: "pseudo_count = 0.5",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::testing::{close, dense, matrix};

    fn apply(rows: &[&[f32]]) -> Vec<f32> {
        let mut matrix = matrix(rows);
        LogMinMaxSpec::default().build().unwrap().apply(&mut matrix).unwrap();
        dense(&matrix)
    }

    #[test]
    fn each_cell_is_scaled_by_its_own_extremes() {
        // numpy: l = log(x + .5); (l - l.min(1)) / (l.max(1) - l.min(1))
        let scaled = apply(&[&[0.0, 1.0, 4.0], &[2.0, 8.0, 3.0]]);
        let first = (3f64).ln() / (9f64).ln();
        let third = (3.5f64 / 2.5).ln() / (8.5f64 / 2.5).ln();
        assert!(close(&scaled, &[0.0, first, 1.0, 0.0, 1.0, third]), "{scaled:?}");
    }

    #[test]
    fn zeros_are_exactly_zero_and_constant_cells_too() {
        assert_eq!(apply(&[&[0.0, 7.0], &[0.0, 0.0], &[3.0, 3.0]]), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn negative_values_are_refused() {
        let error =
            LogMinMaxSpec::default().build().unwrap().apply(&mut matrix(&[&[-1.5, 1.0]])).unwrap_err().to_string();
        assert!(error.starts_with("found the value -1.5, but the step needs values of at least 0"), "{error}");
    }
}
