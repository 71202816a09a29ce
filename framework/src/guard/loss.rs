//! Guarded losses.

use super::Guarded;
use crate::{Loss, LossContext, LossSpec, Target, TargetValues};
use anyhow::Result;
use serde::Serialize;
use tch::Tensor;

impl<S: LossSpec + Serialize> LossSpec for Guarded<S> {
    fn typetag_name(&self) -> &'static str {
        self.guard.name
    }

    fn build(&self, context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        let built = self.attempt(|spec| spec.build(context))?;
        Ok(Box::new(Guarded::new(self.guard, built)))
    }
}

impl Loss for Guarded<dyn Loss> {
    fn target(&self) -> TargetValues {
        self.or(TargetValues::Processed, Loss::target)
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        self.attempt(|loss| loss.per_cell(prediction, target))
    }

    fn expectation(&self, prediction: &Tensor, totals: Option<&Tensor>) -> Result<Tensor> {
        self.attempt(|loss| loss.expectation(prediction, totals))
    }

    fn silence(&self, prediction: &Tensor, features: &Tensor, totals: &Tensor) -> Result<Tensor> {
        self.attempt(|loss| loss.silence(prediction, features, totals))
    }
}
