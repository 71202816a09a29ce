//! What commands on a run directory have in common: the run, its spec, its model, and where results go.

use crate::arguments::DestinationArguments;
use crate::console::Console;
use crate::failure::Misuse;
use crate::run::{reordered, start_device};
use anndata::{Annotator, File};
use anyhow::{Context, Result};
use framework::Alignment;
use framework::data::{DataFile, Dataset, NewData, Observations, Split};
use framework::infer::Trained;
use framework::run::{RunDirectory, read_tensors};
use framework::spec::Experiment;
use registry::{Catalogue, read_file};
use std::path::{Path, PathBuf};
use tch::Tensor;

/// Makes an error one of what the user gave: exit code 2 instead of 1.
pub trait OfInput<T> {
    /// The same result, its error that of an input.
    ///
    /// # Errors
    /// The same.
    fn of_input(self) -> Result<T>;
}

impl<T> OfInput<T> for Result<T> {
    fn of_input(self) -> Result<T> {
        self.map_err(|error| Misuse::new(crate::failure::one_line(&error)).into())
    }
}

/// A run opened for use.
pub struct OpenRun {
    /// Its directory.
    pub directory: RunDirectory,
    /// Its spec.
    pub experiment: Experiment,
    /// Its model.
    pub trained: Trained,
}

impl OpenRun {
    /// Opens a run directory; its plugins are loaded.
    ///
    /// # Errors
    /// When it is not a whole run of this program, as an error of input.
    pub fn open(path: &Path, catalogue: &Catalogue) -> Result<OpenRun> {
        let directory = RunDirectory::open(path).of_input()?;
        let experiment = read_file(&directory.file("spec.toml"), &[], catalogue)?;
        let device = start_device(&experiment.fit).of_input()?;
        let trained = Trained::open(&directory, &experiment, device).of_input()?;
        Ok(OpenRun { directory, experiment, trained })
    }

    /// The data of the run itself: its cells, prepared as they were, with the columns of obs that its spec names; and what
    /// each cell was used for.
    ///
    /// # Errors
    /// When the data are not those of the run, as an error of input.
    pub fn own_data(&self) -> Result<(Dataset, Split)> {
        let (mut dataset, _) = self.trained.data(&self.experiment, None).of_input()?;
        let subsets = self.directory.read_split().of_input()?;
        let cells: Vec<usize> =
            (0..dataset.cells.len()).filter(|&cell| subsets.contains_key(&dataset.cells[cell])).collect();
        dataset.keep(&cells)?;
        let split = Split::new(dataset.cells.iter().map(|cell| subsets[cell].1).collect());
        dataset.observations = Observations::of_experiment(&self.experiment, &dataset.cells).of_input()?;
        Ok((dataset, split))
    }

    /// The rows that the run learned or found, each space's in the order of these cells; NaN for cells that are not the
    /// run's. `None` where the run has none.
    ///
    /// # Errors
    /// When a file of the run is damaged.
    pub fn rows(&self, cells: &[String]) -> Result<Option<Vec<(String, Tensor)>>> {
        let path = self.directory.file("latents.safetensors");
        if !path.is_file() {
            return Ok(None);
        }
        let places = self.directory.read_split().of_input()?;
        let stored = read_tensors(&path).of_input()?;
        let order: Vec<Option<usize>> = cells.iter().map(|cell| places.get(cell).map(|(row, _)| *row)).collect();
        let rows = self.experiment.latents.keys().map(|name| {
            let rows = stored.get(name).with_context(|| format!("`{}` lacks the space `{name}`", path.display()))?;
            Ok((name.clone(), reordered(rows, &order)?))
        });
        rows.collect::<Result<_>>().map(Some).of_input()
    }

    /// Place of a modality in the model.
    ///
    /// # Errors
    /// When the model has none of that name, as an error of input.
    pub fn modality(&self, name: &str) -> Result<usize> {
        self.trained.model.branch(name).ok_or_else(|| {
            let names: Vec<&str> = self.experiment.modalities.keys().map(String::as_str).collect();
            Misuse::new(format!("the model has no modality `{name}`; modalities: {}", names.join(", "))).into()
        })
    }

    /// Opens new data for the model and tells how their features met the model's.
    ///
    /// # Errors
    /// When the data do not suit the model, as an error of input.
    pub fn new_data(&self, new: &NewData<'_>, console: &mut Console<'_>) -> Result<Dataset> {
        let (dataset, alignments) = self.trained.data(&self.experiment, Some(new)).of_input()?;
        for (name, alignment) in self.experiment.modalities.keys().zip(&alignments) {
            match alignment {
                None => console.note(&format!("modality {name}: not in the data"))?,
                Some(alignment) => console.note(&aligned(name, alignment))?,
            }
        }
        Ok(dataset)
    }
}

fn aligned(name: &str, alignment: &Alignment) -> String {
    let Alignment { n_found, missing, n_unknown } = alignment;
    let mut text = format!("modality {name}: {n_found} of {} features found", n_found + missing.len());
    if !missing.is_empty() {
        let first: Vec<&str> = missing.iter().take(3).map(String::as_str).collect();
        text.push_str(&format!("; {} missing and masked ({} …)", missing.len(), first.join(", ")));
    }
    if *n_unknown > 0 {
        text.push_str(&format!("; {n_unknown} unknown to the model are left aside"));
    }
    text
}

/// Starts the annotated copy of a file.
///
/// # Errors
/// When the copy exists, as an error of input.
pub fn start_copy(file: &File, destination: &DestinationArguments) -> Result<(Annotator, PathBuf)> {
    let data = file.path();
    if destination.in_place && file.is_table() {
        let text = format!("`{}` is neither .h5ad nor .h5mu, so nothing can be written into it", data.display());
        return Err(Misuse::new(text).help("name a file to be made with `--out`").into());
    }
    if destination.in_place {
        return Ok((Annotator::in_place(data).of_input()?, data.to_owned()));
    }
    let out = destination.out.clone().map_or_else(|| beside(file), Ok)?;
    if out.exists() && !destination.force {
        let text = format!("`{}` exists already", out.display());
        return Err(Misuse::new(text).help("choose another `--out` or say `--force`").into());
    }
    Ok((Annotator::copy_of_file(file, &out).of_input()?, out))
}

/// Puts the copy in its place and tells what it replaced.
///
/// # Errors
/// When the file cannot be written.
pub fn finish_copy(annotator: Annotator, out: &Path, console: &mut Console<'_>) -> Result<()> {
    let replaced = annotator.finish()?;
    if !replaced.is_empty() {
        console.note(&format!("replaced: {} (HDF5 keeps their space; `h5repack` frees it)", replaced.join(", ")))?;
    }
    console.note(&format!("written: {}", out.display()))
}

fn beside(file: &File) -> Result<PathBuf> {
    let data = DataFile::new(file.path());
    let extension = data.annotated_ending().of_input()?;
    Ok(data.path.with_file_name(format!("{}_cithara.{extension}", data.stem())))
}
