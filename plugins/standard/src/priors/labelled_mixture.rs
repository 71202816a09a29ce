//! Prior `labelled_mixture`: a normal distribution per class of a covariate.

use super::hyperprior::{Hyperprior, HyperpriorForm, PriorCount};
use super::mixture::{Components, Mixture, Start};
use anyhow::{Context, Result, ensure};
use framework::component::{Problem, Spec};
use framework::{LatentPrior, LatentPriorSpec, PriorContext, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, no_grad};

/// What the log density of a cell of known class is multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassFactor {
    /// The number of classes (as in the published code).
    #[default]
    AsCoded,
    /// Nothing (as in the published equation).
    None,
}

/// A mixture with one isotropic normal distribution per class of the covariate that the space stands for.
///
/// A row z of a cell of class c costs −f ln N(z; μ_c, σ²_c), with f the number of classes or 1; of a cell whose class is
/// not known −ln Σ π_c N(z; μ_c, σ²_c). To both is added a share of what the parameters cost: minus the log densities
/// of a softball over the means, of a normal distribution over −ln σ² and of a Dirichlet distribution over the weights π.
/// Rows start at the mean of their class, or at the origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LabelledMixtureSpec {
    /// What the log density of a cell of known class is multiplied by: `as_coded` (the number of classes, as in the
    /// published code) or `none` (as in the published equation).
    pub class_factor: ClassFactor,
    /// Radius R of the softball that means are drawn from, above 0. Published: 2.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub softball_radius: f64,
    /// How steeply its density falls at its surface, above 0. Published: 5.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub softball_sharpness: f64,
    /// Concentration α of the Dirichlet distribution of the weights, above 0. Published: 2.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub dirichlet_alpha: f64,
    /// Standard deviation that components start from and that the prior of their variances is centred at, above 0;
    /// where it is not given, R / (5 C) for C classes (those added later are not counted), rounded to two decimals as in
    /// the published code (and not rounded where that would make it 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub sd: Option<f64>,
    /// Standard deviation of the normal prior of −ln σ², above 0. Published: 1.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub sd_sd: f64,
    /// How often the prior over the parameters counts: `per_cell` (in each cell's density, as in the published code),
    /// `per_minibatch`, or `once` (per epoch, as in the published equations).
    pub prior_count: PriorCount,
}

impl Default for LabelledMixtureSpec {
    fn default() -> Self {
        LabelledMixtureSpec {
            class_factor: ClassFactor::AsCoded,
            softball_radius: 2.0,
            softball_sharpness: 5.0,
            dirichlet_alpha: 2.0,
            sd: None,
            sd_sd: 1.0,
            prior_count: PriorCount::PerCell,
        }
    }
}

impl Spec for LabelledMixtureSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.hyperprior().validate(&mut problems);
        problems
    }
}

impl LabelledMixtureSpec {
    fn hyperprior(&self) -> HyperpriorForm {
        HyperpriorForm {
            softball_radius: self.softball_radius,
            softball_sharpness: self.softball_sharpness,
            dirichlet_alpha: self.dirichlet_alpha,
            sd: self.sd,
            sd_sd: self.sd_sd,
        }
    }
}

#[typetag::serialize(name = "labelled_mixture")]
impl LatentPriorSpec for LabelledMixtureSpec {
    fn build(&self, context: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        Ok(Box::new(LabelledMixture::new(self, context)?))
    }
}

/// The prior of a [`LabelledMixtureSpec`].
#[derive(Debug)]
pub struct LabelledMixture {
    mixture: Mixture,
    class_factor: f64,
}

