//! Steps: what is done to the values of a modality before a model sees them.

use crate::component::Spec;
use anndata::Csr;
use anyhow::{Result, bail};

/// One preparation of a matrix of cells × features, fitted on training cells and applied to any cells.
///
/// A step either changes values in place or selects features; zeros stay zeros, so that sparse stays sparse.
pub trait Step: Send + Sync {
    /// Learns what it needs from the rows of the training cells.
    ///
    /// `matrix` holds the values as the steps before left them.
    ///
    /// # Errors
    /// When the values are not what the step expects.
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        let (_, _) = (matrix, training);
        Ok(())
    }

    /// Learns the same from training cells that come some at a time, for data that stay on disk; a step that learns nothing
    /// returns without asking for any.
    ///
    /// What is learnt must be what [`Step::fit`] learns, to the bit: sums go over cells in their order, never over sums of
    /// blocks. A step whose `fit` is `self.fit_blocks(&mut TrainingBlocks::of(matrix, training))` keeps to that.
    ///
    /// # Errors
    /// When the values are not what the step expects, or it needs all cells at once, as it does where this is not written.
    fn fit_blocks(&mut self, blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        let _ = blocks;
        bail!(
            "it learns from all training cells at once, which matrices on disk do not give\nhelp: set `data.storage = \"memory\"` \
             or leave the step out"
        )
    }

    /// Columns to keep, ascending, if the step selects features.
    fn selected(&self) -> Option<&[usize]> {
        None
    }

    /// Changes the stored values of any rows in place.
    ///
    /// # Errors
    /// When the values are not what the step expects.
    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        let _ = matrix;
        Ok(())
    }

    /// What was learnt, for the run directory.
    fn state(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Takes up what an earlier `state` gave; selections need no state: the features that are left are kept by name.
    ///
    /// # Errors
    /// When the state is not this step's.
    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        let _ = state;
        Ok(())
    }
}

/// The training cells of a matrix, some at a time, each once and in order.
pub struct TrainingBlocks<'a> {
    n_columns: usize,
    n_cells: usize,
    blocks: Box<dyn Iterator<Item = Result<Csr>> + 'a>,
}

/// Cells of a block of a matrix in memory.
const CELLS_PER_BLOCK: usize = 1024;

impl<'a> TrainingBlocks<'a> {
    /// Blocks that come from elsewhere: `n_cells` rows of `n_columns` in all.
    pub fn new(n_columns: usize, n_cells: usize, blocks: impl Iterator<Item = Result<Csr>> + 'a) -> TrainingBlocks<'a> {
        TrainingBlocks { n_columns, n_cells, blocks: Box::new(blocks) }
    }

    /// The training cells of a matrix in memory.
    pub fn of(matrix: &'a Csr, training: &'a [usize]) -> TrainingBlocks<'a> {
        let blocks = training.chunks(CELLS_PER_BLOCK).map(|rows| matrix.select_rows(rows));
        TrainingBlocks::new(matrix.n_columns, training.len(), blocks)
    }

    /// Number of columns of each block.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Number of training cells in all blocks.
    pub fn n_cells(&self) -> usize {
        self.n_cells
    }
}

impl Iterator for TrainingBlocks<'_> {
    type Item = Result<Csr>;

    fn next(&mut self) -> Option<Result<Csr>> {
        self.blocks.next()
    }
}

/// The table that a step is built from.
#[typetag::serialize(tag = "kind")]
pub trait StepSpec: Spec {
    /// Makes the step, not yet fitted.
    ///
    /// # Errors
    /// When it cannot be made, as where it needs a file that is not there.
    fn build(&self) -> Result<Box<dyn Step>>;
}
