//! Reading a matrix and its names from a file.

use super::held::Held;
use super::on_disk::open_on_disk;
use super::{MatrixModality, MatrixReading, Measured, Origin};
use crate::data::files::key_of;
use crate::modality::{Holding, Source};
use crate::step::Step;
use anndata::{Annotated, Csr, File, Kind, Layer};
use anyhow::{Result, bail, ensure};

/// Opens the matrix of a modality in an AnnData or MuData file, in memory or on disk.
///
/// # Errors
/// When the file, the modality or the layer is missing, the values are not what `reading` expects, or memory is too small.
pub fn open_matrix(source: &Source<'_>, reading: &MatrixReading, steps: Vec<Box<dyn Step>>) -> Result<MatrixModality> {
    match source.holding {
        Holding::Memory(most) => open_in_memory(source, most, reading, steps),
        Holding::Disk(folder) => open_on_disk(source, folder, reading, steps),
    }
}

fn open_in_memory(
    source: &Source<'_>,
    most: Option<u64>,
    reading: &MatrixReading,
    steps: Vec<Box<dyn Step>>,
) -> Result<MatrixModality> {
    let Named { annotated, layer, origin, cells, features } = named(source, reading)?;
    ensure_fits(&annotated, &layer, most)?;
    let matrix = annotated.matrix(&layer)?;
    ensure_any(&cells, &features)?;
    MatrixModality::new(Measured { origin: Some(origin), cells, features, matrix }, reading, steps)
}

/// A matrix with its names, before it is read.
pub(super) struct Named {
    pub annotated: Annotated,
    pub layer: Layer,
    pub origin: Origin,
    pub cells: Vec<String>,
    pub features: Vec<String>,
}

/// Finds a matrix and reads its names.
pub(super) fn named(source: &Source<'_>, reading: &MatrixReading) -> Result<Named> {
    let (key, annotated) = open_keyed(source, reading.usual_keys)?;
    let layer = Layer::parse(&reading.layer);
    let features = match layer {
        Layer::Raw => annotated.raw_var()?.index().to_vec(),
        Layer::X | Layer::Named(_) => annotated.features().to_vec(),
    };
    let (origin, cells) = (Origin { path: source.path.to_owned(), key }, annotated.cells().to_vec());
    Ok(Named { annotated, layer, origin, cells, features })
}

pub(super) fn ensure_any(cells: &[String], features: &[String]) -> Result<()> {
    ensure!(
        !cells.is_empty() && !features.is_empty(),
        "the matrix has {} cells and {} features",
        cells.len(),
        features.len()
    );
    Ok(())
}

/// Refuses a matrix whose values alone need more memory than there may be, before they are read.
fn ensure_fits(annotated: &Annotated, layer: &Layer, most: Option<u64>) -> Result<()> {
    let (Some(most), Some(n_stored)) = (most, annotated.n_stored(layer)?) else { return Ok(()) };
    let needed = n_stored.saturating_mul(BYTES_PER_VALUE);
    ensure!(
        needed <= most,
        "the matrix has {n_stored} values that are not zero, which need {:.2} GB of memory; {:.2} GB of `--max-memory` are left \
         for them\nhelp: set `data.storage = \"disk\"`",
        needed as f64 / 1e9,
        most as f64 / 1e9
    );
    Ok(())
}

/// Bytes of memory of a stored value and its column.
const BYTES_PER_VALUE: u64 = 8;

/// Opens a narrow table of continuous values: as [`open_matrix`], with zeros stored like any other value, so that steps may
/// move them; always in memory.
///
/// # Errors
/// As [`open_matrix`].
pub fn open_table(source: &Source<'_>, reading: &MatrixReading, steps: Vec<Box<dyn Step>>) -> Result<MatrixModality> {
    let mut modality = open_in_memory(source, None, reading, steps)?;
    if let Held::Memory(memory) = &mut modality.held {
        memory.raw = with_zeros(&memory.raw)?;
    }
    Ok(modality)
}

/// The same matrix with all its zeros stored.
fn with_zeros(matrix: &Csr) -> Result<Csr> {
    let (n_rows, n_columns) = (matrix.n_rows, matrix.n_columns);
    let values = matrix.dense_rows(&(0..n_rows).collect::<Vec<_>>())?.values;
    let indices = (0..n_rows).flat_map(|_| 0..n_columns as u32).collect();
    let indptr = (0..=n_rows).map(|row| (row * n_columns) as u64).collect();
    Ok(Csr { n_rows, n_columns, indptr, indices, values })
}

/// Opens the cells and features of a modality, reading no matrix yet; `usual` are names under which MuData
/// files often keep the assay, to suggest where the file has none of the modality's name.
///
/// # Errors
/// When the file or the modality is missing; the message names what there is.
pub fn open_annotated(source: &Source<'_>, usual: &[&str]) -> Result<Annotated> {
    Ok(open_keyed(source, usual)?.1)
}

