//! The files of an experiment, each with what must be known to read it.

use super::Observations;
use super::presence::keep_measured;
use crate::spec::{Experiment, ModalityEntry, TableSpec};
use crate::{Modality, Source};
use anndata::{File, Frame, Kind, files_of, is_delimited, read_frame};
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A file of cells: AnnData, MuData, or a table of another format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it is understood, if it is separated text.
    pub table: Option<TableSpec>,
    /// A table with more columns of obs.
    pub obs: Option<PathBuf>,
}

impl DataFile {
    /// A file that says all itself.
    pub fn new(path: impl Into<PathBuf>) -> DataFile {
        DataFile { path: path.into(), table: None, obs: None }
    }

    /// Opens it and adds the columns of obs.
    ///
    /// # Errors
    /// When it cannot be read, or the table of obs describes none of its cells.
    pub fn open(&self) -> Result<File> {
        let mut file = open_file(&self.path, self.table.as_ref())?;
        if let Some(path) = &self.obs {
            let obs = read_frame(path, true).context("the table of obs")?;
            let n_described = file.describe(&obs)?;
            ensure!(
                n_described > 0,
                "`{}` describes none of the cells of `{}`: its first is `{}`, theirs `{}`; are cells named alike, and is \
                 `features_in` right?",
                path.display(),
                self.path.display(),
                obs.index()[0],
                file.cells()[0]
            );
        }
        Ok(file)
    }

    /// The obs tables of a file, each with the names of its cells in its index: the file's own, then each modality's.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn frames(&self) -> Result<Vec<Frame>> {
        self.read_frames().with_context(|| format!("obs of `{}`", self.path.display()))
    }

    fn read_frames(&self) -> Result<Vec<Frame>> {
        let file = self.open()?;
        let mut frames = vec![file.obs().clone()];
        if file.kind() == Kind::H5mu {
            for key in file.modalities()? {
                frames.push(file.modality(&key)?.obs().clone());
            }
        }
        Ok(frames)
    }

    /// The ending of what it would be as AnnData or MuData.
    ///
    /// # Errors
    /// When it has another ending and cannot be read.
    pub fn annotated_ending(&self) -> Result<&'static str> {
        match self.path.extension().and_then(|ending| ending.to_str()) {
            Some("h5ad") => Ok("h5ad"),
            Some("h5mu") => Ok("h5mu"),
            _ if is_delimited(&self.path) => Ok("h5ad"),
            _ => Ok(match self.open()?.kind() {
                Kind::H5ad => "h5ad",
                Kind::H5mu => "h5mu",
            }),
        }
    }

    /// Its name without the endings of its format.
    pub fn stem(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        if self.path.is_dir() { plain } else { plain.rsplit_once('.').map_or(plain, |(stem, _)| stem) }.to_owned()
    }

    /// The files that it is read from: more than one for a MatrixMarket folder or where obs is a table of its own.
    ///
    /// # Errors
    /// When it is a folder without a matrix.
    pub fn parts(&self) -> Result<Vec<PathBuf>> {
        let mut parts = files_of(&self.path)?;
        parts.extend(self.obs.clone());
        Ok(parts)
    }
}

/// Size and time of the last change of a file, as text: another text means another content.
///
/// # Errors
/// When it cannot be looked at.
pub(crate) fn file_state(path: &Path) -> Result<String> {
    let about = std::fs::metadata(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let changed = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    Ok(format!("{} {changed}", about.len()))
}

impl Source<'_> {
    /// Opens the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(&self) -> Result<File> {
        open_file(self.path, self.table)
    }
}

fn open_file(path: &Path, table: Option<&TableSpec>) -> Result<File> {
    let spec = table.cloned().unwrap_or_default();
    if spec.features_in.is_none() && is_delimited(path) {
        let error = File::open_as(path, &spec.delimited()).err();
        let error = error.map_or_else(|| anyhow!("`{}` is a table", path.display()), |error| anyhow!("{error:#}"));
        let help = "set `features_in = \"rows\"` (each row is a feature) or `\"columns\"` in `[data.table]`, or in the modality's \
                    `table`; for new data say `--features rows` or `--features columns`";
        bail!("{error}\nhelp: {help}");
    }
    File::open_as(path, &spec.delimited())
}

/// Other data than those that a model was trained on.
#[derive(Debug, Clone, Copy)]
pub struct NewData<'a> {
    /// A .h5mu, a .h5ad of one modality, or a table of another format.
    pub path: &'a Path,
    /// The modality that a file of one holds.
    pub modality: Option<&'a str>,
    /// How separated text is understood, where it is not as the experiment's.
    pub table: Option<&'a TableSpec>,
    /// A table with more columns of obs.
    pub obs: Option<&'a Path>,
    /// Largest share of a modality's features that may lack, where it is not as the experiment says.
    pub max_missing: Option<f64>,
}

