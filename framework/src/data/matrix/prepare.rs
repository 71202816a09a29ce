//! Fitting the steps on training cells, applying them, and doing the same again for new cells.

use super::{MatrixModality, align_features};
use crate::modality::Alignment;
use crate::step::Step;
use anndata::Csr;
use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The columns that a step kept, if it selects.
type Selected = Option<Vec<usize>>;

/// What `restore` needs: the features that the steps saw, and what each step learnt.
#[derive(Debug, Serialize, Deserialize)]
struct SavedState {
    features: Vec<String>,
    steps: Vec<SavedStep>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedStep {
    /// Columns that the step kept of those that it saw, if it selects.
    selected: Option<Vec<usize>>,
    learnt: serde_json::Value,
}

impl MatrixModality {
    pub(super) fn fit_steps(&mut self, training: &[usize]) -> Result<()> {
        ensure!(!training.is_empty(), "there are no training cells to fit the steps on");
        self.start_steps();
        self.each_step(|_, step, matrix| {
            step.fit(matrix, training)?;
            apply(step, matrix)?;
            Ok(step.selected().map(<[usize]>::to_vec))
        })
    }

    pub(super) fn saved_state(&self) -> serde_json::Value {
        let steps = self.steps.iter().zip(&self.selected);
        let steps = steps.map(|(step, selected)| SavedStep { selected: selected.clone(), learnt: step.state() });
        let state = SavedState { features: self.step_features.clone(), steps: steps.collect() };
        serde_json::to_value(state).unwrap_or_default()
    }

    pub(super) fn restore_state(&mut self, state: &serde_json::Value) -> Result<Alignment> {
        let state = SavedState::deserialize(state).context("the saved state is not that of a matrix")?;
        ensure!(
            state.steps.len() == self.steps.len(),
            "the saved state has {} steps, but the spec has {}",
            state.steps.len(),
            self.steps.len()
        );
        let alignment = self.align_to(&state.features)?;
        self.start_steps();
        self.each_step(|place, step, matrix| {
            let saved = &state.steps[place];
            step.restore(&saved.learnt)?;
            apply(step, matrix)?;
            Ok(saved.selected.clone())
        })?;
        Ok(alignment)
    }

    /// Lets steps learn what a saved state says; returns the features that they saw, and which columns each kept.
    pub(super) fn restore_steps(
        steps: &mut [Box<dyn Step>],
        state: &serde_json::Value,
    ) -> Result<(Vec<String>, Vec<Selected>)> {
        let state = SavedState::deserialize(state).context("the saved state is not that of a matrix")?;
        ensure!(state.steps.len() == steps.len(), "the state is of {} steps, not {}", state.steps.len(), steps.len());
        for (step, saved) in steps.iter_mut().zip(&state.steps) {
            step.restore(&saved.learnt)?;
        }
        Ok((state.features, state.steps.into_iter().map(|step| step.selected).collect()))
    }

    /// Takes the columns of `features`, in that order, whatever the file has.
    fn align_to(&mut self, features: &[String]) -> Result<Alignment> {
        let (aligned, alignment) = align_features(&self.raw, &self.features, features, self.reading.feature)?;
        self.raw = aligned;
        self.features = features.to_vec();
        Ok(alignment)
    }

    fn start_steps(&mut self) {
        self.step_features = self.features.clone();
        if !self.steps.is_empty() {
            self.values = self.raw.values.clone();
        }
        self.prepared = true;
    }

    /// Runs `work` with each step on the processed values; it returns the columns to keep.
    fn each_step(&mut self, work: impl Fn(usize, &mut dyn Step, &mut Csr) -> Result<Option<Vec<usize>>>) -> Result<()> {
        let mut steps = std::mem::take(&mut self.steps);
        let result = steps.iter_mut().enumerate().try_for_each(|(place, step)| {
            let selected = self
                .with_processed(|matrix| work(place, step.as_mut(), matrix))
                .with_context(|| format!("step {} of {}", place + 1, self.selected.len()))?;
            if let Some(columns) = &selected {
                self.replace(|matrix| matrix.select_columns(columns))?;
                self.features = columns.iter().map(|column| self.features[*column].clone()).collect();
            }
            self.selected[place] = selected;
            Ok(())
        });
        self.steps = steps;
        result
    }
}

/// Applies a step and refuses what no step may do: change which entries are stored, or leave values that are not
/// finite.
fn apply(step: &dyn Step, matrix: &mut Csr) -> Result<()> {
    let (n_rows, n_columns, n_stored) = (matrix.n_rows, matrix.n_columns, matrix.n_stored());
    step.apply(matrix)?;
    let unchanged = (matrix.n_rows, matrix.n_columns) == (n_rows, n_columns)
        && (matrix.values.len(), matrix.indices.len()) == (n_stored, n_stored);
    ensure!(unchanged, "the step changed which entries are stored, which no step may do");
    let wrong = matrix.values.par_iter().position_first(|value| !value.is_finite());
    ensure!(wrong.is_none(), "the step leaves values that are not finite");
    Ok(())
}
