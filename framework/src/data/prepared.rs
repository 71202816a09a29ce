//! Prepared measurements kept in a folder, for other runs of the same data: they neither read, filter nor prepare again.
//!
//! A file is named by all that its numbers follow from: data files (path, size, time of change), the tables of data and
//! modalities but for what only a model reads, plugins, seed and program. Only matrices are kept; where an assay is
//! something else, every run opens the data itself.

use super::dataset::{Assay, Dataset};
use super::files::file_state;
use super::matrix::MatrixModality;
use super::{Observations, files_on_disk};
use crate::run::{digest_file, digest_text, read_stored, write_tensors};
use crate::spec::Experiment;
use anndata::Csr;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

/// Under which everything that is no number stands in the file.
const FACTS: &str = "prepared";

/// Keys of a modality's table that only a model reads.
const OF_MODEL: [&str; 4] = ["encoder", "decoder", "loss", "weight"];

/// What is kept beside numbers.
#[derive(Debug, Serialize, Deserialize)]
struct Facts {
    cells: Vec<String>,
    matrices: Vec<KeptMatrix>,
}

/// What is kept of a matrix beside its numbers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptMatrix {
    pub(super) cells: Vec<String>,
    pub(super) features: Vec<String>,
    pub(super) reading: serde_json::Value,
    pub(super) state: serde_json::Value,
}

/// The numbers of a kept matrix.
pub(super) struct Numbers {
    pub(super) raw: Csr,
    /// Values after the steps; empty where there are no steps.
    pub(super) values: Vec<f32>,
}

/// The file in which the prepared data of an experiment are kept.
///
/// # Errors
/// When a data file is missing.
pub(super) fn file_of(experiment: &Experiment, folder: &Path) -> Result<PathBuf> {
    let spec = experiment.to_toml()?;
    let mut modalities = spec.get("modality").cloned().context("the spec has no modality")?;
    for table in modalities.as_table_mut().into_iter().flat_map(|tables| tables.iter_mut()) {
        let Some(table) = table.1.as_table_mut() else { continue };
        OF_MODEL.iter().for_each(|key| drop(table.remove(*key)));
    }
    let mut key = format!("{} {} {:?} {modalities}", env!("CARGO_PKG_VERSION"), experiment.seed, spec.get("data"));
    for path in files_on_disk(experiment)? {
        let state = file_state(&path)?;
        let path = path.canonicalize().with_context(|| format!("`{}` cannot be read", path.display()))?;
        key.push_str(&format!(" {} {state}", path.display()));
    }
    for library in &experiment.plugins.libraries {
        key.push_str(&digest_file(library)?.sha256);
    }
    Ok(folder.join(format!("{}.safetensors", &digest_text(&key)[..32])))
}

/// Keeps prepared data, if all of their assays are matrices; returns whether they are.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(dataset: &Dataset, path: &Path) -> Result<bool> {
    let matrices: Option<Vec<_>> =
        dataset.assays.iter().map(|assay| Some((assay, assay.modality.as_matrix()?))).collect();
    let Some(matrices) = matrices else { return Ok(false) };
    let (mut tensors, mut kept) = (Vec::new(), Vec::new());
    for (assay, matrix) in matrices {
        let (facts, raw, values) = matrix.to_kept()?;
        let whole = |numbers: &[u64]| Tensor::from_slice(&numbers.iter().map(|n| *n as i64).collect::<Vec<_>>());
        let columns: Vec<i32> = raw.indices.iter().map(|column| *column as i32).collect();
        let rows: Vec<i64> = assay.rows.iter().map(|row| row.map_or(-1, i64::from)).collect();
        tensors.extend([
            (format!("{}.indptr", assay.name), whole(&raw.indptr)),
            (format!("{}.indices", assay.name), Tensor::from_slice(&columns)),
            (format!("{}.raw", assay.name), Tensor::from_slice(&raw.values)),
            (format!("{}.values", assay.name), Tensor::from_slice(values)),
            (format!("{}.rows", assay.name), Tensor::from_slice(&rows)),
        ]);
        kept.push(facts);
    }
    let facts = serde_json::to_string(&Facts { cells: dataset.cells.clone(), matrices: kept })?;
    // runs that keep the same data at once each write a file of their own
    let own = path.with_extension(format!("{}.safetensors", std::process::id()));
    write_tensors(&own, &tensors, HashMap::from([(FACTS.to_owned(), facts)]))?;
    std::fs::rename(&own, path).with_context(|| format!("`{}` cannot be written", path.display()))?;
    Ok(true)
}

/// Takes prepared data from where they are kept.
///
/// # Errors
/// When the file is damaged.
pub(super) fn read(experiment: &Experiment, path: &Path) -> Result<Dataset> {
    let damaged = || format!("`{}` is damaged; remove it", path.display());
    let (tensors, about) = read_stored(path)?;
    let facts: Facts = serde_json::from_str(about.get(FACTS).with_context(damaged)?).with_context(damaged)?;
    let mut assays = Vec::new();
    for ((name, entry), kept) in experiment.modalities.iter().zip(facts.matrices) {
        let tensor = |part: &str| tensors.get(&format!("{name}.{part}")).with_context(damaged);
        let rows = numbers::<i64>(tensor("rows")?, Kind::Int64)?;
        let raw = Csr {
            n_rows: kept.cells.len(),
            n_columns: kept.features.len(),
            indptr: numbers::<i64>(tensor("indptr")?, Kind::Int64)?.into_iter().map(|n| n as u64).collect(),
            indices: numbers::<i32>(tensor("indices")?, Kind::Int)?.into_iter().map(|n| n as u32).collect(),
            values: numbers(tensor("raw")?, Kind::Float)?,
        };
        let values = numbers(tensor("values")?, Kind::Float)?;
        let matrix = MatrixModality::from_kept(kept, Numbers { raw, values }, entry.build_steps()?);
        assays.push(Assay {
            name: name.clone(),
            modality: Box::new(matrix.with_context(damaged)?),
            rows: rows.into_iter().map(|row| u32::try_from(row).ok()).collect(),
        });
    }
    Ok(Dataset {
        cells: facts.cells,
        assays,
        observations: Observations::default(),
        classes: Vec::new(),
        categories: Vec::new(),
    })
}

fn numbers<T: tch::kind::Element + Copy>(tensor: &Tensor, kind: Kind) -> Result<Vec<T>> {
    Ok(Vec::try_from(tensor.to_kind(kind).f_flatten(0, -1)?)?)
}
