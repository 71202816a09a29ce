//! Step `binarize`: above 0 or not.

use super::each_row;
use anyhow::Result;
use framework::anndata::Csr;
use framework::component::Spec;
use framework::{Step, StepSpec, TrainingBlocks, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// x ↦ 1 where x is above 0, else 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BinarizeSpec {}

impl Spec for BinarizeSpec {}

#[typetag::serialize(name = "binarize")]
impl StepSpec for BinarizeSpec {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(Binarize))
    }
}

/// The step of a [`BinarizeSpec`]; there is nothing to fit.
#[derive(Debug)]
pub struct Binarize;

impl Step for Binarize {
    fn fit_blocks(&mut self, _blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        Ok(())
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        each_row(matrix, |_, values| values.iter_mut().for_each(|value| *value = f32::from(u8::from(*value > 0.0))));
        Ok(())
    }
}

component! {
    role: Step,
    name: "binarize",
    spec: BinarizeSpec,
    summary: "1 where the value is above 0, else 0",
    source: "common practice for accessibility counts",
    example: "",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::testing::{dense, matrix};

    #[test]
    fn values_become_zero_or_one() {
        let mut matrix = matrix(&[&[0.0, 3.0, 0.5, -2.0]]);
        Binarize.apply(&mut matrix).unwrap();
        assert_eq!(dense(&matrix), [0.0, 1.0, 1.0, 0.0]);
    }
}
