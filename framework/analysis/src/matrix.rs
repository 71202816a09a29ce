//! What a metric reads: a matrix of cells × features, dense or sparse, a block of rows at a time.

use std::fmt;
use std::ops::Range;

use anyhow::{Result, bail, ensure};
use tch::{Device, Kind, Tensor};

use crate::measured::means_of_measured;
use crate::sparse::SparseRows;
use crate::tensor::{check_rows, from_rows, ids, numbers, shape, sum_over};

/// Entries that one dense block of rows may hold (16 MiB of 32-bit numbers).
const MAX_BLOCK_ENTRIES: usize = 4 << 20;
/// Why a product is refused.
const INCOMPLETE: &str =
    "the matrix has entries that were not measured, which no product knows; expected a matrix that is measured in full";

/// Rows of a dense matrix that are read when they are asked for, such as images on disk: no more than a block is ever in memory.
pub trait ReadRows: fmt::Debug + Sync {
    /// Number of rows.
    fn n_rows(&self) -> usize;

    /// Number of columns.
    fn n_columns(&self) -> usize;

    /// Some rows, in the order asked for; all of them exist.
    ///
    /// # Shapes
    /// `rows.len()` × n_columns, 32-bit, host.
    ///
    /// # Errors
    /// When a row cannot be read.
    fn read(&self, rows: &[usize]) -> Result<Tensor>;
}

