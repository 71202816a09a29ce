//! Arrays that are written a few rows at a time, so that a large prediction is never whole in memory.

use anyhow::{Result, bail, ensure};
use hdf5::{Dataset, Group};
use hdf5_metno as hdf5;

use super::{Annotator, member_dict};
use crate::Dense;
use crate::file::Kind;
use crate::read::{frame, place};
use crate::write::matrix;

/// An array that is being written (see [`Annotator::create_layer`] and [`Annotator::create_obsm`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrayId(usize);

/// A dense array on disk and which of its rows are there.
pub(super) struct ArrayRows {
    dataset: Dataset,
    n_columns: usize,
    written: Vec<bool>,
}

impl ArrayRows {
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
    /// Creates `layers[key]` as a dense array of cells × features, to be filled by [`Annotator::write_rows`].
    ///
    /// # Errors
    /// If the modality does not exist; MuData as a whole has no layers.
    pub fn create_layer(&mut self, modality: Option<&str>, key: &str) -> Result<ArrayId> {
        ensure!(
            self.kind == Kind::H5ad || modality.is_some(),
            "layer `{key}`: a MuData file has layers in its modalities only; name one"
        );
        let target = self.target(modality)?;
        let shape = [frame::n_rows(&target, "obs")?, frame::n_rows(&target, "var")?];
        let layers = member_dict(&target, "layers")?;
        self.clear(&layers, key)?;
        self.create_array(&layers, key, shape)
    }

    /// Creates `obsm[key]` as a dense array of cells × columns, to be filled by [`Annotator::write_rows`].
    ///
    /// # Errors
    /// If the modality does not exist, or the key names a modality's own mask.
    pub fn create_obsm(&mut self, modality: Option<&str>, key: &str, n_columns: usize) -> Result<ArrayId> {
        let target = self.target(modality)?;
        let shape = [frame::n_rows(&target, "obs")?, n_columns];
        let obsm = self.room_in_obsm(&target, modality, key)?;
        self.create_array(&obsm, key, shape)
    }

    fn create_array(&mut self, parent: &Group, key: &str, shape: [usize; 2]) -> Result<ArrayId> {
        let dataset = matrix::create_dense(parent, key, shape)?;
        self.arrays.push(ArrayRows { dataset, n_columns: shape[1], written: vec![false; shape[0]] });
        Ok(ArrayId(self.arrays.len() - 1))
    }

    /// Writes consecutive rows of an array, in any order of calls; every row must be written once before the end.
    ///
    /// # Shapes
    /// Any number of cells × all columns.
    ///
    /// # Errors
    /// If the rows do not fit into the array or were written already.
    pub fn write_rows(&mut self, array: ArrayId, first_row: usize, rows: &Dense) -> Result<()> {
        let Some(array) = self.arrays.get_mut(array.0) else {
            bail!("this array belongs to another file");
        };
        let end = first_row + rows.n_rows;
        ensure!(
            rows.n_columns == array.n_columns && end <= array.written.len(),
            "rows {first_row}..{end} of {} columns do not fit into {} of {} × {}",
            rows.n_columns,
            place::label(&array.dataset),
            array.written.len(),
            array.n_columns
        );
        let slots = &mut array.written[first_row..end];
        ensure!(
            !slots.contains(&true),
            "some of rows {first_row}..{end} of {} were written already",
            place::label(&array.dataset)
        );
        matrix::write_rows(&array.dataset, first_row, rows)?;
        slots.fill(true);
        Ok(())
    }
}
