//! Step `clr`: centred log-ratio, as Seurat computes it.

use super::{column_sums, each_row, ensure_at_least, ensure_one_per_feature};
use anyhow::{Context, Result};
use framework::anndata::Csr;
use framework::component::Spec;
use framework::{Step, StepSpec, TrainingBlocks, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which values are compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClrMargin {
    /// The features of each cell.
    #[default]
    Cell,
    /// The cells of each feature; the centres are those of the training cells.
    Feature,
}

/// x ↦ ln(1 + x/g), with g = exp(Σ ln(1 + x)/n) over the n features of the cell, or the n training cells of the
/// feature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClrSpec {
    /// `cell`: g over the features of each cell (Seurat's margin 2). `feature`: g over the training cells, for each
    /// feature (Seurat's margin 1).
    pub margin: ClrMargin,
}

impl Spec for ClrSpec {}

#[typetag::serialize(name = "clr")]
impl StepSpec for ClrSpec {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(CentredLogRatio { margin: self.margin, centres: None }))
    }
}

/// The step of a [`ClrSpec`].
#[derive(Debug)]
pub struct CentredLogRatio {
    margin: ClrMargin,
    /// g of each feature, for the margin `feature`.
    centres: Option<Vec<f64>>,
}

impl Step for CentredLogRatio {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        ensure_at_least(matrix, 0.0)?;
        self.fit_blocks(&mut TrainingBlocks::of(matrix, training))
    }

    fn fit_blocks(&mut self, blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        if self.margin == ClrMargin::Feature {
            let n_cells = blocks.n_cells().max(1) as f64;
            let sums = column_sums(blocks, f64::ln_1p)?;
            self.centres = Some(sums.into_iter().map(|sum| (sum / n_cells).exp()).collect());
        }
        Ok(())
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        ensure_at_least(matrix, 0.0)?;
        match self.margin {
            ClrMargin::Cell => {
                let n_features = matrix.n_columns.max(1) as f64;
                each_row(matrix, |_, values| {
                    let sum: f64 = values.iter().map(|value| f64::from(*value).ln_1p()).sum();
                    let centre = (sum / n_features).exp();
                    values.iter_mut().for_each(|value| *value = ratio(*value, centre));
                });
            }
            ClrMargin::Feature => {
                let centres = self.centres.as_ref().context("the centres have not been learnt")?;
                ensure_one_per_feature(centres, matrix)?;
                each_row(matrix, |columns, values| {
                    for (column, value) in columns.iter().zip(values) {
                        *value = ratio(*value, centres[*column as usize]);
                    }
                });
            }
        }
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        self.centres.clone().into()
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        self.centres = Deserialize::deserialize(state).context("the saved state is not a list of centres")?;
        Ok(())
    }
}

fn ratio(value: f32, centre: f64) -> f32 {
    (f64::from(value) / centre).ln_1p() as f32
}

component! {
    role: Step,
    name: "clr",
    spec: ClrSpec,
    summary: "centred log-ratio within each cell or each feature",
    source: "Stoeckius et al. 2017; as Seurat's NormalizeData with method CLR",
    example: "margin = \"cell\"",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::testing::{close, fitted_and_restored};

    const ROWS: [&[f32]; 3] = [&[1.0, 0.0, 3.0], &[4.0, 2.0, 0.0], &[0.0, 7.0, 0.0]];

    #[test]
    fn within_cells() {
        let spec = ClrSpec { margin: ClrMargin::Cell };
        let values =
            fitted_and_restored(spec.build().unwrap().as_mut(), spec.build().unwrap().as_mut(), &ROWS[..1], &[0]);
        // g = (2 · 1 · 4)^(1/3) = 2
        assert!(close(&values, &[1.5f64.ln(), 0.0, 2.5f64.ln()]));
    }

    #[test]
    fn within_features_of_training_cells() {
        let spec = ClrSpec { margin: ClrMargin::Feature };
        let values =
            fitted_and_restored(spec.build().unwrap().as_mut(), spec.build().unwrap().as_mut(), &ROWS, &[0, 1]);
        // g = √(2 · 5), √3 and √4
        let g = [10f64.sqrt(), 3f64.sqrt(), 2.0];
        let expected = [1.0 / g[0], 0.0, 3.0 / g[2], 4.0 / g[0], 2.0 / g[1], 0.0, 0.0, 7.0 / g[1], 0.0];
        assert!(close(&values, &expected.map(f64::ln_1p)));
    }
}