/// A matrix of cells × features.
#[derive(Debug)]
pub enum Matrix<'a> {
    /// Dense 32-bit numbers on the host, n_cells × n_features.
    Dense(Tensor),
    /// Sparse rows; never made dense as a whole.
    Sparse(SparseRows<'a>),
    /// Sparse rows whose stored entries, zeros among them, are those that were measured. The others are NaN in blocks,
    /// count in no mean, and are never made up as a whole.
    Measured(SparseRows<'a>),
    /// Dense rows that are somewhere else, read a block at a time and each time they are needed.
    Read(&'a dyn ReadRows),
}

impl<'a> From<SparseRows<'a>> for Matrix<'a> {
    fn from(rows: SparseRows<'a>) -> Self {
        Self::Sparse(rows)
    }
}

impl Matrix<'_> {
    /// A dense matrix from a two-dimensional tensor of any floating-point kind, on any device.
    ///
    /// # Errors
    /// When the tensor is not two-dimensional or holds something else than floating-point numbers.
    pub fn dense(tensor: &Tensor) -> Result<Self> {
        shape(tensor, "a dense matrix")?;
        Ok(Self::Dense(tensor.detach().to_device(Device::Cpu).to_kind(Kind::Float).contiguous()))
    }

    /// Number of cells.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Dense(tensor) => tensor.size()[0] as usize,
            Self::Sparse(rows) | Self::Measured(rows) => rows.n_rows(),
            Self::Read(rows) => rows.n_rows(),
        }
    }

    /// Number of features.
    pub fn n_columns(&self) -> usize {
        match self {
            Self::Dense(tensor) => tensor.size()[1] as usize,
            Self::Sparse(rows) | Self::Measured(rows) => rows.n_columns(),
            Self::Read(rows) => rows.n_columns(),
        }
    }

    /// How many entries of a row were measured; the row must exist.
    pub fn n_measured(&self, row: usize) -> usize {
        match self {
            Self::Measured(stored) => stored.row(row).0.len(),
            Self::Dense(_) | Self::Sparse(_) | Self::Read(_) => self.n_columns(),
        }
    }

    /// Whether every entry counts as measured; false for [`Matrix::Measured`], whatever it stores.
    pub fn is_complete(&self) -> bool {
        !matches!(self, Self::Measured(_))
    }

    /// Some rows as a dense block, in the order asked for.
    ///
    /// # Shapes
    /// `rows.len()` × n_features, 32-bit, host; NaN where nothing was measured. Ask for at most [`block_rows`] rows at once.
    ///
    /// # Errors
    /// When a row does not exist.
    pub fn rows(&self, rows: &[usize]) -> Result<Tensor> {
        self.block(rows, &(0..self.n_columns()))
    }

    /// Some rows of a range of columns as a dense block.
    ///
    /// # Shapes
    /// `rows.len()` × `columns.len()`, 32-bit, host; NaN where nothing was measured.
    ///
    /// # Errors
    /// When a row or column does not exist.
    pub fn block(&self, rows: &[usize], columns: &Range<usize>) -> Result<Tensor> {
        check_rows(rows, self.n_rows(), "a block of rows")?;
        let n_columns = self.n_columns();
        ensure!(
            columns.start <= columns.end && columns.end <= n_columns,
            "columns {columns:?} were asked for, but there are {n_columns}"
        );
        let size = [rows.len() as i64, columns.len() as i64];
        Ok(match self {
            Self::Dense(tensor) => tensor.narrow(1, columns.start as i64, size[1]).index_select(0, &ids(rows)),
            Self::Sparse(sparse) => Tensor::from_slice(&sparse.dense(rows, columns)).view(size),
            Self::Measured(sparse) => Tensor::from_slice(&sparse.written_out(rows, columns, f32::NAN)).view(size),
            Self::Read(reader) => reader.read(rows)?.f_narrow(1, columns.start as i64, size[1])?,
        })
    }

    /// A block made from rows of this matrix, with the mean of its column where nothing was measured; the block as it is
    /// where the matrix is complete.
    ///
    /// # Shapes
    /// block: n × n_features; means: 1 × n_features, as of [`Matrix::column_means`].
    ///
    /// # Errors
    /// When the widths differ.
    pub fn filled(&self, block: Tensor, means: &Tensor) -> Result<Tensor> {
        if self.is_complete() {
            return Ok(block);
        }
        Ok(block.f_where_self(&block.isnan().logical_not(), &means.to_kind(block.kind()))?)
    }

    /// A B for the given rows of A, in 64-bit; `right` is n_features × width.
    pub(crate) fn times(&self, rows: &[usize], right: &Tensor) -> Result<Tensor> {
        let width = right.size()[1] as usize;
        self.check_complete()?;
        if let Self::Sparse(sparse) = self {
            return Ok(from_rows(&sparse.times(rows, &numbers(right)?, width), width));
        }
        let mut parts = Vec::new();
        for chunk in rows.chunks(block_rows(self.n_columns())) {
            parts.push(self.rows(chunk)?.to_kind(Kind::Double).f_matmul(right)?);
        }
        Ok(Tensor::f_cat(&parts, 0)?)
    }

    /// Refuses a matrix with unmeasured entries.
    pub(crate) fn check_complete(&self) -> Result<()> {
        if self.is_complete() { Ok(()) } else { bail!(INCOMPLETE) }
    }

    /// Aᵀ B for the given rows of A, in 64-bit; `right` is `rows.len()` × width.
    pub(crate) fn transposed_times(&self, rows: &[usize], right: &Tensor) -> Result<Tensor> {
        let width = right.size()[1] as usize;
        self.check_complete()?;
        if let Self::Sparse(sparse) = self {
            return Ok(from_rows(&sparse.transposed_times(rows, &numbers(right)?, width), width));
        }
        let mut product = Tensor::zeros([self.n_columns() as i64, width as i64], (Kind::Double, Device::Cpu));
        let mut start = 0;
        for chunk in rows.chunks(block_rows(self.n_columns())) {
            let weights = right.narrow(0, start, chunk.len() as i64);
            product += self.rows(chunk)?.to_kind(Kind::Double).tr().f_matmul(&weights)?;
            start += chunk.len() as i64;
        }
        Ok(product)
    }

    /// (A − 1 `means`)ᵀ B for the given rows of A and a B whose columns sum to 0; for a complete A that is Aᵀ B.
    /// Unmeasured entries of A count as the mean of their column.
    pub(crate) fn transposed_times_about(&self, rows: &[usize], right: &Tensor, means: &Tensor) -> Result<Tensor> {
        let Self::Measured(sparse) = self else { return self.transposed_times(rows, right) };
        let width = right.size()[1] as usize;
        let product = sparse.transposed_times_about(rows, &numbers(right)?, width, &numbers(means)?);
        Ok(from_rows(&product, width))
    }

    /// Mean of each column over the given rows, and the sum of squares about those means over all columns; of what was
    /// measured. A column that was measured in none of the rows gets the mean of all measured entries.
    ///
    /// # Shapes
    /// means: 1 × n_features, 64-bit.
    ///
    /// # Errors
    /// When a row does not exist or none of the entries was measured.
    pub fn column_means(&self, rows: &[usize]) -> Result<(Tensor, f64)> {
        check_rows(rows, self.n_rows(), "a list of rows")?;
        let n = rows.len() as f64;
        if let Self::Measured(sparse) = self {
            let (means, about_mean) = means_of_measured(sparse, rows)?;
            return Ok((from_rows(&means, self.n_columns()), about_mean));
        }
        if let Self::Sparse(sparse) = self {
            let (sums, squares) = sparse.column_sums(rows);
            let about_mean = sums.iter().zip(&squares).map(|(sum, square)| (square - sum * sum / n).max(0.0)).sum();
            let means: Vec<f64> = sums.iter().map(|sum| sum / n).collect();
            return Ok((from_rows(&means, self.n_columns()), about_mean));
        }
        let mut sums = Tensor::zeros([1, self.n_columns() as i64], (Kind::Double, Device::Cpu));
        for chunk in rows.chunks(block_rows(self.n_columns())) {
            sums += sum_over(&self.rows(chunk)?.to_kind(Kind::Double), 0);
        }
        let means = sums / n;
        let mut about_mean = 0.0;
        for chunk in rows.chunks(block_rows(self.n_columns())) {
            let centred = self.rows(chunk)?.to_kind(Kind::Double) - &means;
            about_mean += (&centred * &centred).sum(Kind::Double).double_value(&[]);
        }
        Ok((means, about_mean))
    }
}

