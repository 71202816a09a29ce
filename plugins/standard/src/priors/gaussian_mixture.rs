//! Prior `gaussian_mixture`: rows come from a mixture of normal distributions that is learned with them.

use super::hyperprior::{Hyperprior, HyperpriorForm, PriorCount};
use super::mixture::{Components, Mixture, Start};
use anyhow::{Context, Result};
use framework::component::{Problem, Spec, require};
use framework::{LatentPrior, LatentPriorSpec, PriorContext, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

/// The most components.
const MOST: i64 = 1 << 16;
/// The probability below which components are left out where their number is only bounded.
const LEFT_OUT: f64 = 0.01;

/// The named numbers of components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComponentRule {
    /// As many as there are labels.
    Labels,
}

/// A bound on the number of components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtMost {
    /// So many are learned; those of little weight are left out of what is reported and searched. From 1 to 65536.
    #[schemars(range(min = 1, max = MOST))]
    pub at_most: i64,
}

/// The number of components: a rule, a number or a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected `labels`, a number of components such as 22, or `{ at_most = 40 }`")]
pub enum NComponents {
    /// A named rule.
    Rule(ComponentRule),
    /// That many.
    Number(#[schemars(range(min = 1, max = MOST))] i64),
    /// No more than that.
    AtMost(AtMost),
}

/// The form of a component's covariance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Covariance {
    /// A variance per dimension (as published).
    #[default]
    Diagonal,
    /// One variance for all dimensions.
    Isotropic,
}

/// A mixture of normal distributions whose means, variances and weights are learned with the rows.
///
/// A row z costs −ln Σ π_k N(z; μ_k, σ²_k), and a share of what the parameters cost: minus the log densities of a
/// softball (nearly uniform in a ball) over the means, of a normal distribution over −ln σ² and of a Dirichlet
/// distribution over the weights π. Rows start at the origin. Its optimiser is that of the spec's `[fit]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GaussianMixtureSpec {
    /// Number of components: `labels` (as many as the training cells have labels, as published; needs `data.label`), a
    /// number from 1 to 65536, or `{ at_most = 40 }` (that many, of which those of little weight are left out).
    pub n_components: NComponents,
    /// `diagonal` (a variance per dimension, as published) or `isotropic` (one per component).
    pub covariance: Covariance,
    /// Radius R of the softball that means are drawn from, above 0. Published: 2.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub softball_radius: f64,
    /// How steeply its density falls at its surface, above 0. Published: 5.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub softball_sharpness: f64,
    /// Concentration α of the Dirichlet distribution of the weights, above 0. Published: 1, and 2 for brain.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub dirichlet_alpha: f64,
    /// Standard deviation that components start from and that the prior of their variances is centred at, above 0;
    /// where it is not given, R / (5 K) for K components, rounded to two decimals as in the published code (and not
    /// rounded where that would make it 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub sd: Option<f64>,
    /// Standard deviation of the normal prior of −ln σ², above 0. Published: 1.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub sd_sd: f64,
    /// How often the prior over the parameters counts: `per_cell` (in each cell's density, as in the published code),
    /// `per_minibatch`, or `once` (per epoch, as in the published equations).
    pub prior_count: PriorCount,
    /// Whether, after each epoch, the prior of the variances is centred anew at R / (5 K), where K is the number of
    /// components of a weight π above 0.01 (as in the code of the published experiment with too many components). Not
    /// together with `sd`.
    pub adaptive: bool,
    /// Weight π, at least 0 and below 1, below which a component is left out of responsibilities and of the search for
    /// the rows of new cells; where it is not given, 0.01 with `at_most` and 0 otherwise. The heaviest always stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub min_weight: Option<f64>,
}

impl Default for GaussianMixtureSpec {
    fn default() -> Self {
        GaussianMixtureSpec {
            n_components: NComponents::Rule(ComponentRule::Labels),
            covariance: Covariance::Diagonal,
            softball_radius: 2.0,
            softball_sharpness: 5.0,
            dirichlet_alpha: 1.0,
            sd: None,
            sd_sd: 1.0,
            prior_count: PriorCount::PerCell,
            adaptive: false,
            min_weight: None,
        }
    }
}

