//! A matrix of cells × features in any encoding, as rows.

use std::ops::Range;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use hdf5::Group;
use hdf5_metno as hdf5;

use super::{dense, place, sparse};
use crate::Csr;

/// Who the rows and columns of a matrix are, for checking its shape and for messages.
pub(crate) struct Naming<'a> {
    /// The matrix as messages name it.
    pub label: String,
    pub cells: &'a [String],
    pub features: &'a [String],
}

impl Naming<'_> {
    /// The message about a value that cannot be used.
    pub(crate) fn misfit(&self, row: usize, column: usize, value: f64) -> Error {
        let why = if value.is_finite() {
            "which 32-bit floating point cannot hold exactly; save the matrix scaled down"
        } else {
            "expected finite numbers; replace such values or remove the cell or feature"
        };
        anyhow!("{} holds {value} (cell `{}`, feature `{}`), {why}", self.label, self.cells[row], self.features[column])
    }

    /// Checks that a stored shape is cells × features.
    pub(crate) fn check_shape(&self, shape: &[usize]) -> Result<()> {
        ensure!(
            shape == [self.cells.len(), self.features.len()],
            "{} has shape {shape:?}, but there are {} cells and {} features",
            self.label,
            self.cells.len(),
            self.features.len()
        );
        Ok(())
    }
}

/// Hands out all rows of the matrix `parent/name`, as many at a time as hold about `most` values.
pub(crate) fn read_blocks(
    parent: &Group,
    name: &str,
    naming: &Naming,
    most: u64,
    each: &mut dyn FnMut(Csr) -> Result<()>,
) -> Result<()> {
    let Ok(group) = parent.group(name) else {
        let n_rows = (most as usize / naming.features.len().max(1)).max(1);
        let starts = (0..naming.cells.len()).step_by(n_rows);
        let blocks = starts.map(|start| start..(start + n_rows).min(naming.cells.len()));
        return blocks.into_iter().try_for_each(|rows| each(read(parent, name, naming, rows)?));
    };
    match place::encoding(&group).as_str() {
        "csr_matrix" => sparse::read_row_blocks(&group, naming, most, each),
        "csc_matrix" => bail!(
            "{} is kept column by column (csc_matrix), so that its rows cannot be read some at a time; write it row by row, in \
             Python with `X = X.tocsr()`",
            naming.label
        ),
        _ => each(read(parent, name, naming, 0..naming.cells.len())?),
    }
}

/// The number of values that the matrix `parent/name` stores, if it is sparse.
pub(crate) fn n_stored(parent: &Group, name: &str) -> Result<Option<u64>> {
    parent.group(name).ok().map(|group| sparse::n_stored(&group)).transpose()
}

/// Reads rows of the matrix `parent/name`.
pub(crate) fn read(parent: &Group, name: &str, naming: &Naming, rows: Range<usize>) -> Result<Csr> {
    ensure!(
        rows.start <= rows.end && rows.end <= naming.cells.len(),
        "rows {rows:?} of {} were asked for, but there are {} cells",
        naming.label,
        naming.cells.len()
    );
    if let Ok(dataset) = parent.dataset(name) {
        return dense::read_sparse(dataset, naming, rows);
    }
    let group = parent.group(name).with_context(|| format!("could not open {}", naming.label))?;
    match place::encoding(&group).as_str() {
        "csr_matrix" => sparse::read_rows(&group, naming, rows),
        "csc_matrix" => sparse::read_columns(&group, naming, rows),
        other => bail!(
            "{} has the encoding `{other}`, which is not a matrix this program reads; expected a dense array, \
             csr_matrix or csc_matrix",
            naming.label
        ),
    }
}
