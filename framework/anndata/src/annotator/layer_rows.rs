//! Layers that are written a few rows at a time, so that a large prediction is never whole in memory.

use anyhow::{Result, bail, ensure};
use hdf5::Dataset;
use hdf5_metno as hdf5;

use super::{Annotator, member_dict};
use crate::Dense;
use crate::file::Kind;
use crate::read::{frame, place};
use crate::write::matrix;

/// A layer that is being written (see [`Annotator::create_layer`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerId(usize);

/// A dense array on disk and which of its rows are there.
pub(super) struct LayerRows {
    dataset: Dataset,
    n_columns: usize,
    written: Vec<bool>,
}

impl LayerRows {
    pub(super) fn ensure_complete(&self) -> Result<()> {
        match self.written.iter().position(|written| !written) {
            Some(row) => bail!(
                "row {row} of {} was never written ({} of {} rows were)",
                place::label(&self.dataset),
                self.written.iter().filter(|written| **written).count(),
                self.written.len()
            ),
            None => Ok(()),
        }
    }
}

impl Annotator {
    /// Creates `layers[key]` as a dense array of cells × features, to be filled by [`Annotator::write_layer_rows`].
    ///
    /// # Errors
    /// If the modality does not exist; MuData as a whole has no layers.
    pub fn create_layer(&mut self, modality: Option<&str>, key: &str) -> Result<LayerId> {
        ensure!(
            self.kind == Kind::H5ad || modality.is_some(),
            "layer `{key}`: a MuData file has layers in its modalities only; name one"
        );
        let target = self.target(modality)?;
        let shape = [frame::n_rows(&target, "obs")?, frame::n_rows(&target, "var")?];
        let layers = member_dict(&target, "layers")?;
        self.clear(&layers, key)?;
        let dataset = matrix::create_dense(&layers, key, shape)?;
        self.layers.push(LayerRows { dataset, n_columns: shape[1], written: vec![false; shape[0]] });
        Ok(LayerId(self.layers.len() - 1))
    }

    /// Writes consecutive rows of a layer, in any order of calls; every row must be written once before the end.
    ///
    /// # Shapes
    /// Any number of cells × all features.
    ///
    /// # Errors
    /// If the rows do not fit into the layer or were written already.
    pub fn write_layer_rows(&mut self, layer: LayerId, first_row: usize, rows: &Dense) -> Result<()> {
        let Some(layer) = self.layers.get_mut(layer.0) else {
            bail!("this layer belongs to another file");
        };
        let end = first_row + rows.n_rows;
        ensure!(
            rows.n_columns == layer.n_columns && end <= layer.written.len(),
            "rows {first_row}..{end} of {} columns do not fit into {} of {} × {}",
            rows.n_columns,
            place::label(&layer.dataset),
            layer.written.len(),
            layer.n_columns
        );
        let slots = &mut layer.written[first_row..end];
        ensure!(
            !slots.contains(&true),
            "some of rows {first_row}..{end} of {} were written already",
            place::label(&layer.dataset)
        );
        matrix::write_rows(&layer.dataset, first_row, rows)?;
        slots.fill(true);
        Ok(())
    }
}
