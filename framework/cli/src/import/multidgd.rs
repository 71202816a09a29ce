//! A multiDGD model (Schuster et al. 2024) made one of ours: its parameters, and the rows of its cells.

use super::checkpoint::Checkpoint;
use super::hyperparameters::Hyperparameters;
use super::names::Names;
use super::spec::{modality_names, spec_text};
use anndata::{File, Kind};
use anyhow::{Context, Result, ensure};
use framework::data::{Classes, Cohort, Dataset, Subset};
use framework::model::{Dimensions, Model, build_model};
use framework::spec::Experiment;
use framework::{FeatureShape, Statistics};
use std::collections::BTreeSet;
use std::path::Path;
use tch::{Device, no_grad};

/// The spec of a model on data: a `.h5mu` with the modalities that it names, or a `.h5ad` of its only one.
///
/// # Errors
/// When the data are others.
pub fn spec_of(model: &Hyperparameters, data: &Path) -> Result<String> {
    let file = File::open(data)?;
    ensure!(
        file.kind() == Kind::H5mu || model.modalities.len() == 1,
        "`{}` holds one matrix, but the model has the modalities {}; write each as a modality of that name of one .h5mu",
        data.display(),
        model.modalities.join(", ")
    );
    let columns: BTreeSet<String> = file.obs().column_names().into_iter().map(str::to_owned).collect();
    spec_text(model, data, &columns).with_context(|| format!("`{}`", data.display()))
}

/// Builds the model and takes its parameters out of a checkpoint.
///
/// # Errors
/// When a parameter is missing or has another shape.
pub fn model_of(
    experiment: &Experiment,
    hyperparameters: &Hyperparameters,
    checkpoint: &mut Checkpoint,
    device: Device,
) -> Result<Model> {
    let dimensions: Vec<Dimensions> = hyperparameters.n_features_per_modality.iter().map(|&n| unknown(n)).collect();
    let model = build_model(experiment, &dimensions, &cohort_of(experiment, checkpoint)?, device)?;
    let names = modality_names(hyperparameters);
    let n_hidden = hyperparameters.n_hidden_modality.max(1) as usize - 1;
    let names = Names { modalities: names.iter().map(String::as_str).collect(), n_hidden };
    for (ours, mut parameter) in model.variables() {
        let values = checkpoint.take(&names.published(&ours)?, &parameter.size())?;
        no_grad(|| parameter.copy_(&values));
    }
    checkpoint.discard("trained_status");
    checkpoint.discard("_trained_status");
    Ok(model)
}

/// A modality of which only the number of features is known.
fn unknown(n_features: i64) -> Dimensions {
    let shape = FeatureShape::Vector(n_features);
    Dimensions { shape, training: Statistics::default(), all: Statistics::default() }
}

/// As many classes as the checkpoint has components for them; it does not name them.
fn cohort_of(experiment: &Experiment, checkpoint: &Checkpoint) -> Result<Cohort> {
    let mut classes = Vec::new();
    for entry in experiment.latents.values() {
        classes.push(match &entry.covariate {
            None => None,
            Some(column) => {
                let size =
                    checkpoint.size("correction_gmm.mean").context("the checkpoint lacks `correction_gmm.mean`")?;
                let n_classes = *size.first().context("`correction_gmm.mean` of the checkpoint is one number")?;
                let names = (0..n_classes).map(|class| class.to_string()).collect();
                Some(Classes { column: column.clone(), names, n_added: 0 })
            }
        });
    }
    Ok(Cohort { n_cells: 0, n_labels: None, classes, conditions: Vec::new() })
}

/// Refuses data that cannot be those of the model: it knows numbers of features and classes, not their names.
///
/// # Errors
/// Saying what differs.
pub fn check_data(model: &Hyperparameters, components: &Model, (dataset, cohort): (&Dataset, &Cohort)) -> Result<()> {
    for (assay, n) in dataset.assays.iter().zip(&model.n_features_per_modality) {
        let n_found = assay.modality.shape().n_features();
        ensure!(
            n_found == *n,
            "the modality `{}` has {n_found} features, but the model was learned from {n}; a checkpoint holds no names of \
             features, so the data must be those that it was learned from, features in the same order",
            assay.name
        );
    }
    for (space, classes) in components.spaces.iter().zip(&cohort.classes) {
        let Some(classes) = classes else { continue };
        let n_components = space.prior.candidates()?.map_or(0, |means| means.size()[0]);
        ensure!(
            n_components as usize == classes.names.len(),
            "the model has components for {n_components} classes, but the training cells have {} in the column `{}` ({})",
            classes.names.len(),
            classes.column,
            classes.names.join(", ")
        );
    }
    Ok(())
}

/// Refuses cells in another order than that of the file's obs, in which the checkpoint has their rows.
///
/// # Errors
/// When the modalities order or name them otherwise.
pub fn check_order(dataset: &Dataset, data: &Path) -> Result<()> {
    let file = File::open(data)?;
    ensure!(
        file.obs().index() == dataset.cells,
        "the modalities of `{}` do not have the cells of its obs in the same order, in which the checkpoint has their rows; \
         order them alike",
        data.display()
    );
    Ok(())
}

/// What the checkpoint calls the rows of each subset: basal, and of the covariate.
pub(super) const ROWS: [(Subset, [&str; 2]); 3] = [
    (Subset::Training, ["representation.z", "correction_rep.z"]),
    (Subset::Validation, ["validation_rep.z", "correction_val_rep.z"]),
    (Subset::Test, ["test_rep.z", "correction_test_rep.z"]),
];
