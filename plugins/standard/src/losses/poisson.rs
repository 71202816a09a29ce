//! Loss `poisson`: counts as Poisson variables whose rates are shares of the cell's total.

use super::shares::{expectation, means_of};
use super::stored::Stored;
use anyhow::Result;
use framework::component::Spec;
use framework::{Loss, LossContext, LossSpec, Target, TargetValues, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// Which terms of the log-likelihood are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Likelihood {
    /// All: k ln μ − μ − ln k!.
    #[default]
    Full,
    /// Without ln k!, which no parameter changes.
    WithoutConstant,
}

/// Negative Poisson log-likelihood of the raw counts, mean over the features of a cell.
///
/// The rate of feature j is μⱼ = T softmax(prediction)ⱼ, with T the total of the cell's counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PoissonSpec {
    /// `full` (k ln μ − μ − ln k!) or `without_constant` (k ln μ − μ); gradients are the same.
    pub likelihood: Likelihood,
}

impl Spec for PoissonSpec {}

#[typetag::serialize(name = "poisson")]
impl LossSpec for PoissonSpec {
    fn build(&self, _context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        Ok(Box::new(Poisson { likelihood: self.likelihood }))
    }
}

/// The loss of a [`PoissonSpec`].
#[derive(Debug)]
pub struct Poisson {
    likelihood: Likelihood,
}

impl Loss for Poisson {
    fn target(&self) -> TargetValues {
        TargetValues::Counts
    }

    /// As shares s sum to 1, Σ (k ln(T s) − T s) = Σ k ln s + T ln T − T: only the stored counts are visited.
    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let flat = prediction.f_flatten(1, -1)?;
        let stored = Stored::new(&flat.f_log_softmax(1, None::<Kind>)?, target)?;
        let totals = stored.sum_entries(&stored.values)?;
        let of_shares = stored.sum_entries(&stored.values.f_mul(&stored.predicted()?)?)?;
        let mut log_likelihood = of_shares.f_add(&totals.f_xlogy(&totals)?)?.f_sub(&totals)?;
        if self.likelihood == Likelihood::Full {
            let log_factorials = (&stored.values + 1.0).f_lgamma()?;
            log_likelihood = log_likelihood.f_sub(&stored.sum_entries(&log_factorials)?)?;
        }
        Ok(log_likelihood.f_neg()?.f_div_scalar(stored.n_features())?)
    }

    fn expectation(&self, prediction: &Tensor, totals: Option<&Tensor>) -> Result<Tensor> {
        expectation(prediction, totals)
    }

    /// A rate μ makes no count with probability exp(−μ).
    fn silence(&self, prediction: &Tensor, features: &Tensor, totals: &Tensor) -> Result<Tensor> {
        means_of(prediction, features, totals)
    }
}

component! {
    role: Loss,
    name: "poisson",
    spec: PoissonSpec,
    summary: "Poisson likelihood of raw counts, rates as shares of the cell's total",
    source: "the Poisson likelihood; Martens et al. 2024 (Poisson VAE) use it for counts of fragments",
    example: "likelihood = \"full\"",
}

#[cfg(test)]
mod tests;
