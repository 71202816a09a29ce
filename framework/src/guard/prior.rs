//! Guarded priors.

use super::Guarded;
use crate::{LatentPrior, LatentPriorSpec, PriorContext};
use anyhow::Result;
use serde::Serialize;
use tch::{Device, Tensor};

impl<S: LatentPriorSpec + Serialize> LatentPriorSpec for Guarded<S> {
    fn typetag_name(&self) -> &'static str {
        self.guard.name
    }

    fn build(&self, context: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        let built = self.attempt(|spec| spec.build(context))?;
        Ok(Box::new(Guarded::new(self.guard, built)))
    }
}

impl LatentPrior for Guarded<dyn LatentPrior> {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        self.attempt(|prior| prior.per_cell(rows))
    }

    fn per_labelled_cell(&self, rows: &Tensor, classes: &Tensor) -> Result<Tensor> {
        self.attempt(|prior| prior.per_labelled_cell(rows, classes))
    }

    fn per_minibatch(&self) -> Result<Option<Tensor>> {
        self.attempt(LatentPrior::per_minibatch)
    }

    fn divergence(&self, mean: &Tensor, log_sd: &Tensor) -> Result<Tensor> {
        self.attempt(|prior| prior.divergence(mean, log_sd))
    }

    fn initial_rows(&self, n_cells: i64, dim: i64, device: Device) -> Result<Tensor> {
        self.attempt(|prior| prior.initial_rows(n_cells, dim, device))
    }

    fn rows_of_classes(&self, classes: &Tensor) -> Result<Option<Tensor>> {
        self.attempt(|prior| prior.rows_of_classes(classes))
    }

    fn candidates(&self) -> Result<Option<Tensor>> {
        self.attempt(LatentPrior::candidates)
    }

    fn responsibilities(&self, rows: &Tensor) -> Result<Option<Tensor>> {
        self.attempt(|prior| prior.responsibilities(rows))
    }

    fn after_epoch(&self) -> Result<()> {
        self.attempt(LatentPrior::after_epoch)
    }
}
