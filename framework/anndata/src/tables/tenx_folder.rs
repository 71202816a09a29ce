//! The folders of 10x Genomics: a matrix in the MatrixMarket format and the names of its rows and columns.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::features::{self, Features, GENES};
use super::matrix_market;
use super::text_file::{Lines, shortened};
use crate::{Csr, NewAnnData};

const MATRIX: &str = "matrix.mtx";
const CELLS: [&str; 1] = ["barcodes.tsv"];
const FEATURES: [&str; 3] = ["features.tsv", "genes.tsv", PEAKS];
const PEAKS: &str = "peaks.bed";

/// Reads a folder of `matrix.mtx`, `features.tsv` (or `genes.tsv`, or `peaks.bed`) and `barcodes.tsv`, one AnnData for
/// each modality.
///
/// Each file may be compressed (`.gz`), and all may begin with one prefix (`GSM1_matrix.mtx.gz`); where a folder holds
/// several matrices, `path` is the matrix itself. The lengths of the lists decide whether the matrix is features ×
/// cells or cells × features; a square one is features × cells, as 10x writes it. Modalities and names are as in
/// [`crate::read_tenx_h5`]; features without a type are genes, those of `peaks.bed` are called `chrom:start-end`.
///
/// # Errors
/// If a file is missing or there is a choice, files do not agree, or a line is not sound: says which.
pub fn read_matrix_market(path: impl AsRef<Path>) -> Result<Vec<(String, NewAnnData)>> {
    let folder = TenxFolder::open(path.as_ref())?;
    let counts = folder.read()?;
    let TenxFolder { files, cells, features } = folder;
    features::split(cells, features, counts).with_context(|| format!("`{}`", files.barcodes.display()))
}

/// The files that make a matrix.
#[derive(Debug)]
pub(crate) struct FolderFiles {
    pub matrix: PathBuf,
    pub barcodes: PathBuf,
    pub features: PathBuf,
}

impl FolderFiles {
    /// The files of the one matrix of a folder, or those that belong to a matrix.
    pub(crate) fn find(path: &Path) -> Result<Self> {
        let matrix = matrix_file(path)?;
        let (barcodes, features) = (companion(&matrix, &CELLS)?, companion(&matrix, &FEATURES)?);
        Ok(Self { matrix, barcodes, features })
    }
}

/// A matrix of a folder: its names; values are read when they are asked for.
#[derive(Debug)]
pub(crate) struct TenxFolder {
    files: FolderFiles,
    pub cells: Vec<String>,
    pub features: Features,
}

impl TenxFolder {
    /// Reads the names.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let files = FolderFiles::find(path)?;
        let cells = read_cells(&files.barcodes)?;
        let features = read_features(&files.features)?;
        Ok(Self { files, cells, features })
    }

    /// Reads the matrix of cells × features.
    pub(crate) fn read(&self) -> Result<Csr> {
        matrix_market::read(&self.files.matrix, self.cells.len(), self.features.len())
    }
}

/// Whether a file is called like a matrix.
pub(crate) fn is_matrix(path: &Path) -> bool {
    prefix(path).is_some()
}

/// The one matrix of a folder, or the file itself.
fn matrix_file(path: &Path) -> Result<PathBuf> {
    if path.is_file() {
        ensure!(
            prefix(path).is_some(),
            "`{}` is not called like a matrix; rename it to end with `{MATRIX}` or `{MATRIX}.gz`",
            path.display()
        );
        return Ok(path.to_owned());
    }
    let listed = std::fs::read_dir(path).with_context(|| format!("no file or folder `{}`", path.display()))?;
    let mut found = Vec::new();
    for entry in listed {
        let file = entry.with_context(|| format!("cannot list the folder `{}`", path.display()))?.path();
        if file.is_file() && prefix(&file).is_some() {
            found.push(file);
        }
    }
    found.sort();
    let advice = "expected one; give the path of the matrix that is meant";
    one_of(found, || format!("no `{MATRIX}` or `{MATRIX}.gz` in the folder `{}`", path.display()), advice)
}