/// How many rows of so many columns make one dense block: at most 1,024, and at most 16 MiB, but at least one.
pub fn block_rows(n_columns: usize) -> usize {
    (MAX_BLOCK_ENTRIES / n_columns.max(1)).clamp(1, 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [f32; 6] = [1.0, 0.0, 2.0, 0.0, 3.0, 4.0];

    fn both() -> (Matrix<'static>, Matrix<'static>) {
        let dense = Matrix::dense(&Tensor::from_slice(&ROWS).view([2, 3])).unwrap();
        let sparse = SparseRows::new(&[0, 2, 4], &[0, 2, 1, 2], &[1.0, 2.0, 3.0, 4.0], 3).unwrap();
        (dense, sparse.into())
    }

    #[test]
    fn dense_and_sparse_say_the_same() {
        let (dense, sparse) = both();
        let rows = [1, 0, 1];
        let right = Tensor::from_slice(&[1.0, 10.0, 2.0, 20.0, 3.0, 30.0]).view([3, 2]);
        assert_eq!(dense.rows(&rows).unwrap(), sparse.rows(&rows).unwrap());
        assert_eq!(dense.block(&rows, &(1..3)).unwrap(), sparse.block(&rows, &(1..3)).unwrap());
        assert_eq!(dense.times(&rows, &right).unwrap(), sparse.times(&rows, &right).unwrap());
        assert_eq!(dense.transposed_times(&rows, &right).unwrap(), sparse.transposed_times(&rows, &right).unwrap());
        let ((means, squares), (sparse_means, sparse_squares)) =
            (dense.column_means(&rows).unwrap(), sparse.column_means(&rows).unwrap());
        assert!(means.allclose(&sparse_means, 1e-12, 1e-12, false));
        assert!((squares - sparse_squares).abs() < 1e-9);
    }

    /// Rows made when they are asked for.
    #[derive(Debug)]
    struct Elsewhere;

    impl ReadRows for Elsewhere {
        fn n_rows(&self) -> usize {
            2
        }

        fn n_columns(&self) -> usize {
            3
        }

        fn read(&self, rows: &[usize]) -> Result<Tensor> {
            let values: Vec<f32> = rows.iter().flat_map(|row| ROWS[3 * row..][..3].to_vec()).collect();
            Ok(Tensor::from_slice(&values).view([-1, 3]))
        }
    }

    #[test]
    fn rows_that_are_read_say_the_same() {
        let (dense, read) = (both().0, Matrix::Read(&Elsewhere));
        let rows = [1, 0, 1];
        let right = Tensor::from_slice(&[1.0, 10.0, 2.0, 20.0, 3.0, 30.0]).view([3, 2]);
        assert_eq!(dense.rows(&rows).unwrap(), read.rows(&rows).unwrap());
        assert_eq!(dense.block(&rows, &(1..3)).unwrap(), read.block(&rows, &(1..3)).unwrap());
        assert_eq!(dense.times(&rows, &right).unwrap(), read.times(&rows, &right).unwrap());
        assert_eq!(dense.transposed_times(&rows, &right).unwrap(), read.transposed_times(&rows, &right).unwrap());
        assert_eq!(dense.column_means(&rows).unwrap(), read.column_means(&rows).unwrap());
        assert!(read.is_complete() && read.n_measured(1) == 3);
        assert!(read.rows(&[2]).unwrap_err().to_string().contains("cell 2"));
    }

    #[test]
    fn missing_rows_and_columns_are_refused() {
        let (dense, sparse) = both();
        assert!(dense.rows(&[2]).unwrap_err().to_string().contains("cell 2"));
        assert!(sparse.block(&[0], &(2..4)).unwrap_err().to_string().contains("there are 3"));
        assert!(Matrix::dense(&Tensor::from_slice(&ROWS)).is_err());
    }

    #[test]
    fn blocks_stay_small() {
        assert_eq!(block_rows(10), 1024);
        assert_eq!(block_rows(58_170), 72);
        assert_eq!(block_rows(usize::MAX), 1);
    }
}
