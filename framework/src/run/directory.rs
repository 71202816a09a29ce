//! Writing a run directory and reading it back.

use super::{Provenance, RunCells, read_tensors, write_tensors};
use crate::data::{Assay, Cohort, Dataset, Split, Subset};
use crate::latent::LatentTable;
use crate::model::{Dimensions, Model};
use crate::spec::Experiment;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tch::{Tensor, no_grad};

/// What was fitted to the data of one modality, enough to prepare new data alike and to build the model again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Preparation {
    /// Name of the modality.
    pub modality: String,
    /// Shape and totals.
    pub dimensions: Dimensions,
    /// The modality's own state.
    pub state: serde_json::Value,
}

/// The file that says where a run comes from.
const PROVENANCE: &str = "provenance.json";

/// A run on disk.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes an empty run directory.
    ///
    /// # Errors
    /// When there is one already and `force` is not set.
    pub fn create(path: &Path, force: bool) -> Result<RunDirectory> {
        if path.exists() {
            let is_run = path.join("spec.toml").is_file();
            let is_empty = path.is_dir() && std::fs::read_dir(path)?.next().is_none();
            ensure!(
                force || is_empty,
                "`{}` exists already; choose another `--out`, or replace it with `--force`",
                path.display()
            );
            ensure!(
                is_run || is_empty,
                "`{}` is not a run directory, so `--force` does not replace it",
                path.display()
            );
            std::fs::remove_dir_all(path).with_context(|| format!("`{}` cannot be removed", path.display()))?;
        }
        std::fs::create_dir_all(path.join("features"))
            .with_context(|| format!("`{}` cannot be made", path.display()))?;
        Ok(RunDirectory { path: path.to_owned() })
    }

    /// Opens a run directory.
    ///
    /// # Errors
    /// When it is not one.
    pub fn open(path: &Path) -> Result<RunDirectory> {
        let is_run = path.join("spec.toml").is_file();
        ensure!(is_run, "`{}` is not a run directory: it holds no `spec.toml`", path.display());
        let run = RunDirectory { path: path.to_owned() };
        ensure!(
            run.file("weights.safetensors").is_file(),
            "the run `{}` holds no weights: it has not finished; run its spec again",
            path.display()
        );
        Ok(run)
    }

    /// Opens a run directory whose run may not have ended.
    ///
    /// # Errors
    /// When it is none, or ended before learning began.
    pub fn open_unfinished(path: &Path) -> Result<RunDirectory> {
        let run = RunDirectory { path: path.to_owned() };
        ensure!(
            run.file("spec.toml").is_file(),
            "`{}` is not a run directory: it holds no `spec.toml`",
            path.display()
        );
        ensure!(
            run.file(PROVENANCE).is_file(),
            "the run `{}` ended before learning began: it holds no `{PROVENANCE}`; run its spec again with `--force`",
            path.display()
        );
        Ok(run)
    }

    /// The file of the state of learning.
    pub fn checkpoint(&self) -> PathBuf {
        self.file("checkpoint.safetensors")
    }

    /// Takes the state of learning away; there may be none.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn remove_checkpoint(&self) -> Result<()> {
        for path in [self.checkpoint(), self.checkpoint().with_extension("partial")] {
            if path.exists() {
                std::fs::remove_file(&path).with_context(|| format!("`{}` cannot be removed", path.display()))?;
            }
        }
        Ok(())
    }

    /// Refuses data that are not those of the run: other cells, another split, or other features.
    ///
    /// # Errors
    /// When they differ, or a file of the run cannot be read.
    pub fn ensure_same_cells(&self, dataset: &Dataset, split: &Split) -> Result<()> {
        let path = self.file("cells.tsv");
        let written = std::fs::read_to_string(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        ensure!(
            written == RunCells::of(dataset, split).table(),
            "cells and split of `{}` are others now",
            path.display()
        );
        for assay in &dataset.assays {
            let same = self.read_features(&assay.name)? == assay.modality.features();
            ensure!(same, "the features of the modality `{}` are others now", assay.name);
        }
        Ok(())
    }

    /// Path of a file of the run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the resolved spec.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_spec(&self, experiment: &Experiment) -> Result<()> {
        write_atomically(&self.file("spec.toml"), toml::to_string(&experiment.to_toml()?)?.as_bytes())
    }

    /// Writes cells, features and fitted steps.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_data(&self, dataset: &Dataset, split: &Split, dimensions: &[Dimensions]) -> Result<()> {
        write_atomically(&self.file("cells.tsv"), RunCells::of(dataset, split).table().as_bytes())?;
        for assay in &dataset.assays {
            let mut lines = assay.modality.features().join("\n");
            lines.push('\n');
            write_atomically(&self.file("features").join(format!("{}.tsv", assay.name)), lines.as_bytes())?;
        }
        let preparation = |(assay, dimensions): (&Assay, &Dimensions)| Preparation {
            modality: assay.name.clone(),
            dimensions: dimensions.clone(),
            state: assay.modality.state(),
        };
        let preparations: Vec<Preparation> = dataset.assays.iter().zip(dimensions).map(preparation).collect();
        write_atomically(&self.file("preparation.json"), &serde_json::to_vec(&preparations)?)
    }

    /// Writes what is known of the training cells.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_cohort(&self, cohort: &Cohort) -> Result<()> {
        write_atomically(&self.file("cohort.json"), &serde_json::to_vec_pretty(cohort)?)
    }

    /// What is known of the training cells; nothing where the run does not say.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn read_cohort(&self) -> Result<Cohort> {
        let path = self.file("cohort.json");
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("`{}` is damaged", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Cohort::default()),
            Err(error) => Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
        }
    }

    /// Writes which program made the run, from what, where and when.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_provenance(&self, provenance: &Provenance) -> Result<()> {
        write_json(&self.file(PROVENANCE), provenance)
    }

    /// Which program made the run, from what, where and when.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn read_provenance(&self) -> Result<Provenance> {
        let path = self.file(PROVENANCE);
        let text = std::fs::read(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("`{}` is damaged", path.display()))
    }

    /// Writes weights and latent rows.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_model(&self, model: &Model, tables: &[LatentTable]) -> Result<()> {
        let rows =
            |(space, table): (&crate::model::Space, &LatentTable)| (space.name.clone(), table.rows().shallow_clone());
        let rows: Vec<(String, Tensor)> = model.spaces.iter().zip(tables).map(rows).collect();
        if !rows.is_empty() {
            write_tensors(&self.file("latents.safetensors"), &rows, about())?;
        }
        self.write_weights(model)
    }

    /// Writes weights.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_weights(&self, model: &Model) -> Result<()> {
        write_tensors(&self.file("weights.safetensors"), &model.variables(), about())
    }

    /// What was fitted to the data, one per modality of the experiment.
    ///
    /// # Errors
    /// When the file is missing or does not belong to the experiment.
    pub fn read_preparations(&self, experiment: &Experiment) -> Result<Vec<Preparation>> {
        let path = self.file("preparation.json");
        let text = std::fs::read(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        let preparations: Vec<Preparation> =
            serde_json::from_slice(&text).with_context(|| format!("`{}` is damaged", path.display()))?;
        let names = preparations.iter().map(|preparation| &preparation.modality);
        ensure!(names.eq(experiment.modalities.keys()), "`{}` does not belong to the run's spec", path.display());
        Ok(preparations)
    }

    /// Puts the stored weights into a model of the same spec.
    ///
    /// # Errors
    /// When a weight is missing or has another shape.
    pub fn read_weights(&self, model: &Model) -> Result<()> {
        let path = self.file("weights.safetensors");
        let stored = read_tensors(&path)?;
        for (name, tensor) in model.variables() {
            let weight = stored.get(&name).with_context(|| format!("`{}` lacks `{name}`", path.display()))?;
            ensure!(
                weight.size() == tensor.size(),
                "`{name}` has shape {:?} in `{}`, but the spec asks for {:?}",
                weight.size(),
                path.display(),
                tensor.size()
            );
            no_grad(|| tensor.detach().copy_(weight));
        }
        Ok(())
    }

    /// Row and subset of each cell of the run, by name.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn read_split(&self) -> Result<HashMap<String, (usize, Subset)>> {
        let cells = self.read_cells()?;
        Ok(cells.names.into_iter().zip(cells.subsets.into_iter().enumerate()).collect())
    }

    /// The cells of the run.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn read_cells(&self) -> Result<RunCells> {
        let path = self.file("cells.tsv");
        let text = std::fs::read_to_string(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        RunCells::parse(&text).with_context(|| format!("`{}` is damaged", path.display()))
    }

    /// Names of the features of a modality, in the order of its decoder.
    ///
    /// # Errors
    /// When the file is missing.
    pub fn read_features(&self, modality: &str) -> Result<Vec<String>> {
        let path = self.file("features").join(format!("{modality}.tsv"));
        let text = std::fs::read_to_string(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

/// Writes something as indented JSON, whole or not at all.
///
/// # Errors
/// When it cannot be written as JSON, or the file cannot be written.
pub fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    write_atomically(path, text.as_bytes())
}

/// What is written beside tensors.
fn about() -> HashMap<String, String> {
    HashMap::from([("cithara".to_owned(), env!("CARGO_PKG_VERSION").to_owned())])
}

/// Writes a file that appears whole or not at all.
///
/// # Errors
/// When it cannot be written; a message of a full disk says so.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_atomically(path, |temporary| Ok(std::fs::write(temporary, bytes)?))
}

/// Lets `write` make a temporary file, which then takes its place at once.
pub(super) fn replace_atomically(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let temporary = path.with_extension("partial");
    let written = write(&temporary).and_then(|()| {
        std::fs::File::open(&temporary)?.sync_all()?;
        Ok(std::fs::rename(&temporary, path)?)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(|| format!("`{}` cannot be written", path.display()))
}
