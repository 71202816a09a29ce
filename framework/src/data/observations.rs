//! What is written about cells: columns of obs, found by name in the files of the modalities.

use super::files::{DataFile, data_files};
use crate::spec::Experiment;
use anndata::Frame;
use anyhow::{Context, Result, bail};
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};

/// Text columns of obs, aligned with the cells of a data set.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    columns: IndexMap<String, Vec<Option<String>>>,
}

impl Observations {
    /// Reads the columns that an experiment names (labels, splits) for these cells. Those of `evaluate.labels` may hold real
    /// numbers, which are told as text.
    ///
    /// # Errors
    /// As [`Observations::read`].
    pub fn of_experiment(experiment: &Experiment, cells: &[String]) -> Result<Observations> {
        let wanted = Wanted { names: &wanted_columns(experiment), real: &experiment.evaluate.labels };
        Observations::read_wanted(&data_files(experiment)?, cells, wanted)
    }

    /// Reads these columns for these cells from the files, the first that has a value for a cell winning.
    ///
    /// # Errors
    /// When a column is in none of the files; the message lists those that are.
    pub fn read(files: &[DataFile], cells: &[String], wanted: &[String]) -> Result<Observations> {
        Observations::read_wanted(files, cells, Wanted { names: wanted, real: &[] })
    }

    /// The same of columns that may hold real numbers, too, which are told as text.
    ///
    /// # Errors
    /// When a column is in none of the files.
    pub fn read_any(files: &[DataFile], cells: &[String], wanted: &[String]) -> Result<Observations> {
        Observations::read_wanted(files, cells, Wanted { names: wanted, real: wanted })
    }

    fn read_wanted(files: &[DataFile], cells: &[String], wanted: Wanted<'_>) -> Result<Observations> {
        let (found, known) = Observations::search(files, cells, wanted)?;
        match wanted.names.iter().find(|name| !found.columns.contains_key(*name)) {
            Some(real) if known.contains(real) => {
                bail!("the column `{real}` of obs cannot be a label: it must hold categories, text or whole numbers")
            }
            Some(missing) => {
                let known: Vec<String> = known.into_iter().collect();
                bail!("no column `{missing}` in obs; columns: {}", known.join(", "))
            }
            None => Ok(found),
        }
    }

    /// The same, without the columns that are in none of the files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn find(files: &[DataFile], cells: &[String], wanted: &[String]) -> Result<Observations> {
        Ok(Observations::search(files, cells, Wanted { names: wanted, real: &[] })?.0)
    }

    /// What was found, and the names of all columns.
    fn search(files: &[DataFile], cells: &[String], wanted: Wanted<'_>) -> Result<(Observations, BTreeSet<String>)> {
        let place: HashMap<&str, usize> = cells.iter().enumerate().map(|(i, cell)| (cell.as_str(), i)).collect();
        let mut columns: IndexMap<String, Vec<Option<String>>> = IndexMap::new();
        let mut known = BTreeSet::new();
        for file in files {
            let frames = file.frames()?;
            for frame in &frames {
                known.extend(frame.column_names().into_iter().map(str::to_owned));
                for name in wanted.names {
                    let labels = frame.labels(name).or_else(|| wanted.real_numbers(frame, name));
                    let Some(labels) = labels else { continue };
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

/// The columns to be read.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    names: &'a [String],
    /// Those that may hold real numbers: probes read them as numbers, where anything else would take each value for a class.
    real: &'a [String],
}

impl Wanted<'_> {
    fn real_numbers(&self, frame: &Frame, name: &String) -> Option<Vec<Option<String>>> {
        let numbers = frame.get(name).filter(|_| self.real.contains(name))?.numbers()?;
        Some(numbers.iter().map(|number| (!number.is_nan()).then(|| number.to_string())).collect())
    }
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
    columns.extend(experiment.conditions.values().map(|condition| condition.column.clone()));
    columns.extend(experiment.evaluate.labels.iter().cloned());
    columns.sort();
    columns.dedup();
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use anndata::{Column, Dense, NewAnnData, NewMuData, write_new_h5mu};
    use std::path::Path;

    /// Two cells with a column of real numbers, as a file.
    fn written(path: &Path) {
        let cells = vec!["a".to_owned(), "b".to_owned()];
        let mut obs = Frame::new(cells.clone());
        obs.insert("age", Column::Float(vec![0.5, f64::NAN])).unwrap();
        let var = Frame::new(vec!["f".to_owned()]);
        let x = NewAnnData::new(Frame::new(cells), var, Dense::new(2, 1, vec![1.0, 2.0]).unwrap());
        let mut file = NewMuData { obs, ..NewMuData::default() };
        file.modalities.insert("x".to_owned(), x);
        write_new_h5mu(path, &file).unwrap();
    }

    #[test]
    fn real_numbers_are_read_where_they_are_probed_and_refused_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells.h5mu");
        written(&path);
        let (files, cells, age) = ([DataFile::new(path)], ["b".to_owned(), "a".to_owned()], ["age".to_owned()]);
        let probed = Observations::read_wanted(&files, &cells, Wanted { names: &age, real: &age }).unwrap();
        assert_eq!(probed.column("age").unwrap(), [None, Some("0.5".to_owned())]);
        let refused = Observations::read(&files, &cells, &age).unwrap_err().to_string();
        assert_eq!(
            refused,
            "the column `age` of obs cannot be a label: it must hold categories, text or whole numbers"
        );
        let absent = Observations::read(&files, &cells, &["sex".to_owned()]).unwrap_err().to_string();
        assert_eq!(absent, "no column `sex` in obs; columns: age");
    }
}
