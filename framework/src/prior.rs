//! Priors: which latent rows are plausible.

use crate::component::Spec;
use anyhow::Result;
use tch::{Device, Kind, Tensor, nn};

/// What a prior is told when it is built.
#[derive(Debug)]
pub struct PriorContext<'a> {
    /// Where its parameters are kept, if it has any.
    pub vars: nn::Path<'a>,
    /// Numbers per latent row.
    pub dim: i64,
}

/// A prior over the rows of one latent space.
pub trait LatentPrior: Send {
    /// What a row costs: [n_cells], in the units of the objective.
    ///
    /// # Errors
    /// When the rows do not have the width that it was built for.
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor>;

    /// What the prior's own parameters cost, once per minibatch; `None` where it has none.
    ///
    /// # Errors
    /// When its parameters cannot be evaluated.
    fn per_minibatch(&self) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// What a variational posterior costs: divergence of normal(mean, exp(log_sd)) from the prior, [n_cells].
    ///
    /// # Errors
    /// When the prior has no such divergence.
    fn divergence(&self, _mean: &Tensor, _log_sd: &Tensor) -> Result<Tensor> {
        anyhow::bail!("this prior has no divergence from a normal posterior; use the prior `standard_normal`")
    }

    /// Rows to start from: n_cells × dim, independent standard normal unless the prior knows better.
    ///
    /// # Errors
    /// When there is no memory for them.
    fn initial_rows(&self, n_cells: i64, dim: i64, device: Device) -> Result<Tensor> {
        Ok(Tensor::f_randn([n_cells, dim], (Kind::Float, device))?)
    }
}

/// The table that a prior is built from.
#[typetag::serialize(tag = "kind")]
pub trait LatentPriorSpec: Spec {
    /// Makes the prior.
    ///
    /// # Errors
    /// When it cannot work in this many dimensions.
    fn build(&self, context: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>>;
}
