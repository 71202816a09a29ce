//! Step `standardise`: each feature less its mean, in units of its standard deviation.

use framework::anndata::Csr;
use framework::anyhow::{Context, Result, ensure};
use framework::component::Spec;
use framework::schemars::JsonSchema;
use framework::serde::{Deserialize, Serialize};
use framework::{Step, StepSpec, component, serde_json, typetag};

/// x ↦ (x − mean) / standard deviation, of each feature over the training cells; a feature without spread becomes 0.
///
/// Zeros move, so every value must be stored, as in the modality `electrophysiology`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "framework::serde", deny_unknown_fields, default)]
#[schemars(crate = "framework::schemars")]
pub struct StandardiseSpec {}

impl Spec for StandardiseSpec {}

#[typetag::serialize(name = "standardise")]
impl StepSpec for StandardiseSpec {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(Standardise::default()))
    }
}

/// Mean and standard deviation of each feature.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "framework::serde")]
struct Standardise(Vec<(f64, f64)>);

impl Step for Standardise {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        let (n_stored, n_features, n) = (matrix.n_stored(), matrix.n_columns, training.len() as f64);
        ensure!(
            n_stored == matrix.n_rows * n_features,
            "it needs every value, but only {n_stored} of {} are stored and the others are 0; it is made for tables, as of \
             `electrophysiology`",
            matrix.n_rows * n_features
        );
        let moments = |column: usize| {
            let values = || training.iter().map(|row| f64::from(matrix.row(*row).1[column]));
            let mean = values().sum::<f64>() / n;
            (mean, (values().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt())
        };
        self.0 = (0..n_features).map(moments).collect();
        Ok(())
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        ensure!(self.0.len() == matrix.n_columns, "it knows {} features, not {}", self.0.len(), matrix.n_columns);
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
        *self = Standardise::deserialize(state).context("the saved state is not that of `standardise`")?;
        Ok(())
    }
}

component! {
    role: Step,
    name: "standardise",
    spec: StandardiseSpec,
    summary: "each feature less its mean, in units of its standard deviation",
    source: "textbook",
    example: "",
}
