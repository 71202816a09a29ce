//! Refusing values that a loss or an assay cannot use, and saying which matrix could be used instead.

use super::MatrixModality;
use super::held::{Block, Held};
use anndata::{Csr, File, Layer};
use anyhow::{Result, bail};
use rayon::prelude::*;
use std::ops::ControlFlow;

/// Rows of another matrix that are looked at before it is suggested.
const N_ROWS_LOOKED_AT: usize = 1000;

/// Whether a value is an integer of at least 0.
fn is_count(value: f32) -> bool {
    value >= 0.0 && value.fract() == 0.0
}

impl MatrixModality {
    /// Refuses raw values that are not integers of at least 0.
    pub(super) fn check_counts(&self) -> Result<()> {
        if matches!(&self.held, Held::Disk(disk) if disk.are_counts()) {
            return Ok(());
        }
        let Some(found) = self.first_entry(|block| &block.raw.values, |value| !is_count(value))? else {
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
        if matches!(&self.held, Held::Disk(disk) if disk.is_unit_interval()) {
            return Ok(());
        }
        match self.first_entry(|block| block.processed, |value| !(0.0..=1.0).contains(&value))? {
            None => Ok(()),
            Some(found) => bail!(
                "the values after the steps are not in [0, 1] ({found})\nhelp: end `steps` with one that scales each cell to \
                 [0, 1], or choose a loss for values of any size"
            ),
        }
    }

    /// The first stored value that is `wrong`, with its cell and feature, in words.
    fn first_entry(
        &self,
        values: impl for<'a> Fn(&Block<'a>) -> &'a [f32],
        wrong: impl Fn(f32) -> bool + Sync,
    ) -> Result<Option<String>> {
        let mut found = None;
        self.each_block(&mut |block| {
            let values = values(block);
            let Some(place) = values.par_iter().position_first(|value| wrong(*value)) else {
                return Ok(ControlFlow::Continue(()));
            };
            let row = block.raw.indptr.partition_point(|start| *start <= place as u64) - 1;
            let (cell, feature) = (&self.cells[block.first + row], &self.features[block.raw.indices[place] as usize]);
            found = Some(format!("cell `{cell}`, {} `{feature}`: {}", self.reading.feature, values[place]));
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
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
