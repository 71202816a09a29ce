//! A table of another format opened like an .h5ad or .h5mu: names at once, values when they are asked for.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use indexmap::IndexSet;

use super::delimited::{DelimitedSpec, read_names, read_values};
use super::features::{self, Features, Group};
use super::names;
use super::tenx_folder::{FolderFiles, TenxFolder, is_matrix};
use super::tenx_h5::{TenxMatrix, ensure_new, named};
use crate::{Csr, Frame, NewAnnData, NewMuData, write_new_h5ad, write_new_h5mu};

/// Rows of a matrix of several modalities that are read at a time.
const ROWS_AT_A_TIME: usize = 4096;

/// Endings of separated text.
const DELIMITED: [&str; 4] = ["csv", "tsv", "tab", "txt"];

/// A table with its names.
#[derive(Debug)]
pub(crate) struct Table {
    /// Where it is.
    pub path: PathBuf,
    /// The modalities, in the order of the file.
    pub parts: Vec<Part>,
    /// Whether the file says what its modalities are; otherwise it is one without a name.
    pub are_named: bool,
    source: Source,
}

/// One modality of a table.
#[derive(Debug)]
pub(crate) struct Part {
    pub name: String,
    pub obs: Frame,
    pub var: Frame,
    /// Its columns in the matrix that it is a part of; none where they are all.
    columns: Option<Vec<usize>>,
    /// Which of the matrices of the file that is.
    matrix: usize,
}

/// Where values are.
#[derive(Debug)]
enum Source {
    TenxH5(Vec<TenxMatrix>),
    Text(Box<Text>),
}

/// Values in text, which is read whole or not at all.
#[derive(Debug)]
struct Text {
    format: Format,
    /// All values, from the first time that only some rows were asked for.
    whole: OnceLock<Csr>,
}

#[derive(Debug)]
enum Format {
    MatrixMarket(TenxFolder),
    Delimited(PathBuf, DelimitedSpec),
}

impl Table {
    /// Opens a table of text; none if neither its name nor, for a folder, what it holds is that of one.
    pub(crate) fn open_text(path: &Path, spec: &DelimitedSpec) -> Result<Option<Self>> {
        if path.is_dir() || (path.is_file() && is_matrix(path)) {
            return Self::of_folder(path).map(Some);
        }
        if path.is_file() && is_delimited(path) {
            return Self::of_delimited(path, spec).map(Some);
        }
        Ok(None)
    }

    /// Opens the matrices of a 10x `.h5`.
    pub(crate) fn open_tenx_h5(path: &Path) -> Result<Self> {
        let matrices = TenxMatrix::all_of(path)?;
        let mut parts: Vec<Part> = Vec::new();
        for (place, matrix) in matrices.iter().enumerate() {
            for mut part in parts_of(path, &matrix.cells, &matrix.features)? {
                (part.name, part.matrix) = (named(part.name, matrix.genome.as_deref()), place);
                ensure_new(path, &part.name, parts.iter().map(|part| &part.name))?;
                parts.push(part);
            }
        }
        let are_named = matrices.len() > 1 || matrices.iter().all(|matrix| matrix.features.are_typed);
        Ok(Self { path: path.to_owned(), parts, are_named, source: Source::TenxH5(matrices) })
    }

    fn of_folder(path: &Path) -> Result<Self> {
        let folder = TenxFolder::open(path)?;
        let parts = parts_of(path, &folder.cells, &folder.features)?;
        let are_named = folder.features.are_typed;
        let text = Text { format: Format::MatrixMarket(folder), whole: OnceLock::new() };
        Ok(Self { path: path.to_owned(), parts, are_named, source: Source::Text(Box::new(text)) })
    }

    fn of_delimited(path: &Path, spec: &DelimitedSpec) -> Result<Self> {
        let (obs, var) = read_names(path, spec)?;
        let parts = vec![Part { name: String::new(), obs, var, columns: None, matrix: 0 }];
        let text = Text { format: Format::Delimited(path.to_owned(), spec.clone()), whole: OnceLock::new() };
        Ok(Self { path: path.to_owned(), parts, are_named: false, source: Source::Text(Box::new(text)) })
    }

    /// The cells of all modalities, each once, and what the table says of them.
    pub(crate) fn obs(&self) -> Frame {
        match &self.parts[..] {
            [part] => part.obs.clone(),
            parts => {
                let cells: IndexSet<&String> = parts.iter().flat_map(|part| part.obs.index()).collect();
                Frame::new(cells.into_iter().cloned().collect())
            }
        }
    }

