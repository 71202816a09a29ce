//! Matrices: sparse rows with gzip, dense ones in chunks of whole rows.

use anyhow::{Context, Result, ensure};
use hdf5::{Dataset, Group, H5Type};
use hdf5_metno as hdf5;
use ndarray::ArrayView2;

use super::element::{create_group, ensure_name, mark};
use crate::read::place::label;
use crate::{Csr, Dense};

/// Values in one chunk of a dense array (1 MiB).
const VALUES_PER_CHUNK: usize = 1 << 18;

/// Values in one chunk of the arrays of a sparse matrix.
const STORED_PER_CHUNK: usize = 1 << 16;

/// gzip level of sparse matrices; higher ones cost time and gain little.
const GZIP_LEVEL: u8 = 4;

/// A matrix of cells × features to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Matrix {
    /// Written as `csr_matrix`, compressed with gzip.
    Sparse(Csr),
    /// Written as a dense array, not compressed.
    Dense(Dense),
}

impl From<Csr> for Matrix {
    fn from(matrix: Csr) -> Self {
        Self::Sparse(matrix)
    }
}

impl From<Dense> for Matrix {
    fn from(matrix: Dense) -> Self {
        Self::Dense(matrix)
    }
}

impl Matrix {
    fn shape(&self) -> [usize; 2] {
        match self {
            Self::Sparse(matrix) => [matrix.n_rows, matrix.n_columns],
            Self::Dense(matrix) => [matrix.n_rows, matrix.n_columns],
        }
    }

    /// Writes the matrix after checking that it is cells × features.
    pub(crate) fn write(&self, parent: &Group, name: &str, shape: [usize; 2]) -> Result<()> {
        ensure!(
            self.shape() == shape,
            "the matrix `{name}` has shape {:?}, but there are {} cells and {} features",
            self.shape(),
            shape[0],
            shape[1]
        );
        match self {
            Self::Sparse(matrix) => write_sparse(parent, name, matrix),
            Self::Dense(matrix) => write_dense(parent, name, matrix),
        }
    }
}

/// Writes sparse rows, compressed with gzip.
pub(crate) fn write_sparse(parent: &Group, name: &str, matrix: &Csr) -> Result<()> {
    matrix.validate().with_context(|| format!("the matrix `{name}` is not sound"))?;
    let group = create_group(parent, name)?;
    mark(&group, "csr_matrix", "0.1.0")?;
    let shape = [matrix.n_rows as i64, matrix.n_columns as i64];
    group.new_attr_builder().with_data(&shape).create("shape")?;
    write_compressed(&group, "data", &matrix.values)?;
    // SciPy uses one integer type for both, and copies where they differ
    if matrix.n_stored().max(matrix.n_columns) <= i32::MAX as usize {
        write_compressed(&group, "indices", &matrix.indices.iter().map(|index| *index as i32).collect::<Vec<_>>())?;
        write_compressed(&group, "indptr", &matrix.indptr.iter().map(|start| *start as i32).collect::<Vec<_>>())
    } else {
        write_compressed(&group, "indices", &matrix.indices.iter().map(|index| i64::from(*index)).collect::<Vec<_>>())?;
        write_compressed(&group, "indptr", &matrix.indptr.iter().map(|start| *start as i64).collect::<Vec<_>>())
    }
}

fn write_compressed<T: H5Type>(group: &Group, name: &str, values: &[T]) -> Result<()> {
    let mut builder = group.new_dataset_builder();
    if !values.is_empty() {
        builder = builder.chunk(STORED_PER_CHUNK.min(values.len())).shuffle().deflate(GZIP_LEVEL);
    }
    builder.with_data(values).create(name)?;
    Ok(())
}

/// Writes a dense array.
pub(crate) fn write_dense(parent: &Group, name: &str, dense: &Dense) -> Result<()> {
    let dataset = create_dense(parent, name, [dense.n_rows, dense.n_columns])?;
    write_rows(&dataset, 0, dense)
}

/// Creates a dense array of zeros, to be filled row by row.
pub(crate) fn create_dense(parent: &Group, name: &str, shape: [usize; 2]) -> Result<Dataset> {
    ensure_name(name)?;
    let mut builder = parent.new_dataset::<f32>();
    if shape[0] > 0 && shape[1] > 0 {
        let n_rows = (VALUES_PER_CHUNK / shape[1]).clamp(1, shape[0]);
        builder = builder.chunk((n_rows, shape[1]));
    }
    let created = builder.shape(shape).create(name);
    let dataset = created.with_context(|| format!("could not write `{name}` in {}", label(parent)))?;
    mark(&dataset, "array", "0.2.0")?;
    Ok(dataset)
}

/// Writes consecutive rows of a dense array.
pub(crate) fn write_rows(dataset: &Dataset, first_row: usize, rows: &Dense) -> Result<()> {
    ensure!(
        rows.values.len() == rows.n_rows * rows.n_columns,
        "{} values do not make {} rows of {} columns",
        rows.values.len(),
        rows.n_rows,
        rows.n_columns
    );
    let view = ArrayView2::from_shape((rows.n_rows, rows.n_columns), &rows.values)?;
    dataset
        .write_slice(view, (first_row..first_row + rows.n_rows, ..))
        .with_context(|| format!("could not write rows of {}; is the disk full?", label(dataset)))
}
