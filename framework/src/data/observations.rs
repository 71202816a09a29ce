//! What is written about cells: columns of obs, found by name in the files of the modalities.

use super::dataset::data_files;
use crate::spec::Experiment;
use anndata::{File, Frame, Kind};
use anyhow::{Context, Result, bail};
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Text columns of obs, aligned with the cells of a data set.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    columns: IndexMap<String, Vec<Option<String>>>,
}

impl Observations {
    /// Reads the columns that an experiment names (labels, splits) for these cells.
    ///
    /// # Errors
    /// As [`Observations::read`].
    pub fn of_experiment(experiment: &Experiment, cells: &[String]) -> Result<Observations> {
        Observations::read(&data_files(experiment)?, cells, &wanted_columns(experiment))
    }

    /// Reads these columns for these cells from the files, the first that has a value for a cell winning.
    ///
    /// # Errors
    /// When a column is in none of the files; the message lists those that are.
    pub fn read(files: &[PathBuf], cells: &[String], wanted: &[String]) -> Result<Observations> {
        let (found, known) = Observations::search(files, cells, wanted)?;
        if let Some(missing) = wanted.iter().find(|name| !found.columns.contains_key(*name)) {
            let known: Vec<String> = known.into_iter().collect();
            bail!("no column `{missing}` in obs; columns: {}", known.join(", "));
        }
        Ok(found)
    }

    /// The same, without the columns that are in none of the files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn find(files: &[PathBuf], cells: &[String], wanted: &[String]) -> Result<Observations> {
        Ok(Observations::search(files, cells, wanted)?.0)
    }

    /// What was found, and the names of all columns.
    fn search(files: &[PathBuf], cells: &[String], wanted: &[String]) -> Result<(Observations, BTreeSet<String>)> {
        let place: HashMap<&str, usize> = cells.iter().enumerate().map(|(i, cell)| (cell.as_str(), i)).collect();
        let mut columns: IndexMap<String, Vec<Option<String>>> = IndexMap::new();
        let mut known = BTreeSet::new();
        for path in files {
            let frames = frames_of(path).with_context(|| format!("obs of `{}`", path.display()))?;
            for frame in &frames {
                known.extend(frame.column_names().into_iter().map(str::to_owned));
                for name in wanted {
                    let Some(labels) = frame.labels(name) else { continue };
                    let column = columns.entry(name.clone()).or_insert_with(|| vec![None; cells.len()]);
                    fill(column, frame.index(), labels, &place);
                }
            }
        }
        Ok((Observations { columns }, known))
    }

    /// One column, a value or `None` per cell.
    ///
    /// # Errors
    /// When the column was not read.
    pub fn column(&self, name: &str) -> Result<&[Option<String>]> {
        self.columns.get(name).map(Vec::as_slice).with_context(|| format!("the column `{name}` of obs was not read"))
    }

    /// Keeps these cells only, in this order.
    pub fn keep(&mut self, cells: &[usize]) {
        for column in self.columns.values_mut() {
            *column = cells.iter().map(|&cell| column[cell].clone()).collect();
        }
    }
}

/// The obs tables of a file, each with the names of its cells in its index: the file's own, then each modality's.
fn frames_of(path: &Path) -> Result<Vec<Frame>> {
    let file = File::open(path)?;
    let mut frames = vec![file.obs().clone()];
    if file.kind() == Kind::H5mu {
        for key in file.modalities()? {
            frames.push(file.modality(&key)?.obs().clone());
        }
    }
    Ok(frames)
}

fn fill(column: &mut [Option<String>], names: &[String], labels: Vec<Option<String>>, place: &HashMap<&str, usize>) {
    for (name, label) in names.iter().zip(labels) {
        if let Some(&cell) = place.get(name.as_str()).filter(|&&cell| column[cell].is_none()) {
            column[cell] = label;
        }
    }
}

fn wanted_columns(experiment: &Experiment) -> Vec<String> {
    let split = &experiment.data.split;
    let named = [&experiment.data.label, &split.column, &split.stratify_by, &split.group_by];
    let mut columns: Vec<String> = named.into_iter().flatten().cloned().collect();
    columns.extend(experiment.latents.values().filter_map(|latent| latent.covariate.clone()));
    columns.extend(experiment.evaluate.labels.iter().cloned());
    columns.sort();
    columns.dedup();
    columns
}
