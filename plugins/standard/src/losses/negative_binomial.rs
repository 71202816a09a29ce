//! Loss `negative_binomial`: counts that spread wider than Poisson ones, their means shares of the cell's total.

mod cells;
mod entry;
mod operations;
mod row;
mod silencing;

pub(super) use operations::{of_features, terms};

use super::by_row::{is_tracked, with_gradient_of};
use super::number::Number;
use super::shares::{expectation, means_of};
use super::stored::sum_features;
use anyhow::{Result, ensure};
use framework::component::Spec;
use framework::{Loss, LossContext, LossSpec, Target, TargetValues, component};
use row::Wanted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::Init;
use tch::{Device, Kind, Tensor, no_grad};

/// How the dispersion r of a feature follows from its parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dispersion {
    /// r = 1 + exp(log_r): it starts at 2 and stays above 1.
    #[default]
    OnePlusExp,
    /// r = exp(log_r): it starts at 1.
    Exp,
}

impl Dispersion {
    /// The dispersions of these parameters.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn of(self, log_r: &Tensor) -> Result<Tensor> {
        let exponential = log_r.f_exp()?;
        Ok(match self {
            Dispersion::OnePlusExp => exponential.f_add_scalar(1.0)?,
            Dispersion::Exp => exponential,
        })
    }
}

/// Negative log-likelihood of the raw counts as negative binomial variables, mean over the features of a cell.
///
/// The mean of feature j is mⱼ = T softmax(prediction)ⱼ, with T the total of the cell's counts; its dispersion rⱼ is
/// learned and the same in every cell, and the variance is m + m²/r:
/// ln p(k) = lnΓ(k + r) − lnΓ(r) − lnΓ(k + 1) + k ln(m / (r + m)) + r ln(r / (r + m)), with 10⁻¹⁰ added to r + m and to
/// the quotient of the first logarithm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NegativeBinomialSpec {
    /// How the dispersion follows from the learned `log_r`, which starts at 0: `one_plus_exp` (r = 1 + exp(log_r), as
    /// published) or `exp` (r = exp(log_r)).
    pub dispersion: Dispersion,
}

impl Spec for NegativeBinomialSpec {}

#[typetag::serialize(name = "negative_binomial")]
impl LossSpec for NegativeBinomialSpec {
    fn build(&self, context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        let n_features = context.output.n_features();
        let log_r = context.vars.f_var("log_r", &[1, n_features], Init::Const(0.0))?;
        Ok(Box::new(NegativeBinomial { log_r, dispersion: self.dispersion }))
    }
}

/// The loss of a [`NegativeBinomialSpec`].
#[derive(Debug)]
pub struct NegativeBinomial {
    /// 1 × n_features.
    log_r: Tensor,
    dispersion: Dispersion,
}

impl Loss for NegativeBinomial {
    fn target(&self) -> TargetValues {
        TargetValues::Counts
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let flat = self.paired(prediction, target)?;
        let dispersion = self.dispersion.of(&self.log_r)?;
        let summed = match (flat.device(), flat.kind()) {
            (Device::Cpu, Kind::Float) => fused::<f32>(&flat, target, &dispersion)?,
            (Device::Cpu, Kind::Double) => fused::<f64>(&flat, target, &dispersion)?,
            _ => operations::summed(&flat, target, &dispersion)?,
        };
        Ok(summed.f_div_scalar(flat.size()[1].max(1) as f64)?)
    }

    fn expectation(&self, prediction: &Tensor, totals: Option<&Tensor>) -> Result<Tensor> {
        expectation(prediction, totals)
    }

    fn silence(&self, prediction: &Tensor, features: &Tensor, totals: &Tensor) -> Result<Tensor> {
        let means = means_of(prediction, features, totals)?;
        let dispersion = self.dispersion.of(&self.log_r)?.f_flatten(0, -1)?;
        silencing::cost(&means, &dispersion.f_index_select(0, features)?)
    }
}

impl NegativeBinomial {
    /// The prediction as n_cells × n_features, if that is what the target has.
    fn paired(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let (n_cells, n_features) = (target.features().n_cells(), self.log_r.size()[1]);
        let size = prediction.size();
        ensure!(
            size.len() >= 2
                && size[0] == n_cells
                && size[1..].iter().product::<i64>() == n_features
                && target.features().n_features() == n_features,
            "the prediction has shape {size:?} and the target {n_cells} cells × {} features, but the loss was made for \
             {n_features} features; the decoder must return one value per feature",
            target.features().n_features()
        );
        Ok(prediction.f_reshape([n_cells, n_features])?)
    }
}

/// Loss of each cell, summed over its features, with gradients that were found beside it: [n_cells].
///
/// Autograd is given the slopes G of the losses as constants: Σⱼ Gⱼ xⱼ has the gradient G, and what it is itself is
/// taken off again.
fn fused<T: Number>(prediction: &Tensor, target: &Target, dispersion: &Tensor) -> Result<Tensor> {
    let (by_prediction, by_dispersion) = (is_tracked(prediction)?, is_tracked(dispersion)?);
    let wanted = match (by_prediction, by_dispersion) {
        (false, false) => Wanted::Loss,
        (true, false) => Wanted::ByPrediction,
        (_, true) => Wanted::ByAll,
    };
    let slopes = no_grad(|| cells::slopes::<T>(prediction, target, dispersion, wanted))?;
    let mut loss = slopes.loss;
    if let Some(slope) = slopes.by_prediction.filter(|_| by_prediction) {
        loss = with_gradient_of(&loss, &sum_features(&prediction.f_mul(&slope)?)?)?;
    }
    if let Some(slope) = slopes.by_dispersion.filter(|_| by_dispersion) {
        loss = with_gradient_of(&loss, &slope.f_mv(&dispersion.f_flatten(0, -1)?)?)?;
    }
    Ok(loss)
}

component! {
    role: Loss,
    name: "negative_binomial",
    spec: NegativeBinomialSpec,
    summary: "negative binomial likelihood of raw counts, means as shares of the cell's total",
    source: "Schuster et al. 2024, Methods (multiDGD), and its code",
    example: "dispersion = \"one_plus_exp\"",
}

#[cfg(test)]
mod tests;
