//! Step `normalize_total`: every cell scaled to the same total.

use super::{each_row, ensure_at_least};
use crate::range;
use anyhow::{Context, Result, ensure};
use framework::anndata::Csr;
use framework::component::{Problem, Spec};
use framework::{Step, StepSpec, TrainingBlocks, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The named totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetSumRule {
    /// The median total of the training cells that have any.
    Median,
}

/// The total of every cell: a rule or a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected `median` or a number above 0, such as 1e4")]
pub enum TargetSum {
    /// A named rule.
    Rule(TargetSumRule),
    /// That total.
    Number(#[schemars(extend("exclusiveMinimum" = 0))] f64),
}

/// x ↦ x · t / (total of the cell); cells without any value stay as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NormalizeTotalSpec {
    /// The total t that every cell gets: a number above 0, or `median` (the median total of the training cells that
    /// have any).
    pub target_sum: TargetSum,
}

impl Default for NormalizeTotalSpec {
    fn default() -> Self {
        NormalizeTotalSpec { target_sum: TargetSum::Number(1e4) }
    }
}

impl Spec for NormalizeTotalSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let TargetSum::Number(total) = self.target_sum {
            range::positive(&mut problems, "target_sum", total);
        }
        problems
    }
}

#[typetag::serialize(name = "normalize_total")]
impl StepSpec for NormalizeTotalSpec {
    fn build(&self) -> Result<Box<dyn Step>> {
        let total = match self.target_sum {
            TargetSum::Number(total) => Some(total),
            TargetSum::Rule(TargetSumRule::Median) => None,
        };
        Ok(Box::new(NormalizeTotal { total }))
    }
}

/// The step of a [`NormalizeTotalSpec`].
#[derive(Debug)]
pub struct NormalizeTotal {
    /// The total of every cell; `None` until it is learnt.
    total: Option<f64>,
}

impl Step for NormalizeTotal {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        self.fit_blocks(&mut TrainingBlocks::of(matrix, training))
    }

    fn fit_blocks(&mut self, blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        if self.total.is_some() {
            return Ok(());
        }
        let mut sums = Vec::new();
        for block in blocks {
            let block = block?;
            sums.extend((0..block.n_rows).map(|row| sum(block.row(row).1)).filter(|sum| *sum > 0.0));
        }
        self.total = Some(median(sums).context("no training cell has a value above 0, so there is no median total")?);
        Ok(())
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        ensure_at_least(matrix, 0.0)?;
        let total = self.total.context("the median total has not been learnt")?;
        each_row(matrix, |_, values| {
            let own = sum(values);
            if own > 0.0 {
                values.iter_mut().for_each(|value| *value = (f64::from(*value) * total / own) as f32);
            }
        });
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        self.total.into()
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        let total = state.as_f64().context("the saved state is not a total")?;
        ensure!(total > 0.0, "the saved total is {total}, but must be above 0");
        self.total = Some(total);
        Ok(())
    }
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum()
}

/// The middle value; the mean of the two middle values of an even number.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some(if values.len() % 2 == 1 { upper } else { (values[values.len() / 2 - 1] + upper) / 2.0 })
}

component! {
    role: Step,
    name: "normalize_total",
    spec: NormalizeTotalSpec,
    summary: "every cell scaled to the same total",
    source: "scanpy (Wolf et al. 2018), pp.normalize_total",
    example: "target_sum = \"median\"",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::testing::fitted_and_restored;

    const ROWS: [&[f32]; 4] = [&[1.0, 3.0], &[0.0, 0.0], &[0.0, 8.0], &[100.0, 0.0]];

    fn step(target_sum: TargetSum) -> Box<dyn Step> {
        NormalizeTotalSpec { target_sum }.build().unwrap()
    }

    #[test]
    fn cells_get_the_total_that_is_asked_for() {
        let mut step = step(TargetSum::Number(12.0));
        let mut matrix = crate::steps::testing::matrix(&ROWS);
        step.fit(&matrix, &[0]).unwrap();
        step.apply(&mut matrix).unwrap();
        assert_eq!(crate::steps::testing::dense(&matrix), [3.0, 9.0, 0.0, 0.0, 0.0, 12.0, 12.0, 0.0]);
    }

    #[test]
    fn the_median_is_that_of_training_cells_with_values() {
        // totals of the training cells: 4, 0, 8; the median of those above 0 is 6
        let rule = || step(TargetSum::Rule(TargetSumRule::Median));
        let values = fitted_and_restored(rule().as_mut(), rule().as_mut(), &ROWS, &[0, 1, 2]);
        assert_eq!(values, [1.5, 4.5, 0.0, 0.0, 0.0, 6.0, 6.0, 0.0]);
    }
}
