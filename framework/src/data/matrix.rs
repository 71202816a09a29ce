//! A modality whose measurements are a matrix of cells × features: counts of genes, peaks or proteins, or any values.
//!
//! The matrix is sparse and stays so: the processed values share the structure of the raw ones, and only the rows of a
//! minibatch become tensors. It is held in memory or stays on disk (`Held`), with the same numbers. What an assay expects of its matrix is said in a [`MatrixReading`]; assays themselves are
//! plugins. An assay of more than one matrix implements [`Modality`] itself, from the same pieces.

mod align;
mod check;
mod filter;
mod gather;
mod held;
mod kept;
mod lacking;
mod names;
mod on_disk;
mod open;
mod prepare;

#[cfg(test)]
mod tests;

pub use align::align_features;
pub use filter::{cells_of_enough_features, features_of_enough_cells};
pub use gather::Rows;
pub use names::unique_names;
pub use open::{open_annotated, open_matrix, open_table};

use held::{Held, InMemory};
use on_disk::OnDisk;

use crate::loss::{Statistics, TargetValues};
use crate::minibatch::FeatureShape;
use crate::modality::{Alignment, Gathered, Modality};
use crate::step::Step;
use anndata::Csr;
use anyhow::{Result, bail};
use rayon::prelude::*;
use std::path::PathBuf;

/// Why a loss of successes among trials cannot work on one matrix.
const NO_TRIALS: &str =
    "the loss compares successes with trials, but this modality has one matrix; choose another loss";

/// How a matrix is read and what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixReading {
    /// The matrix of the file: `X`, `raw` or the name of a layer.
    pub layer: String,
    /// Whether the values must be counts: integers of at least 0.
    pub counts: bool,
    /// Filtering keeps features that are above 0 in at least this many cells.
    pub min_cells_per_feature: usize,
    /// Filtering keeps cells with at least this many features above 0.
    pub min_features_per_cell: usize,
    /// What one feature is called in messages (`gene`, `peak`).
    pub feature: &'static str,
    /// Names under which MuData files usually keep the assay, to suggest where the file has none of the modality's
    /// name.
    pub usual_keys: &'static [&'static str],
}

impl Default for MatrixReading {
    fn default() -> Self {
        MatrixReading {
            layer: "X".into(),
            counts: false,
            min_cells_per_feature: 0,
            min_features_per_cell: 0,
            feature: "feature",
            usual_keys: &[],
        }
    }
}

/// Where a matrix was read from, for messages and suggestions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub path: PathBuf,
    /// The modality inside the file; empty for AnnData.
    pub key: String,
}

/// A matrix with its names, as read.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Where it is from; `None` for one made in memory.
    pub origin: Option<Origin>,
    /// Names of the cells, one per row.
    pub cells: Vec<String>,
    /// Names of the features, one per column.
    pub features: Vec<String>,
    /// The values.
    pub matrix: Csr,
}

/// The matrix of one assay, with its steps.
pub struct MatrixModality {
    reading: MatrixReading,
    origin: Option<Origin>,
    cells: Vec<String>,
    features: Vec<String>,
    /// Names of the features that the first step saw.
    step_features: Vec<String>,
    held: Held,
    steps: Vec<Box<dyn Step>>,
    /// Columns that each step selected, in the columns that it saw.
    selected: Vec<Option<Vec<usize>>>,
    prepared: bool,
    /// What stands for features that new data lack.
    lacking: lacking::Lacking,
}

impl std::fmt::Debug for MatrixModality {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MatrixModality")
            .field("reading", &self.reading)
            .field("origin", &self.origin)
            .field("n_cells", &self.cells.len())
            .field("n_features", &self.features.len())
            .field("n_steps", &self.steps.len())
            .field("prepared", &self.prepared)
            .finish_non_exhaustive()
    }
}

impl MatrixModality {
    /// A modality of a matrix in memory.
    ///
    /// Features of the same name are told apart by a number (`CD3E`, `CD3E-1`), in the order of the columns.
    ///
    /// # Errors
    /// When the names do not match the matrix, or counts are expected and the values are others.
    pub fn new(measured: Measured, reading: &MatrixReading, steps: Vec<Box<dyn Step>>) -> Result<MatrixModality> {
        let Measured { origin, cells, features, matrix } = measured;
        names::ensure_fit(&cells, &features, &matrix)?;
        let held = Held::Memory(InMemory::new(matrix));
        MatrixModality::of_parts((origin, cells, features), held, reading, steps)
    }

