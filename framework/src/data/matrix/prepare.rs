//! Fitting the steps on training cells, applying them, and doing the same again for new cells.

use super::align::find_features;
use super::held::{Applied, Held, Selected, apply, nth};
use super::{MatrixModality, align_features};
use crate::modality::Alignment;
use crate::step::Step;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// What `restore` needs: the features that the steps saw, and what each step learnt.
#[derive(Debug, Serialize, Deserialize)]
struct SavedState {
    features: Vec<String>,
    steps: Vec<SavedStep>,
    /// Mean of each feature after the steps over the training cells; empty where it is not known.
    #[serde(default)]
    means: Vec<f32>,
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
        let selected = match &mut self.held {
            Held::Memory(memory) => memory.each_step(&mut self.steps, |_, step, matrix| {
                step.fit(matrix, training)?;
                apply(step, matrix)?;
                Ok(step.selected().map(<[usize]>::to_vec))
            }),
            Held::Disk(disk) => disk.fit(&mut self.steps, training),
        }?;
        self.finish_steps(selected)?;
        self.lacking.means = self.means(training)?;
        Ok(())
    }

    pub(super) fn saved_state(&self) -> serde_json::Value {
        let steps = self.steps.iter().zip(&self.selected);
        let steps = steps.map(|(step, selected)| SavedStep { selected: selected.clone(), learnt: step.state() });
        let state = SavedState {
            features: self.step_features.clone(),
            steps: steps.collect(),
            means: self.lacking.means.clone(),
        };
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
        let selected = match &mut self.held {
            Held::Memory(memory) => memory.each_step(&mut self.steps, |place, step, matrix| {
                let saved = &state.steps[place];
                step.restore(&saved.learnt)?;
                apply(step, matrix)?;
                Ok(saved.selected.clone())
            })?,
            Held::Disk(_) => {
                let n_steps = self.steps.len();
                for (place, (step, saved)) in self.steps.iter_mut().zip(&state.steps).enumerate() {
                    step.restore(&saved.learnt).with_context(|| nth(place, n_steps))?;
                }
                state.steps.into_iter().map(|saved| saved.selected).collect()
            }
        };
        self.finish_steps(selected)?;
        self.lacking.means = state.means;
        self.lacking.note(&alignment.missing, &self.features);
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

    /// The means that a saved state keeps.
    pub(super) fn means_of(state: &serde_json::Value) -> Result<Vec<f32>> {
        Ok(SavedState::deserialize(state).context("the saved state is not that of a matrix")?.means)
    }

    /// Takes the columns of `features`, in that order, whatever the file has.
    fn align_to(&mut self, features: &[String]) -> Result<Alignment> {
        let feature = self.reading.feature;
        let alignment = match &mut self.held {
            Held::Memory(memory) => {
                let (aligned, alignment) = align_features(&memory.raw, &self.features, features, feature)?;
                memory.raw = aligned;
                alignment
            }
            Held::Disk(disk) => {
                let (found, alignment) = find_features(&self.features, features, feature)?;
                disk.place_columns(&found)?;
                alignment
            }
        };
        self.features = features.to_vec();
        Ok(alignment)
    }

    /// Takes note of what steps selected; on disk, everything is looked at once.
    fn finish_steps(&mut self, selected: Vec<Selected>) -> Result<()> {
        self.step_features = self.features.clone();
        for columns in selected.iter().flatten() {
            self.features = columns.iter().map(|column| self.features[*column].clone()).collect();
        }
        (self.selected, self.prepared) = (selected, true);
        if let Held::Disk(disk) = &mut self.held {
            let applied = Applied { steps: &self.steps, selected: &self.selected, n_steps: self.steps.len() };
            disk.survey(applied)?;
        }
        Ok(())
    }
}
