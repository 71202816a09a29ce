//! Guarded steps.

use super::Guarded;
use crate::step::TrainingBlocks;
use crate::{Step, StepSpec};
use anndata::Csr;
use anyhow::{Context, Result};
use serde::Serialize;

impl<S: StepSpec + Serialize> StepSpec for Guarded<S> {
    fn typetag_name(&self) -> &'static str {
        self.guard.name
    }

    fn build(&self) -> Result<Box<dyn Step>> {
        let built = self.attempt(StepSpec::build)?;
        Ok(Box::new(Guarded::new(self.guard, built)))
    }
}

impl Step for Guarded<dyn Step> {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        self.attempt_mut(|step| step.fit(matrix, training))
    }

    fn fit_blocks(&mut self, blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        let name = self.guard.name;
        self.attempt_mut(|step| step.fit_blocks(blocks).with_context(|| format!("step `{name}`")))
    }

    fn selected(&self) -> Option<&[usize]> {
        self.or(None, Step::selected)
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        self.attempt(|step| step.apply(matrix))
    }

    fn state(&self) -> serde_json::Value {
        self.or(serde_json::Value::Null, Step::state)
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        self.attempt_mut(|step| step.restore(state))
    }
}
