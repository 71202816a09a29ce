//! Writing a file of rows, some at a time.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use super::coding::encode;
use super::tail::Tail;
use super::{RowFile, START, VERSION};
use crate::Csr;
use crate::write::Draft;

/// Rows coded by one parallel task.
const ROWS_PER_TASK: usize = 64;

/// A file that takes rows until it is finished; dropped before, nothing is left of it.
pub struct RowFileWriter {
    draft: Draft,
    out: BufWriter<File>,
    path: PathBuf,
    tail: Tail,
}

impl RowFileWriter {
    /// Begins a file of rows with so many columns; one of that name is replaced when the new one is finished.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn create(path: &Path, n_columns: usize) -> Result<RowFileWriter> {
        let draft = Draft::beside(path)?;
        let file = File::options().write(true).open(draft.path())?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        out.write_all(&START)?;
        out.write_all(&VERSION.to_le_bytes())?;
        let tail = Tail { cells_per_feature: vec![0; n_columns], are_counts: true, ..Tail::default() };
        Ok(RowFileWriter { draft, out, path: path.to_owned(), tail })
    }

    /// Number of rows so far.
    pub fn n_rows(&self) -> usize {
        self.tail.lengths.len()
    }

    /// Appends the rows of a matrix.
    ///
    /// # Errors
    /// If the matrix is not sound or has another number of columns, or the file cannot be written.
    pub fn append(&mut self, rows: &Csr) -> Result<()> {
        rows.validate()?;
        let n_columns = self.tail.cells_per_feature.len();
        ensure!(rows.n_columns == n_columns, "the rows have {} columns, but those before {n_columns}", rows.n_columns);
        let first = self.n_rows();
        ensure!(u32::try_from(first + rows.n_rows).is_ok(), "{} rows are too many", first + rows.n_rows);
        let places: Vec<usize> = (0..rows.n_rows).collect();
        let coded: Vec<(Vec<u8>, Vec<u32>)> = places.par_chunks(ROWS_PER_TASK).map(|some| code(rows, some)).collect();
        for (bytes, lengths) in coded {
            let failed = || format!("cannot write `{}`; is the disk full?", self.path.display());
            self.out.write_all(&bytes).with_context(failed)?;
            self.tail.lengths.extend(lengths);
        }
        self.note(rows);
        Ok(())
    }

    /// Takes note of what filtering and losses ask of rows.
    fn note(&mut self, rows: &Csr) {
        let tail = &mut self.tail;
        tail.n_stored += rows.n_stored() as u64;
        for row in 0..rows.n_rows {
            let (columns, values) = rows.row(row);
            let mut n_above = 0;
            for (column, _) in columns.iter().zip(values).filter(|(_, value)| **value > 0.0) {
                tail.cells_per_feature[*column as usize] += 1;
                n_above += 1;
            }
            tail.features_per_cell.push(n_above);
        }
        tail.are_counts &= rows.values.iter().all(|value| *value >= 0.0 && value.fract() == 0.0);
    }

    /// Ends the file and opens it for reading.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<RowFile> {
        let failed = || format!("cannot write `{}`; is the disk full?", self.path.display());
        self.out.write_all(&self.tail.to_bytes()).and_then(|()| self.out.flush()).with_context(failed)?;
        drop(self.out);
        self.draft.keep()?;
        RowFile::open(&self.path)
    }
}

/// Some rows as bytes, and how many bytes each has.
fn code(rows: &Csr, some: &[usize]) -> (Vec<u8>, Vec<u32>) {
    let (mut bytes, mut lengths) = (Vec::new(), Vec::with_capacity(some.len()));
    for row in some {
        let start = bytes.len();
        let (columns, values) = rows.row(*row);
        encode(columns, values, &mut bytes);
        lengths.push((bytes.len() - start) as u32);
    }
    (bytes, lengths)
}
