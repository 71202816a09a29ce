//! Images as a matrix of cells × pixels that is never in memory: blocks are read when a metric asks for them.

use analysis::{ReadRows, block_rows};
use anyhow::Result;
use framework::{Modality, TargetValues};
use std::fmt;
use tch::{Device, Kind, Tensor};

/// Images of some cells of a modality, where the modality keeps them.
pub(crate) struct StoredImages<'a> {
    modality: &'a dyn Modality,
    /// The rows of the modality.
    rows: Vec<usize>,
    target: TargetValues,
}

impl<'a> StoredImages<'a> {
    /// Those rows of a modality, in this order.
    pub fn new(modality: &'a dyn Modality, rows: Vec<usize>, target: TargetValues) -> StoredImages<'a> {
        StoredImages { modality, rows, target }
    }

    /// Pixels of some of the rows that are not 0.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn n_nonzero(&self, rows: &[usize]) -> Result<usize> {
        let blocks = rows.chunks(block_rows(self.n_columns()));
        blocks.map(|block| Ok(self.read(block)?.count_nonzero(None).int64_value(&[]) as usize)).sum()
    }
}

impl fmt::Debug for StoredImages<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StoredImages").field("n_rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl ReadRows for StoredImages<'_> {
    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn n_columns(&self) -> usize {
        self.modality.shape().n_features() as usize
    }

    fn read(&self, rows: &[usize]) -> Result<Tensor> {
        let rows: Vec<usize> = rows.iter().map(|&row| self.rows[row]).collect();
        let images = self.modality.gather(&rows, self.target)?.input.to_dense();
        Ok(images.flatten(1, -1).to_device(Device::Cpu).to_kind(Kind::Float))
    }
}
