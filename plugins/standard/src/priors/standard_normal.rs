//! Prior `standard_normal`: independent normal numbers of mean 0 and variance 1.

use super::{LOG_TWO_PI, ensure_width};
use crate::range;
use anyhow::Result;
use framework::component::{Problem, Spec};
use framework::{LatentPrior, LatentPriorSpec, PriorContext, component, ensure_same_shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// What the divergence of a posterior is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DivergenceScaling {
    /// Nothing.
    #[default]
    Standard,
    /// The number of cells of the minibatch, once more than the mean over cells does (as in the published code).
    Published,
}

/// Minus the log density of a standard normal distribution; for posteriors the Kullback–Leibler divergence from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StandardNormalSpec {
    /// Weight of the cost of a row, at least 0; the divergence of posteriors is weighted by `fit.one_step` instead.
    #[schemars(range(min = 0))]
    pub weight: f64,
    /// `standard`, or `published`: the divergence is divided by the cells of the minibatch once more than the mean over
    /// cells does, as in the code of the published one-step baseline.
    pub kl_scaling: DivergenceScaling,
}

impl Default for StandardNormalSpec {
    fn default() -> Self {
        StandardNormalSpec { weight: 1.0, kl_scaling: DivergenceScaling::Standard }
    }
}

impl Spec for StandardNormalSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        range::not_negative(&mut problems, "weight", self.weight);
        problems
    }
}

#[typetag::serialize(name = "standard_normal")]
impl LatentPriorSpec for StandardNormalSpec {
    fn build(&self, context: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        Ok(Box::new(StandardNormal { spec: self.clone(), dim: context.dim }))
    }
}

/// The prior of a [`StandardNormalSpec`].
#[derive(Debug)]
pub struct StandardNormal {
    spec: StandardNormalSpec,
    dim: i64,
}

impl LatentPrior for StandardNormal {
    /// (‖z‖² + d ln 2π)/2, weighted.
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        ensure_width(rows, self.dim)?;
        let constant = 0.5 * self.dim as f64 * LOG_TWO_PI;
        Ok((sum(&rows.f_square()?)? * 0.5 + constant) * self.spec.weight)
    }

    /// Σ (m² + s² − 1 − 2 ln s)/2 over dimensions.
    fn divergence(&self, mean: &Tensor, log_sd: &Tensor) -> Result<Tensor> {
        ensure_width(mean, self.dim)?;
        ensure_same_shape(log_sd, mean)?;
        let each = mean.f_square()? + (log_sd * 2.0).f_exp()? - 1.0 - log_sd * 2.0;
        let divergence = sum(&each)? * 0.5;
        Ok(match self.spec.kl_scaling {
            DivergenceScaling::Standard => divergence,
            DivergenceScaling::Published => divergence / mean.size()[0].max(1) as f64,
        })
    }
}

fn sum(values: &Tensor) -> Result<Tensor> {
    Ok(values.f_sum_dim_intlist([1i64].as_slice(), false, None::<Kind>)?)
}

component! {
    role: LatentPrior,
    name: "standard_normal",
    spec: StandardNormalSpec,
    summary: "independent normal numbers of mean 0 and variance 1",
    source: "Kingma & Welling 2014; as the one-step baseline of Zhang et al. 2026, Methods",
    example: "weight = 0.001",
}

#[cfg(test)]
mod tests {
    use super::*;
    use framework::CellFacts;
    use tch::{Device, nn::VarStore};

    fn prior(weight: f64, kl_scaling: DivergenceScaling) -> Box<dyn LatentPrior> {
        let store = VarStore::new(Device::Cpu);
        let context = PriorContext { vars: store.root(), dim: 2, cells: CellFacts::default() };
        StandardNormalSpec { weight, kl_scaling }.build(&context).unwrap()
    }

    fn numbers(tensor: Tensor) -> Vec<f64> {
        Vec::try_from(tensor).unwrap()
    }

    #[test]
    fn a_row_costs_minus_its_log_density() {
        let rows = Tensor::from_slice(&[3f64, 4.0, 0.0, 0.0]).view([2, 2]);
        let values = numbers(prior(2.0, DivergenceScaling::Standard).per_cell(&rows).unwrap());
        // 25/2 + ln 2π, and ln 2π, twice
        assert!((values[0] - 28.675_754_132_818_69).abs() < 1e-12 && (values[1] - 3.675_754_132_818_69).abs() < 1e-12);
    }

    #[test]
    fn divergences_are_those_of_the_formula() {
        let mean = Tensor::from_slice(&[1f64, 0.0, 0.0, 0.0]).view([2, 2]);
        let log_sd = Tensor::from_slice(&[0f64, 0.0, 0.5, 0.0]).view([2, 2]);
        // 1/2, and (e − 1 − 1)/2
        let expected = [0.5, (std::f64::consts::E - 2.0) / 2.0];
        let values = numbers(prior(9.0, DivergenceScaling::Standard).divergence(&mean, &log_sd).unwrap());
        let halved = numbers(prior(9.0, DivergenceScaling::Published).divergence(&mean, &log_sd).unwrap());
        for place in 0..2 {
            assert!((values[place] - expected[place]).abs() < 1e-12);
            assert!((halved[place] - expected[place] / 2.0).abs() < 1e-12);
        }
    }
}