/// What comes before `matrix.mtx` in the name of a file; none if that is not how it ends.
fn prefix(file: &Path) -> Option<&str> {
    let name = file.file_name()?.to_str()?;
    name.strip_suffix(".gz").unwrap_or(name).strip_suffix(MATRIX)
}

/// The file of one of these names that belongs to the matrix.
fn companion(matrix: &Path, names: &[&str]) -> Result<PathBuf> {
    let prefix = prefix(matrix).unwrap_or_default();
    let possible = names.iter().flat_map(|name| [format!("{prefix}{name}"), format!("{prefix}{name}.gz")]);
    let found = possible.map(|name| matrix.with_file_name(name)).filter(|file| file.is_file()).collect();
    let expected: Vec<String> = names.iter().map(|name| format!("`{prefix}{name}`")).collect();
    let missing = || format!("no {} (or the same with .gz) beside `{}`", expected.join(", "), matrix.display());
    one_of(found, missing, "keep the one that belongs to the matrix")
}

fn one_of(mut found: Vec<PathBuf>, missing: impl Fn() -> String, advice: &str) -> Result<PathBuf> {
    match found.len() {
        0 => Err(anyhow!(missing())),
        1 => Ok(found.remove(0)),
        _ => {
            let names: Vec<String> = found.iter().map(|file| format!("`{}`", file.display())).collect();
            bail!("there is a choice of {}; {advice}", names.join(" and "))
        }
    }
}

/// Reads a list of names (also `.gz`): the first column of a file whose columns are separated by tabs, without a line of column names.
///
/// # Errors
/// If there is no such file, or a line has no name.
pub fn read_names(path: impl AsRef<Path>) -> Result<Vec<String>> {
    read_cells(path.as_ref())
}

fn read_cells(path: &Path) -> Result<Vec<String>> {
    let mut cells = Vec::new();
    for_each_row(path, |row| {
        cells.push(row[0].to_owned());
        Ok(())
    })?;
    Ok(cells)
}

fn read_features(path: &Path) -> Result<Features> {
    let is_peaks = path.to_string_lossy().trim_end_matches(".gz").ends_with(PEAKS);
    let mut features = Features { are_typed: true, ..Features::default() };
    for_each_row(path, |row| {
        features.are_typed &= is_peaks || row.get(2).is_some_and(|text| !text.is_empty());
        let (id, name, feature_type) = if is_peaks { peak(row)? } else { feature(row) };
        features.ids.push(id);
        features.names.push(name);
        features.types.push(feature_type);
        Ok(())
    })?;
    Ok(features)
}

/// Id, name and type; later columns (the place of a peak) are not kept.
fn feature(row: &[&str]) -> (String, String, String) {
    let column = |place: usize, absent: &str| {
        row.get(place).filter(|text| !text.is_empty()).map_or(absent, |text| *text).to_owned()
    };
    (row[0].to_owned(), column(1, row[0]), column(2, GENES))
}

fn peak(row: &[&str]) -> Result<(String, String, String)> {
    let [chrom, start, end, ..] = row else {
        bail!("{} columns; expected chromosome, start and end of a peak, separated by tabs", row.len());
    };
    for bound in [start, end] {
        ensure!(bound.parse::<u64>().is_ok(), "`{}` is not a place on a chromosome", shortened(bound));
    }
    let name = format!("{chrom}:{start}-{end}");
    Ok((name.clone(), name, "Peaks".to_owned()))
}

/// Calls `take` with the columns of each line; empty lines may only end the file, `#` begins a comment.
pub(crate) fn for_each_row(path: &Path, mut take: impl FnMut(&[&str]) -> Result<()>) -> Result<()> {
    let mut lines = Lines::open(path)?;
    let mut nameless = None;
    while let Some(line) = lines.next_line_where(|line| !line.starts_with('#'))? {
        let row: Vec<&str> = line.split('\t').map(str::trim).collect();
        let taken = if row[0].is_empty() { Ok(false) } else { take(&row).map(|()| true) };
        let place = || lines.place();
        match (taken.with_context(place)?, &nameless) {
            (true, Some(earlier)) => bail!("{earlier}: no name; expected the name of a row or column of the matrix"),
            (false, None) => nameless = Some(place()),
            _ => {}
        }
    }
    Ok(())
}
