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
    /// What is known of the cells that it is learned from.
    pub cells: CellFacts,
}

/// What a prior is told of the cells that it is learned from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CellFacts {
    /// Training cells; 0 where it is not known.
    pub n_cells: i64,
    /// Distinct labels (`data.label`) of the training cells, where the data have labels.
    pub n_labels: Option<i64>,
    /// Classes of the covariate that the space stands for; `None` for a space of no covariate.
    pub n_classes: Option<i64>,
    /// How many of them, the last ones, were added after learning, for cells of a class that it had not seen.
    pub n_added: i64,
}

/// A prior over the rows of one latent space.
pub trait LatentPrior: Send {
    /// What a row costs: [n_cells], in the units of the objective.
    ///
    /// # Errors
    /// When the rows do not have the width that it was built for.
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor>;

    /// What rows of cells cost whose classes of the space's covariate are known: [n_cells].
    ///
    /// `classes` (i64, [n_cells]) counts from 0; −1 where a cell's class is not known. Without regard to them unless the
    /// prior says otherwise.
    ///
    /// # Errors
    /// As [`per_cell`](LatentPrior::per_cell), or when there is no such class.
    fn per_labelled_cell(&self, rows: &Tensor, _classes: &Tensor) -> Result<Tensor> {
        self.per_cell(rows)
    }

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

    /// Rows to start from for cells whose classes are known (i64, [n_cells], −1 for unknown): n_cells × dim; `None` where
    /// classes say nothing of them.
    ///
    /// # Errors
    /// When there is no such class.
    fn rows_of_classes(&self, _classes: &Tensor) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Rows of which the search for the row of a new cell tries each: n_candidates × dim; `None` where it starts at zero.
    ///
    /// # Errors
    /// When the prior's parameters cannot be read.
    fn candidates(&self) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// How probable it is that a row belongs to each component: n_cells × n_components, rows summing to 1; `None` for a
    /// prior without components.
    ///
    /// # Errors
    /// When the rows do not have the width that it was built for.
    fn responsibilities(&self, _rows: &Tensor) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Is called after every epoch of learning, for priors that adapt to what was learned.
    ///
    /// # Errors
    /// When the prior's parameters cannot be read.
    fn after_epoch(&self) -> Result<()> {
        Ok(())
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
