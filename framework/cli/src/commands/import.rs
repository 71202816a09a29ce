//! `cithara import`: a model that another program learned, made a run.

use super::model::OfInput;
use super::run::components;
use crate::arguments::{ImportCommand, ImportMultidgdArguments};
use crate::console::Console;
use crate::failure::Misuse;
use crate::import::{
    Checkpoint, Hyperparameters, check_data, check_order, model_of, reconstruction, rows_of_cells, spec_of,
};
use crate::run::{Built, Request, begin, check_targets, start_device};
use anyhow::{Result, bail};
use framework::data::{Dataset, Opened, Subset};
use framework::run::write_atomically;
use framework::spec::Experiment;
use registry::{Catalogue, Written, read};
use std::sync::atomic::AtomicBool;

pub(super) fn execute(command: &ImportCommand, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    match command {
        ImportCommand::Multidgd(arguments) => multidgd(arguments, catalogue, console),
    }
}

fn multidgd(arguments: &ImportMultidgdArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let hyperparameters = Hyperparameters::read(&arguments.hyperparameters).of_input()?;
    let mut checkpoint = Checkpoint::read(&arguments.model).of_input()?;
    let experiment = spec(arguments, &hyperparameters, catalogue)?;
    let device = start_device(&experiment.fit).of_input()?;
    let started_secs = crate::run::now_secs();
    let model = model_of(&experiment, &hyperparameters, &mut checkpoint, device).of_input()?;
    let Opened { dataset, split, cohort } = Dataset::open_for_training(&experiment).of_input()?;
    check_data(&hyperparameters, &model, (&dataset, &cohort)).of_input()?;
    check_order(&dataset, &arguments.data).of_input()?;
    check_targets(&model, &dataset).of_input()?;
    let rows = rows_of_cells(&model, &mut checkpoint, (&dataset, &split), device).of_input()?;
    let training = split.of(Subset::Training);
    let loss = reconstruction(&model, &rows.tables, (&dataset, &training), device)?;
    let dimensions = dataset.dimensions(&training)?;
    let request = Request {
        experiment: &experiment,
        overrides: &[],
        command: std::env::args().collect(),
        out: &arguments.out,
        force: arguments.force,
        components: components(&experiment, catalogue)?,
        interrupted: &AtomicBool::new(false),
        prepared: None,
        max_memory: None,
    };
    let built = Built { dataset, split, cohort, dimensions, model, device, started_secs };
    begin(&request, built).of_input()?.keep(&rows.tables)?;
    if rows.n_mapped > 0 {
        console.note(&format!("rows of {} test cells are not in the checkpoint: found anew", rows.n_mapped))?;
    }
    let n_numbers = training.len() as f64 * hyperparameters.n_features_per_modality.iter().sum::<i64>() as f64;
    console.print(&format!(
        "reconstruction of {} training cells: {loss:.6} in all, {:.6} per cell and feature",
        training.len(),
        loss / n_numbers
    ))?;
    console
        .note("the checkpoint names no features: that they are those of the data, in this order, cannot be checked")?;
    console.note(&format!("run: {}", arguments.out.display()))
}

/// The experiment of the model, its spec written where that was asked for.
fn spec(
    arguments: &ImportMultidgdArguments,
    hyperparameters: &Hyperparameters,
    catalogue: &Catalogue,
) -> Result<Experiment> {
    let text = spec_of(hyperparameters, &arguments.data).of_input()?;
    let path = arguments.model.with_extension("toml");
    let experiment = read(&Written { path: &path, text: &text, overrides: &[] }, catalogue)?;
    if let Some(path) = &arguments.spec {
        if path.exists() && !arguments.force {
            bail!(
                Misuse::new(format!("`{}` exists already", path.display()))
                    .help("choose another name or say `--force`")
            );
        }
        write_atomically(path, text.as_bytes())?;
    }
    Ok(experiment)
}
