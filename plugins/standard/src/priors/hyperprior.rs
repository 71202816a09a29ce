//! What the parameters of a mixture cost: the prior over its means, variances and weights.

use super::mixture::Components;
use super::softball::Softball;
use super::{LOG_TWO_PI, log_gamma};
use crate::range;
use anyhow::{Result, ensure};
use framework::CellFacts;
use framework::component::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn, no_grad};

/// How often the prior over the parameters of a mixture counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriorCount {
    /// Once for every cell: it is part of each cell's density (as in the published code).
    #[default]
    PerCell,
    /// Once for every minibatch.
    PerMinibatch,
    /// Once for every epoch (as in the published equations): each training cell has an equal share.
    Once,
}

/// The share of a component above which it counts as used.
const USED: f64 = 0.01;

/// The numbers that the prior over a mixture's parameters is made of, as the specs name them.
#[derive(Debug, Clone, Copy)]
pub(super) struct HyperpriorForm {
    pub softball_radius: f64,
    pub softball_sharpness: f64,
    pub dirichlet_alpha: f64,
    pub sd: Option<f64>,
    pub sd_sd: f64,
}

impl HyperpriorForm {
    /// Tells numbers out of range.
    pub fn validate(&self, problems: &mut Vec<Problem>) {
        range::positive(problems, "softball_radius", self.softball_radius);
        range::positive(problems, "softball_sharpness", self.softball_sharpness);
        range::positive(problems, "dirichlet_alpha", self.dirichlet_alpha);
        if let Some(sd) = self.sd {
            range::positive(problems, "sd", sd);
        }
        range::positive(problems, "sd_sd", self.sd_sd);
    }

    /// The standard deviation that components start from.
    pub fn sd(&self, n_components: i64) -> f64 {
        self.sd.unwrap_or_else(|| rounded_sd(self.softball_radius, n_components))
    }

    pub fn softball(&self) -> Softball {
        Softball { radius: self.softball_radius, sharpness: self.softball_sharpness }
    }
}

/// 2 R / (10 K) of radius R and K components, rounded to two decimals as in the published code; not rounded where that
/// would make it 0 (from 81 components on at radius 2).
fn rounded_sd(radius: f64, n_components: i64) -> f64 {
    let exact = 2.0 * radius / (10.0 * n_components.max(1) as f64);
    // through decimals: of the shortest decimals that a double may stand for, arithmetic rounds some the other way
    let rounded = format!("{exact:.2}").parse().unwrap_or(exact);
    if rounded > 0.0 { rounded } else { exact }
}

/// −ln σ² of a standard deviation σ.
pub(super) fn neglogvar_of(sd: f64) -> f64 {
    -2.0 * sd.ln()
}

/// Where the prior over −ln σ² is centred.
#[derive(Debug)]
enum Centre {
    Fixed(f64),
    /// Moves with the number of components in use: one number, saved with the parameters.
    Adaptive(Tensor),
}

/// The prior over the parameters of a mixture: a softball over means, a normal distribution over −ln σ² and a
/// Dirichlet distribution over the weights.
#[derive(Debug)]
pub(super) struct Hyperprior {
    form: HyperpriorForm,
    centre: Centre,
    count: PriorCount,
    n_cells: i64,
}

impl Hyperprior {
    /// A prior of components that start from the standard deviation `sd`.
    pub fn new(form: HyperpriorForm, sd: f64, count: PriorCount, cells: CellFacts) -> Result<Hyperprior> {
        ensure!(
            count != PriorCount::Once || cells.n_cells > 0,
            "with `prior_count = \"once\"` every training cell has a share of the prior, but their number is not known; \
             use `per_cell` or `per_minibatch`"
        );
        Ok(Hyperprior { form, centre: Centre::Fixed(neglogvar_of(sd)), count, n_cells: cells.n_cells })
    }

