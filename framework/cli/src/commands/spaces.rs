//! What commands that look into latent spaces have in common: the spaces that are asked for, labels, annotated files.

use super::model::{OfInput, OpenRun};
use crate::console::Console;
use crate::failure::Misuse;
use crate::interpret::SpaceOfCells;
use crate::run::annotated_names;
use anndata::{Annotator, File};
use anyhow::Result;
use framework::data::{Dataset, Observations, data_files};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The spaces that were asked for, by their own name or that of the latent space.
///
/// # Errors
/// When there is no such space, or none at all, as an error of input.
pub(super) fn chosen_spaces(spaces: Vec<SpaceOfCells>, asked: &[String]) -> Result<Vec<SpaceOfCells>> {
    let is = |space: &SpaceOfCells, name: &String| space.name == *name || space.space == *name;
    let unknown = asked.iter().find(|name| !spaces.iter().any(|space| is(space, name)));
    if let Some(name) = unknown {
        let known: Vec<&str> = spaces.iter().map(|space| space.name.as_str()).collect();
        let text = format!("the run has no rows of a space `{name}`; spaces: {}", known.join(", "));
        return Err(Misuse::new(text).into());
    }
    if spaces.is_empty() {
        return Err(Misuse::new("the run has no latent rows: it was not learned".to_owned()).into());
    }
    Ok(spaces.into_iter().filter(|space| asked.is_empty() || asked.iter().any(|name| is(space, name))).collect())
}

/// The label of the spec, those of its evaluation, and the covariates of its latent spaces.
pub(super) fn labels_of_spec(run: &OpenRun) -> Vec<String> {
    let experiment = &run.experiment;
    let mut names: Vec<String> = experiment.data.label.iter().chain(&experiment.evaluate.labels).cloned().collect();
    names.extend(run.trained.cohort.classes.iter().flatten().map(|classes| classes.column.clone()));
    names
}

/// Columns of obs as texts, each once.
///
/// # Errors
/// When obs has no such column, as an error of input.
pub(super) fn label_columns(
    run: &OpenRun,
    dataset: &Dataset,
    names: &[String],
) -> Result<Vec<(String, Vec<Option<String>>)>> {
    let mut columns: Vec<(String, Vec<Option<String>>)> = Vec::new();
    for name in names {
        if !columns.iter().any(|(known, _)| known == name) {
            columns.push((name.clone(), column_of_obs(run, dataset, name)?));
        }
    }
    Ok(columns)
}

/// A column of obs as texts, by cell of the data set.
///
/// # Errors
/// When obs has no such column, as an error of input.
pub(super) fn column_of_obs(run: &OpenRun, dataset: &Dataset, name: &str) -> Result<Vec<Option<String>>> {
    let files = data_files(&run.experiment).of_input()?;
    let observations = Observations::read_any(&files, &dataset.cells, &[name.to_owned()]).of_input()?;
    Ok(observations.column(name)?.to_vec())
}

/// Names of the classes of a column, ascending, and the class of each cell.
pub(super) fn classes_of(column: &[Option<String>]) -> (Vec<String>, Vec<Option<u32>>) {
    let names: BTreeSet<&str> = column.iter().flatten().map(String::as_str).collect();
    let codes: HashMap<&str, u32> = names.iter().copied().zip(0..).collect();
    let of = column.iter().map(|value| codes.get(value.as_deref()?).copied()).collect();
    (names.into_iter().map(str::to_owned).collect(), of)
}

/// Where results go: the folder that was named, or one of the run; `file` says that an earlier call wrote `what` there.
///
/// # Errors
/// When one did and must not be replaced, as an error of input.
pub(super) fn results_folder(
    run: &OpenRun,
    (out, name): (Option<&Path>, &str),
    (file, what): (&str, &str),
    force: bool,
) -> Result<PathBuf> {
    let folder = out.map_or_else(|| run.directory.file(name), Path::to_owned);
    if folder.join(file).exists() && !force {
        let text = format!("`{}` holds {what} already", folder.display());
        return Err(Misuse::new(text).help("choose another `--out` or say `--force`").into());
    }
    Ok(folder)
}

/// Adds something to each annotated file of a run, where there are any.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn annotate_each(
    run: &OpenRun,
    console: &mut Console<'_>,
    mut add: impl FnMut(&mut Annotator, &File) -> Result<()>,
) -> Result<()> {
    let files = data_files(&run.experiment)?;
    let annotated: Vec<PathBuf> =
        annotated_names(&files)?.iter().map(|name| run.directory.file(name)).filter(|path| path.is_file()).collect();
    for path in annotated {
        let file = File::open(&path)?;
        let mut annotator = Annotator::in_place(&path)?;
        add(&mut annotator, &file)?;
        drop(file);
        annotator.finish()?;
        console.note(&format!("annotated: {}", path.display()))?;
    }
    Ok(())
}
