//! `cithara embed`: latent rows of cells, written beside what their file holds.

use super::model::{OfInput, OpenRun, finish_copy, start_copy};
use super::unseen::NewCells;
use crate::arguments::EmbedArguments;
use crate::console::Console;
use crate::run::{CELLS_AT_A_TIME, Scene, annotate_embedding};
use anndata::File;
use anyhow::Result;
use framework::data::NewData;
use framework::infer::{Embeddings, embed};
use registry::Catalogue;

pub(super) fn execute(arguments: &EmbedArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let mut run = OpenRun::open(&arguments.run, catalogue)?;
    let only_modality = arguments.modality.as_deref();
    only_modality.map(|name| run.modality(name)).transpose()?;
    let mut dataset = run.new_data(&NewData { path: &arguments.data, modality: only_modality }, console)?;
    let new_cells = NewCells { path: &arguments.data, choice: arguments.unseen_classes.map(Into::into) };
    let learned = new_cells.learn(&mut run, &mut dataset, console)?;
    dataset.ensure_all_categories().of_input()?;
    let model = &run.trained.model;
    let (mut annotator, out) = start_copy(&arguments.data, &arguments.destination)?;
    let embeddings = match learned {
        Some(rows) => Embeddings::Joint(rows),
        None => embed(model, &dataset, run.trained.device, CELLS_AT_A_TIME)?,
    };
    let scene = Scene { experiment: &run.experiment, model, dataset: &dataset, only_modality };
    annotate_embedding(&mut annotator, &File::open(&arguments.data).of_input()?, &scene, &embeddings)?;
    finish_copy(annotator, &out, console)
}