impl LabelledMixture {
    fn new(spec: &LabelledMixtureSpec, context: &PriorContext<'_>) -> Result<LabelledMixture> {
        let cells = context.cells;
        let n_classes = cells.n_classes.context(
            "this prior has a component per class of a covariate, but the space stands for none; name one, or use the \
             prior `gaussian_mixture`",
        )?;
        let n_seen = n_classes - cells.n_added;
        ensure!(
            n_seen >= 1 && cells.n_added >= 0,
            "the covariate has {n_classes} classes of which {} were added later, but at least one must be there to \
             learn from",
            cells.n_added
        );
        let form = spec.hyperprior();
        let sd = form.sd(n_seen);
        let hyperprior = Hyperprior::new(form, sd, spec.prior_count, cells)?;
        let softball = form.softball();
        let start = Start { n_components: n_classes, n_at_origin: cells.n_added, isotropic: true, softball, sd };
        let components = Components::new(context, &start)?;
        let class_factor = match spec.class_factor {
            ClassFactor::AsCoded => n_classes as f64,
            ClassFactor::None => 1.0,
        };
        Ok(LabelledMixture { mixture: Mixture { components, hyperprior, min_weight: 0.0 }, class_factor })
    }

    /// Refuses classes that are not one per cell, or that there are not.
    ///
    /// Where they are on a GPU their values are not looked at: that would wait for it.
    fn ensure_classes(&self, classes: &Tensor, n_cells: i64) -> Result<()> {
        ensure!(
            classes.kind() == Kind::Int64 && classes.size() == [n_cells],
            "classes must be {n_cells} whole numbers, one per cell, but are {:?} of shape {:?}",
            classes.kind(),
            classes.size()
        );
        if n_cells == 0 || classes.device() != Device::Cpu {
            return Ok(());
        }
        let n_classes = self.mixture.components.weight.size()[0];
        let (least, most) = (classes.f_min()?.f_int64_value(&[])?, classes.f_max()?.f_int64_value(&[])?);
        ensure!(
            least >= -1 && most < n_classes,
            "the covariate has {n_classes} classes, counted from 0 (−1 for an unknown one), but a cell is of class {}",
            if least < -1 { least } else { most }
        );
        Ok(())
    }
}

impl LatentPrior for LabelledMixture {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        self.mixture.per_cell(rows)
    }

    /// −(f ln N(z; μ_c, σ²_c) + share) where the class c is known, the cost of a mixture where it is not.
    fn per_labelled_cell(&self, rows: &Tensor, classes: &Tensor) -> Result<Tensor> {
        let log_densities = self.mixture.components.log_densities(rows)?;
        self.ensure_classes(classes, rows.size()[0])?;
        let places = classes.f_clamp_min(0)?.f_unsqueeze(1)?;
        let of_class = log_densities.f_gather(1, &places, false)?.f_squeeze_dim(1)? * self.class_factor;
        let of_any = self.mixture.log_density(&log_densities)?;
        self.mixture.cost(&of_class.f_where_self(&classes.f_ge(0)?, &of_any)?)
    }

    fn per_minibatch(&self) -> Result<Option<Tensor>> {
        self.mixture.per_minibatch()
    }

    /// The origin for every cell.
    fn initial_rows(&self, n_cells: i64, dim: i64, device: Device) -> Result<Tensor> {
        self.mixture.initial_rows(n_cells, dim, device)
    }

    /// The mean of each cell's class, the origin where that is not known; without a graph.
    fn rows_of_classes(&self, classes: &Tensor) -> Result<Option<Tensor>> {
        self.ensure_classes(&classes.f_to_device(Device::Cpu)?, classes.numel() as i64)?;
        no_grad(|| {
            let means = self.mixture.components.mean.f_index_select(0, &classes.f_clamp_min(0)?)?;
            Ok(Some(means.f_masked_fill(&classes.f_lt(0)?.f_unsqueeze(1)?, 0.0)?))
        })
    }

    /// The means of all classes.
    fn candidates(&self) -> Result<Option<Tensor>> {
        self.mixture.candidates().map(Some)
    }

    /// One column per class; without a graph.
    fn responsibilities(&self, rows: &Tensor) -> Result<Option<Tensor>> {
        self.mixture.responsibilities(rows).map(Some)
    }
}

component! {
    role: LatentPrior,
    name: "labelled_mixture",
    spec: LabelledMixtureSpec,
    summary: "a normal distribution per class of the covariate that the space stands for",
    source: "Schuster et al. 2024, Methods, equations 8 and 10, and its code",
    example: "class_factor = \"as_coded\"\nprior_count = \"per_cell\"",
}

#[cfg(test)]
mod tests;
