//! `cithara embed`: latent rows of cells, written beside what their file holds.

use super::model::{OfInput, OpenRun, finish_copy, start_copy};
use super::unseen::NewCells;
use crate::arguments::EmbedArguments;
use crate::console::Console;
use crate::run::{CELLS_AT_A_TIME, Scene, annotate_embedding};
use anyhow::Result;
use framework::infer::{Embeddings, embed};
use registry::Catalogue;

pub(super) fn execute(arguments: &EmbedArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let mut run = OpenRun::open(&arguments.run, catalogue)?;
    let only_modality = arguments.modality.as_deref();
    only_modality.map(|name| run.modality(name)).transpose()?;
    let table = arguments.reading.table(&run.experiment, only_modality);
    let new = arguments.reading.new_data(&arguments.data, table.as_ref(), only_modality);
    let mut dataset = run.new_data(&new, console)?;
    let new_cells = NewCells { data: &new, choice: arguments.unseen_classes.map(Into::into) };
    let learned = new_cells.learn(&mut run, &mut dataset, console)?;
    dataset.ensure_all_categories().of_input()?;
    let model = &run.trained.model;
    let file = new.file(&run.experiment).open().of_input()?;
    let (mut annotator, out) = start_copy(&file, &arguments.destination)?;
    let embeddings = match learned {
        Some(rows) => Embeddings::Joint(rows),
        None => embed(model, &dataset, run.trained.device, CELLS_AT_A_TIME)?,
    };
    let scene = Scene { experiment: &run.experiment, model, dataset: &dataset, only_modality };
    annotate_embedding(&mut annotator, &file, &scene, &embeddings)?;
    finish_copy(annotator, &out, console)
}
