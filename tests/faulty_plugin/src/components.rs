//! The table that all of them share, and the loss, the prior and the step that it builds.

use framework::anndata::Csr;
use framework::anyhow::Result;
use framework::component::Spec;
use framework::schemars::JsonSchema;
use framework::serde::{Deserialize, Serialize};
use framework::tch::{Kind, Tensor};
use framework::{LatentPrior, LatentPriorSpec, Loss, LossContext, LossSpec, PriorContext, Step, StepSpec};
use framework::{Target, TargetValues, component, ensure_same_shape, log, typetag};

/// Works, or panics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "framework::serde", deny_unknown_fields, default)]
#[schemars(crate = "framework::schemars")]
pub struct Faulty {
    /// Whether it panics when it is used.
    pub panics: bool,
}

impl Spec for Faulty {}

impl Faulty {
    /// Panics if it is told to.
    pub fn act(&self) {
        assert!(!self.panics, "as it was told to");
    }
}

#[typetag::serialize(name = "faulty")]
impl LossSpec for Faulty {
    fn build(&self, context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        log::info!("a loss of {} features is built", context.output.n_features());
        log::debug!("nobody asked for this");
        Ok(Box::new(self.clone()))
    }
}

/// The mean squared error.
impl Loss for Faulty {
    fn target(&self) -> TargetValues {
        TargetValues::Processed
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        self.act();
        ensure_same_shape(prediction, target.dense())?;
        Ok((prediction - target.dense()).f_square()?.f_mean_dim([1i64].as_slice(), false, None::<Kind>)?)
    }

    fn expectation(&self, prediction: &Tensor, _totals: Option<&Tensor>) -> Result<Tensor> {
        Ok(prediction.shallow_clone())
    }
}

component! { role: Loss, name: "faulty", spec: Faulty, summary: "the mean squared error", source: "a test", example: "" }

#[typetag::serialize(name = "faulty")]
impl LatentPriorSpec for Faulty {
    fn build(&self, _context: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        Ok(Box::new(self.clone()))
    }
}

/// Half the squared norm.
impl LatentPrior for Faulty {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        self.act();
        Ok(rows.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, None::<Kind>)? * 0.5)
    }
}

component! { role: LatentPrior, name: "faulty", spec: Faulty, summary: "half the squared norm", source: "a test", example: "" }

#[typetag::serialize(name = "faulty")]
impl StepSpec for Faulty {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(self.clone()))
    }
}

/// Halves.
impl Step for Faulty {
    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        self.act();
        matrix.values.iter_mut().for_each(|value| *value *= 0.5);
        Ok(())
    }
}

component! { role: Step, name: "faulty", spec: Faulty, summary: "halves every value", source: "a test", example: "" }