    /// The same with a centre that follows the number of components in use, kept as the variable `neglogvar_centre`.
    pub fn adaptive(self, vars: &nn::Path<'_>) -> Result<Hyperprior> {
        let Centre::Fixed(start) = self.centre else { return Ok(self) };
        let mut centre = vars.f_zeros_no_train("neglogvar_centre", &[1])?;
        let _ = centre.f_fill_(start)?;
        Ok(Hyperprior { centre: Centre::Adaptive(centre), ..self })
    }

    /// The log density of the parameters: one number.
    pub fn log_density(&self, components: &Components) -> Result<Tensor> {
        let means = self.form.softball().log_density(&components.mean)?.f_sum(None::<Kind>)?;
        let weights = self.log_dirichlet(&components.log_weights()?)?;
        Ok(means + weights + self.log_normal(&components.neglogvar)?)
    }

    /// ln Γ(K α) − K ln Γ(α) + (α − 1) Σ ln π of K log weights.
    pub fn log_dirichlet(&self, log_weights: &Tensor) -> Result<Tensor> {
        let (alpha, n) = (self.form.dirichlet_alpha, log_weights.size()[0] as f64);
        let constant = log_gamma(n * alpha) - n * log_gamma(alpha);
        Ok(log_weights.f_sum(None::<Kind>)? * (alpha - 1.0) + constant)
    }

    /// Σ ln Normal(v; centre, `sd_sd`) over all entries v = −ln σ².
    pub fn log_normal(&self, neglogvar: &Tensor) -> Result<Tensor> {
        let from_centre = match &self.centre {
            Centre::Fixed(centre) => neglogvar - *centre,
            Centre::Adaptive(centre) => neglogvar.f_sub(centre)?,
        };
        let constant = -(neglogvar.numel() as f64) * (self.form.sd_sd.ln() + 0.5 * LOG_TWO_PI);
        Ok((from_centre / self.form.sd_sd).f_square()?.f_sum(None::<Kind>)? * -0.5 + constant)
    }

    /// Moves the centre to where a mixture of the components in use would start from.
    pub fn after_epoch(&self, components: &Components) -> Result<()> {
        let Centre::Adaptive(centre) = &self.centre else { return Ok(()) };
        no_grad(|| {
            let n_components = components.weight.size()[0];
            let n_used = components.log_weights()?.f_gt(USED.ln())?.f_sum(Kind::Int64)?.f_int64_value(&[])?;
            let sd = self.form.sd(if n_used == 0 { n_components } else { n_used });
            let _ = centre.shallow_clone().f_fill_(neglogvar_of(sd))?;
            Ok(())
        })
    }

    /// What a cell bears of the log density of the parameters; `None` where it bears nothing.
    pub fn share_of_cell(&self, components: &Components) -> Result<Option<Tensor>> {
        Ok(match self.count {
            PriorCount::PerCell => Some(self.log_density(components)?),
            PriorCount::PerMinibatch => None,
            PriorCount::Once => Some(self.log_density(components)? / self.n_cells as f64),
        })
    }

    /// What a minibatch bears of it; `None` where it bears nothing.
    pub fn share_of_minibatch(&self, components: &Components) -> Result<Option<Tensor>> {
        match self.count {
            PriorCount::PerMinibatch => Ok(Some(self.log_density(components)?)),
            PriorCount::PerCell | PriorCount::Once => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_deviations_are_the_published_ones() {
        let published = [(1, 0.4), (2, 0.2), (3, 0.13), (4, 0.1), (16, 0.03), (22, 0.02), (37, 0.01), (80, 0.01)];
        for (n_components, sd) in published {
            assert_eq!(rounded_sd(2.0, n_components), sd, "{n_components}");
        }
        // 0.125 is exactly between two decimals; halves go to the even one
        assert_eq!(rounded_sd(0.625, 1), 0.12);
    }

    #[test]
    fn no_number_of_components_has_a_standard_deviation_of_0() {
        assert_eq!(rounded_sd(2.0, 81), 0.4 / 81.0);
        assert!((rounded_sd(2.0, 1 << 16) - 0.4 / 65_536.0).abs() < 1e-20);
        assert_eq!(rounded_sd(0.01, 1), 0.002);
    }
}
