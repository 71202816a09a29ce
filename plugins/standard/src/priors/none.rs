//! Prior `none`: every row is as plausible as any other.

use anyhow::Result;
use framework::component::Spec;
use framework::{LatentPrior, LatentPriorSpec, PriorContext, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// No prior: rows and posteriors cost nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoPriorSpec {}

impl Spec for NoPriorSpec {}

#[typetag::serialize(name = "none")]
impl LatentPriorSpec for NoPriorSpec {
    fn build(&self, _context: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        Ok(Box::new(NoPrior))
    }
}

/// The prior of a [`NoPriorSpec`].
#[derive(Debug)]
pub struct NoPrior;

impl LatentPrior for NoPrior {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        Ok(Tensor::f_zeros([rows.size().first().copied().unwrap_or(0)], (rows.kind(), rows.device()))?)
    }

    fn divergence(&self, mean: &Tensor, _log_sd: &Tensor) -> Result<Tensor> {
        self.per_cell(mean)
    }
}

component! {
    role: LatentPrior,
    name: "none",
    spec: NoPriorSpec,
    summary: "no cost: every row is as plausible as any other",
    source: "a control",
    example: "",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_costs_nothing() {
        let rows = Tensor::from_slice(&[3f32, 4.0, 5.0, 6.0]).view([2, 2]);
        assert_eq!(Vec::<f32>::try_from(NoPrior.per_cell(&rows).unwrap()).unwrap(), [0.0, 0.0]);
        assert_eq!(Vec::<f32>::try_from(NoPrior.divergence(&rows, &rows).unwrap()).unwrap(), [0.0, 0.0]);
    }
}
