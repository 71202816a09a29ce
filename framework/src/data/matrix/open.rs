//! Reading a matrix and its names from a file.

use super::{MatrixModality, MatrixReading, Measured, Origin};
use crate::modality::Source;
use crate::step::Step;
use anndata::{File, Kind, Layer};
use anyhow::{Result, bail, ensure};

/// Opens the matrix of a modality in an AnnData or MuData file.
///
/// # Errors
/// When the file, the modality or the layer is missing, or the values are not what `reading` expects.
pub fn open_matrix(source: &Source<'_>, reading: &MatrixReading, steps: Vec<Box<dyn Step>>) -> Result<MatrixModality> {
    let file = File::open(source.path)?;
    let key = key_in(&file, source, reading.usual_keys)?;
    let opened = file.modality(&key)?;
    let layer = Layer::parse(&reading.layer);
    let matrix = opened.matrix(&layer)?;
    let features = match layer {
        Layer::Raw => opened.raw_var()?.index().to_vec(),
        Layer::X | Layer::Named(_) => opened.features().to_vec(),
    };
    let origin = Some(Origin { path: source.path.to_owned(), key });
    let cells = opened.cells().to_vec();
    ensure!(
        !cells.is_empty() && !features.is_empty(),
        "the matrix has {} cells and {} features",
        cells.len(),
        features.len()
    );
    MatrixModality::new(Measured { origin, cells, features, matrix }, reading, steps)
}

/// The name of the modality inside the file; empty for AnnData, which holds one without a name.
fn key_in(file: &File, source: &Source<'_>, usual: &[&str]) -> Result<String> {
    if file.kind() == Kind::H5ad {
        return Ok(String::new());
    }
    let (key, there) = (source.key.unwrap_or(source.name), file.modalities()?);
    let other = there.iter().find(|name| usual.contains(&name.as_str()));
    match other {
        Some(other) if !there.iter().any(|name| name == key) => bail!(
            "`{}` has no modality `{key}`; it holds: {}\nhelp: set `key = \"{other}\"`",
            source.path.display(),
            there.join(", ")
        ),
        _ => Ok(key.to_owned()),
    }
}
