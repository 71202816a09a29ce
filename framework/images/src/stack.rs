//! Images of single cells that were cut elsewhere, wherever they are.

use anyhow::Result;

use crate::plane::Plane;
use crate::read::Stack;

/// What is known of the cells of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StackCells {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Name of each cell, and its values in the columns.
    pub rows: Vec<(String, Vec<String>)>,
}

/// Takes the cells of a block, each the planes of its channels.
pub type Visit<'v> = dyn FnMut(Vec<Vec<Plane>>) -> Result<()> + 'v;

/// Images of single cells, met some cells at a time.
pub trait CellStack {
    /// Number of cells.
    fn n_cells(&self) -> usize;

    /// Number of channels.
    fn n_channels(&self) -> usize;

    /// Rows and columns of an image.
    fn size(&self) -> (usize, usize);

    /// What the file says of its cells; `None` where it says nothing.
    fn cells(&self) -> Option<StackCells> {
        None
    }

    /// Hands cells to `visit` in blocks of at most `n_together`, in order.
    ///
    /// # Errors
    /// If the file is damaged, or `visit` refuses.
    fn each_block(&self, n_together: usize, visit: &mut Visit<'_>) -> Result<()>;
}

impl CellStack for Stack {
    fn n_cells(&self) -> usize {
        self.n_cells()
    }

    fn n_channels(&self) -> usize {
        self.n_channels()
    }

    fn size(&self) -> (usize, usize) {
        self.size()
    }

    fn each_block(&self, n_together: usize, visit: &mut Visit<'_>) -> Result<()> {
        self.for_each_block(n_together, visit)
    }
}
