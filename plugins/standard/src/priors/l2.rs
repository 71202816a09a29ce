//! Prior `l2`: the Euclidean norm of a row.

use super::ensure_width;
use crate::range;
use anyhow::Result;
use framework::component::{Problem, Spec};
use framework::{LatentPrior, LatentPriorSpec, PriorContext, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// What the norm is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum L2Scaling {
    /// The width of the space (as in the published code).
    #[default]
    PerDimension,
    /// Nothing (as in the published equation).
    Published,
}

/// A weight times the Euclidean norm (not squared) of each row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct L2Spec {
    /// Weight λ of the norm, at least 0. Published: 0.001.
    #[schemars(range(min = 0))]
    pub weight: f64,
    /// `per_dimension` (norm divided by the width of the space, as in the published code) or `published` (the norm
    /// itself, as in the published equation 1).
    pub scaling: L2Scaling,
}

impl Default for L2Spec {
    fn default() -> Self {
        L2Spec { weight: 1e-3, scaling: L2Scaling::PerDimension }
    }
}

impl Spec for L2Spec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        range::not_negative(&mut problems, "weight", self.weight);
        problems
    }
}

#[typetag::serialize(name = "l2")]
impl LatentPriorSpec for L2Spec {
    fn build(&self, context: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        let divisor = match self.scaling {
            L2Scaling::PerDimension => context.dim.max(1) as f64,
            L2Scaling::Published => 1.0,
        };
        Ok(Box::new(L2 { weight: self.weight / divisor, dim: context.dim }))
    }
}

/// The prior of an [`L2Spec`].
#[derive(Debug)]
pub struct L2 {
    weight: f64,
    dim: i64,
}

impl LatentPrior for L2 {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        ensure_width(rows, self.dim)?;
        // libtorch defines the gradient of the norm at a row of zeros as 0
        Ok(rows.f_norm_scalaropt_dim(2.0, [1i64].as_slice(), false)? * self.weight)
    }
}

component! {
    role: LatentPrior,
    name: "l2",
    spec: L2Spec,
    summary: "the Euclidean norm of each row",
    source: "Zhang et al. 2026, Methods, equation 1 and its code",
    example: "weight = 0.001\nscaling = \"per_dimension\"",
}

#[cfg(test)]
mod tests {
    use super::*;
    use framework::CellFacts;
    use tch::{Device, Kind, nn::VarStore};

    fn prior(scaling: L2Scaling) -> Box<dyn LatentPrior> {
        let store = VarStore::new(Device::Cpu);
        L2Spec { weight: 0.5, scaling }
            .build(&PriorContext { vars: store.root(), dim: 2, cells: CellFacts::default() })
            .unwrap()
    }

    fn rows() -> Tensor {
        Tensor::from_slice(&[3f64, 4.0, 0.0, 0.0]).view([2, 2])
    }

    #[test]
    fn norms_are_weighted_as_named() {
        let values = |scaling| Vec::<f64>::try_from(prior(scaling).per_cell(&rows()).unwrap()).unwrap();
        assert_eq!(values(L2Scaling::PerDimension), [1.25, 0.0]);
        assert_eq!(values(L2Scaling::Published), [2.5, 0.0]);
    }

    #[test]
    fn the_gradient_is_the_direction_and_zero_at_zero() {
        let rows = rows().set_requires_grad(true);
        prior(L2Scaling::Published).per_cell(&rows).unwrap().sum(Kind::Double).backward();
        let gradient = Vec::<f64>::try_from(rows.grad().flatten(0, -1)).unwrap();
        assert_eq!(gradient, [0.3, 0.4, 0.0, 0.0]);
    }

    #[test]
    fn rows_of_another_width_are_refused() {
        let error = prior(L2Scaling::Published).per_cell(&rows().view([1, 4])).unwrap_err().to_string();
        assert_eq!(error, "the prior was built for 2 numbers per cell, but the rows have shape [1, 4]");
    }
}
