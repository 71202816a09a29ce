//! Step `tf_idf`: how much of a cell a feature is, times how rare the feature is.

use super::{column_sums, each_row, ensure_at_least, ensure_one_per_feature};
use crate::range;
use anyhow::{Context, Result};
use framework::anndata::Csr;
use framework::component::{Problem, Spec};
use framework::{Step, StepSpec, TrainingBlocks, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// x ↦ ln(1 + s · (x / total of the cell) · (n / total of the feature)), over the n training cells.
///
/// Features that no training cell has become 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TfIdfSpec {
    /// The factor s, above 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub scale: f64,
}

impl Default for TfIdfSpec {
    fn default() -> Self {
        TfIdfSpec { scale: 1e4 }
    }
}

impl Spec for TfIdfSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        range::positive(&mut problems, "scale", self.scale);
        problems
    }
}

#[typetag::serialize(name = "tf_idf")]
impl StepSpec for TfIdfSpec {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(TfIdf { scale: self.scale, rarity: None }))
    }
}

/// The step of a [`TfIdfSpec`].
#[derive(Debug)]
pub struct TfIdf {
    scale: f64,
    /// Training cells over the feature's total in them; 0 for features without any.
    rarity: Option<Vec<f64>>,
}

impl Step for TfIdf {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        ensure_at_least(matrix, 0.0)?;
        self.fit_blocks(&mut TrainingBlocks::of(matrix, training))
    }

    fn fit_blocks(&mut self, blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        let n_cells = blocks.n_cells() as f64;
        let totals = column_sums(blocks, |value| value)?;
        self.rarity = Some(totals.into_iter().map(|total| if total > 0.0 { n_cells / total } else { 0.0 }).collect());
        Ok(())
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        ensure_at_least(matrix, 0.0)?;
        let rarity = self.rarity.as_ref().context("the totals of the features have not been learnt")?;
        ensure_one_per_feature(rarity, matrix)?;
        each_row(matrix, |columns, values| {
            let total: f64 = values.iter().map(|value| f64::from(*value)).sum();
            for (column, value) in columns.iter().zip(values) {
                let share = if total > 0.0 { f64::from(*value) / total } else { 0.0 };
                *value = (self.scale * share * rarity[*column as usize]).ln_1p() as f32;
            }
        });
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        self.rarity.clone().into()
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        self.rarity = Some(Deserialize::deserialize(state).context("the saved state is not a list of rarities")?);
        Ok(())
    }
}

component! {
    role: Step,
    name: "tf_idf",
    spec: TfIdfSpec,
    summary: "share of the cell times rarity of the feature, then the logarithm",
    source: "Stuart et al. 2021 (Signac), RunTFIDF, method 1",
    example: "scale = 10000.0",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::testing::{close, fitted_and_restored};

    #[test]
    fn shares_times_rarity() {
        let rows: [&[f32]; 3] = [&[1.0, 3.0, 0.0], &[2.0, 0.0, 0.0], &[0.0, 1.0, 9.0]];
        let spec = TfIdfSpec { scale: 100.0 };
        let values =
            fitted_and_restored(spec.build().unwrap().as_mut(), spec.build().unwrap().as_mut(), &rows, &[0, 1]);
        // rarity 2/3, 2/3 and none
        let weight = 100.0 * 2.0 / 3.0;
        let expected = [0.25 * weight, 0.75 * weight, 0.0, weight, 0.0, 0.0, 0.0, 0.1 * weight, 0.0];
        assert!(close(&values, &expected.map(f64::ln_1p)), "{values:?}");
    }
}