impl Spec for GaussianMixtureSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let number = match self.n_components {
            NComponents::Rule(ComponentRule::Labels) => None,
            NComponents::Number(n) => Some((n, "n_components")),
            NComponents::AtMost(AtMost { at_most }) => Some((at_most, "n_components.at_most")),
        };
        if let Some((n, key)) = number {
            let message = format!("is {n}, but a mixture has from 1 to {MOST} components");
            require(&mut problems, (1..=MOST).contains(&n), key, message);
        }
        self.hyperprior().validate(&mut problems);
        let message = "is true, but a given `sd` does not depend on the number of components; leave one of them out";
        require(&mut problems, !(self.adaptive && self.sd.is_some()), "adaptive", message);
        if let Some(least) = self.min_weight {
            let message = format!("is {least}, but must be at least 0 and below 1");
            require(&mut problems, (0.0..1.0).contains(&least), "min_weight", message);
        }
        problems
    }
}

impl GaussianMixtureSpec {
    fn hyperprior(&self) -> HyperpriorForm {
        HyperpriorForm {
            softball_radius: self.softball_radius,
            softball_sharpness: self.softball_sharpness,
            dirichlet_alpha: self.dirichlet_alpha,
            sd: self.sd,
            sd_sd: self.sd_sd,
        }
    }

    fn n_components(&self, context: &PriorContext<'_>) -> Result<i64> {
        match self.n_components {
            NComponents::Number(n) | NComponents::AtMost(AtMost { at_most: n }) => Ok(n),
            NComponents::Rule(ComponentRule::Labels) => context.cells.n_labels.filter(|n| *n > 0).context(
                "the mixture has a component per label, but the data have no labels; set `data.label`, or `n_components` \
                 to a number",
            ),
        }
    }

    fn min_weight(&self) -> f64 {
        let bounded = matches!(self.n_components, NComponents::AtMost(_));
        self.min_weight.unwrap_or(if bounded { LEFT_OUT } else { 0.0 })
    }
}

#[typetag::serialize(name = "gaussian_mixture")]
impl LatentPriorSpec for GaussianMixtureSpec {
    fn build(&self, context: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        Ok(Box::new(GaussianMixture::new(self, context)?))
    }
}

/// The prior of a [`GaussianMixtureSpec`].
#[derive(Debug)]
pub struct GaussianMixture {
    mixture: Mixture,
}

impl GaussianMixture {
    fn new(spec: &GaussianMixtureSpec, context: &PriorContext<'_>) -> Result<GaussianMixture> {
        let (form, n_components) = (spec.hyperprior(), spec.n_components(context)?);
        let sd = form.sd(n_components);
        let fixed = Hyperprior::new(form, sd, spec.prior_count, context.cells)?;
        let isotropic = spec.covariance == Covariance::Isotropic;
        let start = Start { n_components, n_at_origin: 0, isotropic, softball: form.softball(), sd };
        let components = Components::new(context, &start)?;
        let hyperprior = if spec.adaptive { fixed.adaptive(&context.vars)? } else { fixed };
        Ok(GaussianMixture { mixture: Mixture { components, hyperprior, min_weight: spec.min_weight() } })
    }
}

impl LatentPrior for GaussianMixture {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        self.mixture.per_cell(rows)
    }

    fn per_minibatch(&self) -> Result<Option<Tensor>> {
        self.mixture.per_minibatch()
    }

    /// The origin for every cell.
    fn initial_rows(&self, n_cells: i64, dim: i64, device: Device) -> Result<Tensor> {
        self.mixture.initial_rows(n_cells, dim, device)
    }

    /// The means of the components that are not left out.
    fn candidates(&self) -> Result<Option<Tensor>> {
        self.mixture.candidates().map(Some)
    }

    /// One column per component, 0 in those left out; without a graph.
    fn responsibilities(&self, rows: &Tensor) -> Result<Option<Tensor>> {
        self.mixture.responsibilities(rows).map(Some)
    }

    fn after_epoch(&self) -> Result<()> {
        self.mixture.hyperprior.after_epoch(&self.mixture.components)
    }
}

component! {
    role: LatentPrior,
    name: "gaussian_mixture",
    spec: GaussianMixtureSpec,
    summary: "a mixture of normal distributions that is learned with the rows",
    source: "Schuster et al. 2024, Methods, equations 8 and 9, and its code",
    example: "n_components = 22\nprior_count = \"per_cell\"",
}

#[cfg(test)]
mod tests;