fn open_keyed(source: &Source<'_>, usual: &[&str]) -> Result<(String, Annotated)> {
    let file = source.open()?;
    let key = key_in(&file, source, usual)?;
    let opened = file.modality(&key)?;
    Ok((key, opened))
}

/// The name of the modality inside the file; empty for AnnData, which holds one without a name.
fn key_in(file: &File, source: &Source<'_>, usual: &[&str]) -> Result<String> {
    if file.kind() == Kind::H5ad {
        return Ok(String::new());
    }
    if let Some(key) = key_of(file, source.name, source.key)? {
        return Ok(key);
    }
    let (key, there) = (source.key.unwrap_or(source.name), file.modalities()?);
    match there.iter().find(|name| usual.contains(&name.as_str())) {
        Some(other) => bail!(
            "`{}` has no modality `{key}`; it holds: {}\nhelp: set `key = \"{other}\"`",
            source.path.display(),
            there.join(", ")
        ),
        None => Ok(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modality::Modality;
    use anndata::{Dense, Frame, NewAnnData, NewMuData, write_new_h5ad, write_new_h5mu};
    use std::path::{Path, PathBuf};

    fn frame(names: &[&str]) -> Frame {
        Frame::new(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Two cells and three genes: normalised values in X, counts in a layer.
    fn measured() -> NewAnnData {
        let matrix = |values: [f32; 6]| Csr::from_dense(&Dense::new(2, 3, values.to_vec()).unwrap()).unwrap();
        let x = matrix([0.0, 1.386, 0.0, 0.5, 0.0, 0.0]);
        let mut measured = NewAnnData::new(frame(&["AAAC-1", "AAAG-1"]), frame(&["MS4A1", "CD3E", "CD3E"]), x);
        measured.layers.insert("counts".into(), matrix([0.0, 3.0, 0.0, 1.0, 0.0, 2.0]).into());
        measured
    }

    fn h5ad(folder: &Path) -> PathBuf {
        let path = folder.join("pbmc.h5ad");
        write_new_h5ad(&path, &measured()).unwrap();
        path
    }

    fn h5mu(folder: &Path) -> PathBuf {
        let path = folder.join("cite.h5mu");
        let modalities = [("gex".to_owned(), measured())].into_iter().collect();
        let whole = NewMuData {
            modalities,
            obs: frame(&["AAAC-1", "AAAG-1"]),
            obsm: Default::default(),
            uns: Default::default(),
        };
        write_new_h5mu(&path, &whole).unwrap();
        path
    }

    fn open(path: &Path, key: Option<&str>, layer: &str) -> Result<MatrixModality> {
        let reading = MatrixReading {
            layer: layer.into(),
            counts: true,
            feature: "gene",
            usual_keys: &["rna", "gex"],
            ..MatrixReading::default()
        };
        open_matrix(&Source { name: "rna", path, key, table: None, holding: Holding::default() }, &reading, Vec::new())
    }

    #[test]
    fn a_layer_is_opened_with_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let modality = open(&h5ad(folder.path()), Some("rna"), "counts").unwrap();
        assert_eq!(modality.cells(), ["AAAC-1", "AAAG-1"]);
        assert_eq!(modality.features(), ["MS4A1", "CD3E", "CD3E-1"]);
        assert_eq!(modality.statistics(&[0, 1]).unwrap().raw_sum, 6.0);
    }

    #[test]
    fn values_that_are_not_counts_are_refused_with_the_layer_that_holds_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = h5ad(folder.path());
        assert_eq!(
            open(&path, None, "X").unwrap_err().to_string(),
            format!(
                "layer `X` of `{}` holds values that are not counts (cell `AAAC-1`, gene `CD3E`: 1.386)\nhelp: \
                 `layers/counts` looks like counts: set `layer = \"counts\"`",
                path.display()
            )
        );
    }

    #[test]
    fn a_modality_of_another_name_is_suggested() {
        let folder = tempfile::tempdir().unwrap();
        let path = h5mu(folder.path());
        assert!(open(&path, Some("gex"), "counts").is_ok());
        let error = open(&path, Some("rna"), "counts").unwrap_err().to_string();
        assert!(error.ends_with("has no modality `rna`; it holds: gex\nhelp: set `key = \"gex\"`"), "{error}");
    }

    #[test]
    fn a_table_stores_its_zeros() {
        let folder = tempfile::tempdir().unwrap();
        let path = h5ad(folder.path());
        let source = Source { name: "it", path: &path, key: None, table: None, holding: Holding::default() };
        let table = open_table(&source, &MatrixReading::default(), Vec::new()).unwrap();
        let Held::Memory(memory) = &table.held else { panic!("a table is held in memory") };
        assert_eq!(memory.raw.values, [0.0, 1.386, 0.0, 0.5, 0.0, 0.0]);
        memory.raw.validate().unwrap();
    }

    #[test]
    fn a_layer_that_is_not_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(&h5ad(folder.path()), None, "count").unwrap_err().to_string();
        assert!(error.contains("count"), "{error}");
    }
}
