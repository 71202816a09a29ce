//! Refusing values that a loss or an assay cannot use, and saying which matrix could be used instead.

use super::MatrixModality;
use anndata::{Csr, File, Layer};
use anyhow::{Result, bail};
use rayon::prelude::*;

/// Rows of another matrix that are looked at before it is suggested.
const N_ROWS_LOOKED_AT: usize = 1000;

/// Whether a value is an integer of at least 0.
fn is_count(value: f32) -> bool {
    value >= 0.0 && value.fract() == 0.0
}

impl MatrixModality {
    /// Refuses raw values that are not integers of at least 0.
    pub(super) fn check_counts(&self) -> Result<()> {
        let Some(found) = self.first_entry(&self.raw.values, |value| !is_count(value)) else {
            return Ok(());
        };
        let place = match &self.origin {
            Some(origin) => format!("layer `{}` of `{}`", self.reading.layer, origin.path.display()),
            None => "the matrix".to_owned(),
        };
        let help = match self.layer_of_counts() {
            Some(layer) => format!("`{layer}` looks like counts: set `layer = \"{}\"`", key_of(&layer)),
            None => "raw counts are needed: integers of at least 0, before any normalisation".to_owned(),
        };
        bail!("{place} holds values that are not counts ({found})\nhelp: {help}")
    }

    /// Refuses values after the steps that lie outside [0, 1].
    pub(super) fn check_unit_interval(&self) -> Result<()> {
        match self.first_entry(self.processed(), |value| !(0.0..=1.0).contains(&value)) {
            None => Ok(()),
            Some(found) => bail!(
                "the values after the steps are not in [0, 1] ({found})\nhelp: end `steps` with one that scales each cell to \
                 [0, 1], or choose a loss for values of any size"
            ),
        }
    }

    /// The first stored value that is `wrong`, with its cell and feature, in words.
    fn first_entry(&self, values: &[f32], wrong: impl Fn(f32) -> bool + Sync) -> Option<String> {
        let place = values.par_iter().position_first(|value| wrong(*value))?;
        let row = self.raw.indptr.partition_point(|start| *start <= place as u64) - 1;
        let column = self.raw.indices[place] as usize;
        let (cell, feature) = (&self.cells[row], &self.features[column]);
        Some(format!("cell `{cell}`, {} `{feature}`: {}", self.reading.feature, values[place]))
    }

    /// Another matrix of the same file whose first rows hold counts only.
    fn layer_of_counts(&self) -> Option<Layer> {
        let origin = self.origin.as_ref()?;
        let modality = File::open(&origin.path).ok()?.modality(&origin.key).ok()?;
        let n_rows = modality.cells().len().min(N_ROWS_LOOKED_AT);
        let holds_counts = |layer: &Layer| {
            let matrix = modality.matrix_rows(layer, 0..n_rows);
            matrix.is_ok_and(|matrix: Csr| matrix.n_stored() > 0 && matrix.values.iter().all(|value| is_count(*value)))
        };
        let own = Layer::parse(&self.reading.layer);
        modality.layers().ok()?.into_iter().find(|layer| *layer != own && holds_counts(layer))
    }
}

/// A layer as it is written in a spec.
fn key_of(layer: &Layer) -> &str {
    match layer {
        Layer::X => "X",
        Layer::Raw => "raw",
        Layer::Named(name) => name,
    }
}
