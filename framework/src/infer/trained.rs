//! A trained model as its run directory keeps it.

use crate::Alignment;
use crate::data::{CellCategories, Cohort, Dataset, NewData, Observations, data_files};
use crate::model::{Dimensions, Model, build_model};
use crate::run::{Preparation, RunDirectory};
use crate::spec::Experiment;
use anyhow::Result;
use tch::Device;

/// A model with its weights, and what is needed to prepare data for it.
pub struct Trained {
    /// The model, weights read.
    pub model: Model,
    /// What was fitted to the training data, one per modality.
    pub preparations: Vec<Preparation>,
    /// The cells that it was learned from.
    pub cohort: Cohort,
    /// Where the model is.
    pub device: Device,
}

impl Trained {
    /// Builds the model of a run and reads its weights.
    ///
    /// # Errors
    /// When the run is not whole or does not belong to the experiment.
    pub fn open(run: &RunDirectory, experiment: &Experiment, device: Device) -> Result<Trained> {
        let preparations = run.read_preparations(experiment)?;
        let cohort = run.read_cohort()?;
        let dimensions: Vec<Dimensions> = preparations.iter().map(|p| p.dimensions.clone()).collect();
        let model = build_model(experiment, &dimensions, &cohort, device)?;
        run.read_weights(&model)?;
        Ok(Trained { model, preparations, cohort, device })
    }

    /// Opens data for the model: its own (`None`) or others, prepared as its training data were.
    ///
    /// # Errors
    /// When no modality of the model is found, or a cell has a category that the model does not know.
    pub fn data(
        &self,
        experiment: &Experiment,
        new: Option<&NewData<'_>>,
    ) -> Result<(Dataset, Vec<Option<Alignment>>)> {
        let states: Vec<serde_json::Value> = self.preparations.iter().map(|p| p.state.clone()).collect();
        let (mut dataset, alignments) = Dataset::open_trained(experiment, &states, new)?;
        let columns: Vec<String> = self.cohort.conditions.iter().map(|known| known.column.clone()).collect();
        if !columns.is_empty() {
            let files = new.map_or_else(|| data_files(experiment), |new| Ok(vec![new.file(experiment)]))?;
            let found = Observations::find(&files, &dataset.cells, &columns)?;
            dataset.categories = CellCategories::all(experiment, &self.cohort, &dataset.cells, &found)?;
        }
        Ok((dataset, alignments))
    }

    /// Mean total of raw counts per training cell of a modality.
    pub fn usual_total(&self, modality: usize) -> f64 {
        let dimensions = &self.preparations[modality].dimensions;
        let n_cells = dimensions.training.n_entries / dimensions.shape.n_features().max(1) as f64;
        dimensions.training.raw_sum / n_cells.max(1.0)
    }
}
