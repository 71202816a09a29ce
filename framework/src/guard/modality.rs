//! Guarded modalities.

use super::Guarded;
use crate::data::{Augmentation, MatrixModality};
use crate::{
    Alignment, Defaults, FeatureShape, Gathered, Modality, ModalitySpec, Source, Statistics, Step, TargetValues,
};
use anyhow::Result;
use serde::Serialize;

/// What stands for the defaults of a modality that panicked over them.
fn no_defaults() -> Defaults {
    Defaults { steps: Vec::new(), encoder: ("", ""), decoder: ("", ""), loss: ("", "") }
}

impl<S: ModalitySpec + Serialize> ModalitySpec for Guarded<S> {
    fn typetag_name(&self) -> &'static str {
        self.guard.name
    }

    fn open(&self, source: &Source<'_>, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        let opened = self.attempt(|spec| {
            let opened = spec.open(source, steps)?;
            // A panic over these is told now, where it can be.
            let _ = (opened.cells().len(), opened.features().len(), opened.shape(), opened.n_bytes());
            Ok(opened)
        })?;
        Ok(Box::new(Guarded::new(self.guard, opened)))
    }

    fn defaults(&self) -> Defaults {
        self.or(no_defaults(), ModalitySpec::defaults)
    }

    fn published_defaults(&self) -> Defaults {
        self.or(no_defaults(), ModalitySpec::published_defaults)
    }

    fn augmentation(&self) -> Option<Augmentation> {
        self.or(None, ModalitySpec::augmentation)
    }
}

impl Modality for Guarded<dyn Modality> {
    fn cells(&self) -> &[String] {
        self.or(&[], Modality::cells)
    }

    fn features(&self) -> &[String] {
        self.or(&[], Modality::features)
    }

    fn shape(&self) -> FeatureShape {
        self.or(FeatureShape::Vector(0), Modality::shape)
    }

    fn filter_round(&mut self, kept: &[bool]) -> Result<Vec<bool>> {
        self.attempt_mut(|modality| modality.filter_round(kept))
    }

    fn cell_of_rows(&self) -> Option<Vec<usize>> {
        self.or(None, Modality::cell_of_rows)
    }

    fn keep_cells(&mut self, rows: &[usize]) -> Result<()> {
        self.attempt_mut(|modality| modality.keep_cells(rows))
    }

    fn as_matrix(&self) -> Option<&MatrixModality> {
        self.or(None, Modality::as_matrix)
    }

    fn prepare(&mut self, training: &[usize]) -> Result<()> {
        self.attempt_mut(|modality| modality.prepare(training))
    }

    fn state(&self) -> serde_json::Value {
        self.or(serde_json::Value::Null, Modality::state)
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<Alignment> {
        self.attempt_mut(|modality| modality.restore(state))
    }

    fn lacking(&self) -> &[i64] {
        self.or(&[], Modality::lacking)
    }

    fn statistics(&self, rows: &[usize]) -> Result<Statistics> {
        self.attempt(|modality| modality.statistics(rows))
    }

    fn check_target(&self, values: TargetValues) -> Result<()> {
        self.attempt(|modality| modality.check_target(values))
    }

    fn read_ahead(&self, rows: &[usize]) {
        self.or((), |modality| modality.read_ahead(rows));
    }

    fn gather(&self, rows: &[usize], values: TargetValues) -> Result<Gathered> {
        self.attempt(|modality| modality.gather(rows, values))
    }

    fn n_bytes(&self) -> u64 {
        self.or(0, Modality::n_bytes)
    }
}