    /// A modality of origin, names and values.
    fn of_parts(
        (origin, cells, features): (Option<Origin>, Vec<String>, Vec<String>),
        held: Held,
        reading: &MatrixReading,
        steps: Vec<Box<dyn Step>>,
    ) -> Result<MatrixModality> {
        let modality = MatrixModality {
            reading: reading.clone(),
            origin,
            cells,
            features: unique_names(features),
            step_features: Vec::new(),
            held,
            selected: vec![None; steps.len()],
            steps,
            prepared: false,
            lacking: lacking::Lacking::default(),
        };
        if reading.counts {
            modality.check_counts()?;
        }
        Ok(modality)
    }
}

impl Modality for MatrixModality {
    fn cells(&self) -> &[String] {
        &self.cells
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn shape(&self) -> FeatureShape {
        FeatureShape::Vector(self.features.len() as i64)
    }

    fn filter_round(&mut self, kept: &[bool]) -> Result<Vec<bool>> {
        self.ensure_any_value(kept)?;
        self.drop_rare_features(kept)?;
        self.rich_cells(kept)
    }

    fn keep_cells(&mut self, rows: &[usize]) -> Result<()> {
        if rows.len() == self.cells.len() && rows.iter().enumerate().all(|(place, row)| place == *row) {
            return Ok(());
        }
        match &mut self.held {
            Held::Memory(memory) => memory.replace(|matrix| matrix.select_rows(rows))?,
            Held::Disk(disk) => disk.keep_rows(rows)?,
        }
        self.cells = rows.iter().map(|row| self.cells[*row].clone()).collect();
        Ok(())
    }

    fn prepare(&mut self, training: &[usize]) -> Result<()> {
        self.fit_steps(training)
    }

    fn as_matrix(&self) -> Option<&MatrixModality> {
        matches!(self.held, Held::Memory(_)).then_some(self)
    }

    fn state(&self) -> serde_json::Value {
        self.saved_state()
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<Alignment> {
        self.restore_state(state)
    }

    fn lacking(&self) -> &[i64] {
        &self.lacking.columns
    }

    fn statistics(&self, rows: &[usize]) -> Result<Statistics> {
        let memory = match &self.held {
            Held::Memory(memory) => memory,
            Held::Disk(disk) => return disk.statistics(rows, self.features.len()),
        };
        let of_row = |row: &usize| {
            let entries = gather::entries(&memory.raw, *row);
            let sum = |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>();
            let raw = &memory.raw.values[entries.clone()];
            let n_nonzero = raw.iter().filter(|value| **value != 0.0).count() as f64;
            let processed = if self.prepared { sum(&memory.processed()[entries]) } else { 0.0 };
            (n_nonzero, sum(raw), processed)
        };
        let per_row: Vec<_> = rows.par_iter().map(of_row).collect();
        let mut total =
            Statistics { n_entries: rows.len() as f64 * self.features.len() as f64, ..Statistics::default() };
        for (n_nonzero, raw, processed) in per_row {
            total.n_nonzero += n_nonzero;
            total.raw_sum += raw;
            total.processed_sum += processed;
        }
        Ok(total)
    }

    fn check_target(&self, values: TargetValues) -> Result<()> {
        match values {
            TargetValues::Processed => Ok(()),
            TargetValues::UnitInterval => self.check_unit_interval(),
            TargetValues::Counts | TargetValues::Presence => self.check_counts(),
            TargetValues::Trials => bail!(NO_TRIALS),
        }
    }

    fn read_ahead(&self, rows: &[usize]) {
        if let Held::Disk(disk) = &self.held {
            disk.read_ahead(rows);
        }
    }

    fn gather(&self, rows: &[usize], values: TargetValues) -> Result<Gathered> {
        self.gather_rows(rows, values)
    }

    fn n_bytes(&self) -> u64 {
        let names = |names: &[String]| names.iter().map(|name| size_of::<String>() + name.capacity()).sum::<usize>();
        let values = match &self.held {
            Held::Memory(memory) => memory.n_bytes(),
            Held::Disk(disk) => disk.n_bytes(),
        };
        values + (names(&self.cells) + names(&self.features) + names(&self.step_features)) as u64
    }
}