    /// Some rows of the matrix of a modality.
    pub(crate) fn rows(&self, part: &Part, rows: Range<usize>) -> Result<Csr> {
        let n = part.obs.n_rows();
        ensure!(rows.end <= n, "rows {rows:?} of `{}` do not exist: it has {n} cells", self.path.display());
        let Source::TenxH5(matrices) = &self.source else { return self.rows_of_text(part, rows) };
        let matrix = &matrices[part.matrix];
        let Some(columns) = &part.columns else { return matrix.rows(rows) };
        // a few at a time, so that what other modalities hold is not kept
        let mut gathered = Csr::zeros(0, columns.len());
        for start in rows.clone().step_by(ROWS_AT_A_TIME) {
            let some = matrix.rows(start..rows.end.min(start + ROWS_AT_A_TIME))?;
            append(&mut gathered, &some.select_columns(columns)?);
        }
        Ok(gathered)
    }

    /// Writes the table as a new .h5mu, or as .h5ad where it does not say what its features are; `obs` describes its cells.
    pub(crate) fn convert(&self, obs: &Frame, path: &Path) -> Result<()> {
        let part = |part: &Part| -> Result<NewAnnData> {
            let matrix = self.rows(part, 0..part.obs.n_rows())?;
            Ok(NewAnnData::new(part.obs.clone(), part.var.clone(), matrix))
        };
        if let ([only], false) = (&self.parts[..], self.are_named) {
            return write_new_h5ad(path, &NewAnnData { obs: obs.clone(), ..part(only)? });
        }
        let modalities = self.parts.iter().map(|one| Ok((one.name.clone(), part(one)?))).collect::<Result<_>>()?;
        write_new_h5mu(path, &NewMuData { obs: obs.clone(), modalities, ..NewMuData::default() })
    }

    fn rows_of_text(&self, part: &Part, rows: Range<usize>) -> Result<Csr> {
        let Source::Text(text) = &self.source else { return Ok(Csr::zeros(0, part.var.n_rows())) };
        let chosen = match rows.len() == part.obs.n_rows() {
            true => text.read()?,
            false => text.whole()?.select_rows(&rows.collect::<Vec<_>>())?,
        };
        match &part.columns {
            Some(columns) => chosen.select_columns(columns),
            None => Ok(chosen),
        }
    }
}

impl Text {
    /// All values, kept from now on.
    fn whole(&self) -> Result<&Csr> {
        if self.whole.get().is_none() {
            let read = self.read()?;
            return Ok(self.whole.get_or_init(|| read));
        }
        self.whole.get().context("the table was not read")
    }

    fn read(&self) -> Result<Csr> {
        match (self.whole.get(), &self.format) {
            (Some(whole), _) => Ok(whole.clone()),
            (None, Format::MatrixMarket(folder)) => folder.read(),
            (None, Format::Delimited(path, spec)) => read_values(path, spec),
        }
    }
}

fn append(matrix: &mut Csr, rows: &Csr) {
    let n_before = matrix.n_stored() as u64;
    matrix.n_rows += rows.n_rows;
    matrix.indptr.extend(rows.indptr[1..].iter().map(|end| n_before + end));
    matrix.indices.extend_from_slice(&rows.indices);
    matrix.values.extend_from_slice(&rows.values);
}

/// The modalities of a matrix of these cells and features.
fn parts_of(path: &Path, cells: &[String], features: &Features) -> Result<Vec<Part>> {
    let groups = names::ensure_unique_cells(cells).and_then(|()| features::by_type(features.clone()));
    let part = |Group { name, var, columns }| Part { name, obs: Frame::new(cells.to_vec()), var, columns, matrix: 0 };
    Ok(groups.with_context(|| format!("`{}`", path.display()))?.into_iter().map(part).collect())
}

/// Whether a file is called like separated text (`.csv`, `.tsv`, `.tab`, `.txt`; also `.gz`).
pub fn is_delimited(path: impl AsRef<Path>) -> bool {
    let name = path.as_ref().to_string_lossy().to_lowercase();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    plain.rsplit_once('.').is_some_and(|(_, ending)| DELIMITED.contains(&ending))
}

/// The files that hold what is opened by a path: those of a MatrixMarket folder, else the path itself.
///
/// # Errors
/// If it is a folder without exactly one matrix and its names.
pub fn files_of(path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let path = path.as_ref();
    if !(path.is_dir() || path.is_file() && is_matrix(path)) {
        return Ok(vec![path.to_owned()]);
    }
    let FolderFiles { matrix, barcodes, features } = FolderFiles::find(path)?;
    Ok(vec![matrix, barcodes, features])
}