impl<'a> NewData<'a> {
    /// A file of which nothing more is said.
    pub fn new(path: &'a Path) -> NewData<'a> {
        NewData { path, modality: None, table: None, obs: None, max_missing: None }
    }

    /// The file; separated text is understood as said, else as that of the modality that it holds, else as that of the experiment.
    pub fn file(&self, experiment: &Experiment) -> DataFile {
        let table = self.table.cloned().or_else(|| table_of_new(experiment, self.modality));
        DataFile { path: self.path.to_owned(), table, obs: self.obs.map(Path::to_owned) }
    }

    /// The column that says which cells were measured, where the new data have it: they may do without.
    fn column_of_measured<'b>(&self, file: &DataFile, entry: &'b ModalityEntry) -> Result<Option<&'b str>> {
        let Some(column) = entry.measured.as_deref() else { return Ok(None) };
        let found = Observations::find(std::slice::from_ref(file), &[], &[column.to_owned()])?;
        Ok(found.column(column).is_ok().then_some(column))
    }

    /// Opens a modality of the experiment; `None` where the file does not hold it.
    pub(super) fn open(&self, experiment: &Experiment, name: &str) -> Result<Option<Box<dyn Modality>>> {
        let entry = entry(experiment, name)?;
        let opened = self.file(experiment);
        let file = open_file(&opened.path, opened.table.as_ref())?;
        let there = match file.kind() {
            Kind::H5mu => key_in_new(&file, name, entry.key.as_deref())?,
            Kind::H5ad => match self.modality {
                Some(modality) => (modality == name).then(String::new),
                None if experiment.modalities.len() == 1 => Some(String::new()),
                None => bail!(
                    "`{}` holds one modality but the model has {}; say which it is with `--modality`",
                    self.path.display(),
                    experiment.modalities.len()
                ),
            },
        };
        drop(file);
        let Some(key) = there else { return Ok(None) };
        let holding = experiment.data.holding(None);
        let source = Source { name, path: self.path, key: Some(&key), table: opened.table.as_ref(), holding };
        let mut modality = entry.spec.open(&source, entry.build_steps()?)?;
        if let Some(column) = self.column_of_measured(&opened, entry)? {
            keep_measured(modality.as_mut(), &opened, column)?;
        }
        Ok(Some(modality))
    }
}

/// How an experiment understands separated text of new data: as that of the modality that they hold, else as its own data.
pub fn table_of_new(experiment: &Experiment, modality: Option<&str>) -> Option<TableSpec> {
    let only = match experiment.modalities.len() {
        1 => experiment.modalities.values().next(),
        _ => modality.and_then(|name| experiment.modalities.get(name)),
    };
    only.and_then(|entry| entry.table.clone()).or_else(|| experiment.data.table.clone())
}

/// The name under which a file of named modalities holds one: its key, or its own name where it has none; `None` if it does
/// not.
///
/// # Errors
/// When the file cannot be read.
pub fn key_of(file: &File, name: &str, key: Option<&str>) -> Result<Option<String>> {
    let wanted = key.unwrap_or(name);
    Ok(file.modalities()?.into_iter().find(|there| there == wanted))
}

/// The same of new data: where a table of another format, whose names are given, lacks the key, the modality's own name will do.
///
/// # Errors
/// When the file cannot be read.
pub fn key_in_new(file: &File, name: &str, key: Option<&str>) -> Result<Option<String>> {
    match key_of(file, name, key)? {
        None if file.is_table() => key_of(file, name, None),
        found => Ok(found),
    }
}

fn entry<'a>(experiment: &'a Experiment, name: &str) -> Result<&'a ModalityEntry> {
    experiment.modalities.get(name).with_context(|| format!("there is no modality `{name}`"))
}

/// The file of a modality: its own, or the experiment's.
///
/// # Errors
/// When it has none.
pub fn data_file(experiment: &Experiment, name: &str) -> Result<DataFile> {
    let entry = entry(experiment, name)?;
    let path = entry.path.clone().or_else(|| experiment.data.path.clone());
    let missing = || format!("the modality has no file; set `data.path` or `modality.{name}.path`");
    let table = entry.table.clone().or_else(|| experiment.data.table.clone());
    Ok(DataFile { path: path.with_context(missing)?, table, obs: experiment.data.obs.clone() })
}

/// The distinct data files of an experiment.
///
/// # Errors
/// When a modality has none.
pub fn data_files(experiment: &Experiment) -> Result<Vec<DataFile>> {
    let mut files: Vec<DataFile> = Vec::new();
    for name in experiment.modalities.keys() {
        let file = data_file(experiment, name)?;
        match files.iter().find(|other| other.path == file.path) {
            Some(other) => ensure!(
                other.table == file.table || !is_delimited(&file.path),
                "two modalities understand `{}` in two ways; give them the same `table`",
                file.path.display()
            ),
            None => files.push(file),
        }
    }
    Ok(files)
}

/// Every file that the data of an experiment are read from, each once.
///
/// # Errors
/// When a modality has none, or a folder holds no matrix.
pub fn files_on_disk(experiment: &Experiment) -> Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for file in data_files(experiment)? {
        for part in file.parts()? {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    Ok(parts)
}

/// Opens a modality of an experiment, or another one of the same file, read as that one is; in memory only what needs no more
/// bytes than `max_memory`.
///
/// # Errors
/// When the file does not hold it, or it is not what the assay expects.
pub(super) fn open_own(
    experiment: &Experiment,
    name: &str,
    key: Option<&str>,
    max_memory: Option<u64>,
) -> Result<Box<dyn Modality>> {
    let entry = entry(experiment, name)?;
    let file = data_file(experiment, name)?;
    let key = key.or(entry.key.as_deref()).unwrap_or(name);
    let holding = experiment.data.holding(max_memory);
    let source = Source { name, path: &file.path, key: Some(key), table: file.table.as_ref(), holding };
    let mut modality = entry.spec.open(&source, entry.build_steps()?)?;
    if let Some(column) = &entry.measured {
        keep_measured(modality.as_mut(), &file, column)?;
    }
    Ok(modality)
}
