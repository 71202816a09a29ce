//! Step `log1p`: ln(1 + x).

use super::{each_row, ensure_at_least};
use anyhow::Result;
use framework::anndata::Csr;
use framework::component::Spec;
use framework::{Step, StepSpec, TrainingBlocks, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// x ↦ ln(1 + x), for values of at least 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log1pSpec {}

impl Spec for Log1pSpec {}

#[typetag::serialize(name = "log1p")]
impl StepSpec for Log1pSpec {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(Log1p))
    }
}

/// The step of a [`Log1pSpec`]; there is nothing to fit.
#[derive(Debug)]
pub struct Log1p;

impl Step for Log1p {
    fn fit_blocks(&mut self, _blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        Ok(())
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        ensure_at_least(matrix, 0.0)?;
        each_row(matrix, |_, values| values.iter_mut().for_each(|value| *value = value.ln_1p()));
        Ok(())
    }
}

component! {
    role: Step,
    name: "log1p",
    spec: Log1pSpec,
    summary: "the logarithm of one plus each value",
    source: "scanpy (Wolf et al. 2018), pp.log1p",
    example: "",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::testing::{close, dense, matrix};

    #[test]
    fn values_are_logarithms_and_zeros_stay() {
        let mut matrix = matrix(&[&[0.0, 1.0, 2.5]]);
        Log1p.apply(&mut matrix).unwrap();
        assert!(close(&dense(&matrix), &[0.0, 2f64.ln(), 3.5f64.ln()]));
    }
}
