//! Reading any rows of a file, from many threads at once.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use rayon::prelude::*;

use super::coding::Decoded;
use super::tail::Tail;
use super::{ColumnPlaces, START_BYTES};
use crate::Csr;

/// Rows read by one parallel task.
const ROWS_PER_TASK: usize = 64;
/// Bytes of neighbouring rows that are read at once, at most (a longer row is read whole).
const BYTES_AT_ONCE: u64 = 1 << 20;
/// Bytes between two rows that are read rather than passed over when they are read ahead.
const WORTH_READING: u64 = 1 << 16;

/// An open file of rows. Reading moves no place in the file, so threads may share it.
#[derive(Debug)]
pub struct RowFile {
    path: PathBuf,
    file: File,
    /// Where each row starts, and where the last one ends.
    starts: Vec<u64>,
    n_stored: u64,
    features_per_cell: Vec<u32>,
    cells_per_feature: Vec<u32>,
    are_counts: bool,
}

impl RowFile {
    /// Opens a file and reads what it says of its rows.
    ///
    /// # Errors
    /// If there is no such file, it is no file of rows or one of another version, or it is damaged or cut short.
    pub fn open(path: &Path) -> Result<RowFile> {
        ensure!(path.is_file(), "no file `{}`", path.display());
        let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
        let tail = Tail::read(&file).with_context(|| format!("`{}` cannot be used", path.display()))?;
        let mut starts = Vec::with_capacity(tail.lengths.len() + 1);
        starts.push(START_BYTES);
        for length in &tail.lengths {
            starts.push(starts[starts.len() - 1] + u64::from(*length));
        }
        let Tail { n_stored, features_per_cell, cells_per_feature, are_counts, .. } = tail;
        Ok(RowFile { path: path.to_owned(), file, starts, n_stored, features_per_cell, cells_per_feature, are_counts })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.features_per_cell.len()
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.cells_per_feature.len()
    }

    /// Number of stored values.
    pub fn n_stored(&self) -> u64 {
        self.n_stored
    }

    /// Whether all values are integers of at least 0.
    pub fn are_counts(&self) -> bool {
        self.are_counts
    }

    /// How many values of each row are above 0.
    pub fn features_per_cell(&self) -> &[u32] {
        &self.features_per_cell
    }

    /// How many values of each column are above 0.
    pub fn cells_per_feature(&self) -> &[u32] {
        &self.cells_per_feature
    }

    /// Bytes of a row on disk; 0 where there is no such row.
    pub fn row_bytes(&self, row: u32) -> u64 {
        let end = self.starts.get(row as usize + 1);
        end.map_or(0, |end| end - self.starts[row as usize])
    }

    /// Bytes of memory that the open file holds.
    pub fn n_bytes(&self) -> u64 {
        (self.starts.len() * 8 + (self.features_per_cell.len() + self.cells_per_feature.len()) * 4) as u64
    }

    /// Some rows in any order, with some of their columns.
    ///
    /// # Errors
    /// If a row does not exist, cannot be read or is damaged.
    pub fn read(&self, rows: &[u32], columns: &ColumnPlaces) -> Result<Csr> {
        ensure!(
            columns.n_in_file() == self.n_columns(),
            "columns were chosen of {}, but the file has {}",
            columns.n_in_file(),
            self.n_columns()
        );
        if let Some(row) = rows.iter().find(|row| **row as usize >= self.n_rows()) {
            return Err(anyhow!("row {row} was asked for, but there are {} rows", self.n_rows()));
        }
        // of several damaged rows the first is told
        let parts: Vec<Result<Decoded>> =
            rows.par_chunks(ROWS_PER_TASK).map(|some| self.decode(some, columns)).collect();
        Ok(joined(&parts.into_iter().collect::<Result<Vec<_>>>()?, rows.len(), columns.n_columns()))
    }

    /// Asks the system for the bytes of rows that will be read soon, where they lie close together: it holds them ready, and
    /// reading them one by one waits for no disk. Rows far from each other are left alone.
    pub fn read_ahead(&self, rows: &[u32]) {
        let mut rows: Vec<u32> = rows.iter().copied().filter(|row| (*row as usize) < self.n_rows()).collect();
        rows.sort_unstable();
        let mut spans: Vec<(Range<u64>, usize)> = Vec::new();
        for row in rows {
            let bytes = self.starts[row as usize]..self.starts[row as usize + 1];
            match spans.last_mut() {
                Some((span, n_rows)) if bytes.start <= span.end + WORTH_READING => {
                    (span.end, *n_rows) = (span.end.max(bytes.end), *n_rows + 1);
                }
                _ => spans.push((bytes, 1)),
            }
        }
        let mut buffer = vec![0; BYTES_AT_ONCE as usize];
        for (span, _) in spans.into_iter().filter(|(_, n_rows)| *n_rows > 1) {
            for start in span.clone().step_by(BYTES_AT_ONCE as usize) {
                let n_bytes = (span.end - start).min(BYTES_AT_ONCE) as usize;
                // a failure is told when the row itself is read
                let _ = read_at(&self.file, &mut buffer[..n_bytes], start);
            }
        }
    }

    fn decode(&self, rows: &[u32], columns: &ColumnPlaces) -> Result<Decoded> {
        let mut decoded = Decoded::default();
        let mut bytes = Vec::new();
        let mut rest = rows;
        while !rest.is_empty() {
            let (together, after) = rest.split_at(self.n_neighbours(rest));
            rest = after;
            let place = self.starts[together[0] as usize];
            let last = together[together.len() - 1] as usize;
            bytes.resize((self.starts[last + 1] - place) as usize, 0);
            let unreadable = || format!("`{}` cannot be read", self.path.display());
            read_at(&self.file, &mut bytes, place).with_context(unreadable)?;
            for row in together {
                let within = self.starts[*row as usize] - place..self.starts[*row as usize + 1] - place;
                let row_bytes = &bytes[within.start as usize..within.end as usize];
                decoded.push(row_bytes, columns).ok_or_else(|| self.damaged(*row))?;
            }
        }
        Ok(decoded)
    }

    /// How many rows from the first on follow each other in the file and are read at once.
    fn n_neighbours(&self, rows: &[u32]) -> usize {
        let start = self.starts[rows[0] as usize];
        let follows = |pair: &[u32]| {
            pair[1] == pair[0].wrapping_add(1) && self.starts[pair[1] as usize + 1] - start <= BYTES_AT_ONCE
        };
        1 + rows.windows(2).take_while(|pair| follows(pair)).count()
    }

    fn damaged(&self, row: u32) -> anyhow::Error {
        anyhow!("row {row} of `{}` is damaged; delete the file to have it made again", self.path.display())
    }
}

fn joined(parts: &[Decoded], n_rows: usize, n_columns: usize) -> Csr {
    let n_stored = parts.iter().map(|part| part.values.len()).sum();
    let mut matrix = Csr {
        n_rows,
        n_columns,
        indptr: Vec::with_capacity(n_rows + 1),
        indices: Vec::with_capacity(n_stored),
        values: Vec::with_capacity(n_stored),
    };
    matrix.indptr.push(0);
    for part in parts {
        let before = matrix.indices.len() as u64;
        matrix.indptr.extend(part.ends.iter().map(|end| before + end));
        matrix.indices.extend_from_slice(&part.indices);
        matrix.values.extend_from_slice(&part.values);
    }
    matrix
}

#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], place: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

#[cfg(not(unix))]
pub(super) fn read_at(file: &File, bytes: &mut [u8], place: u64) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    // an own handle, for the place in a file is shared by its threads
    let mut own = file.try_clone()?;
    own.seek(SeekFrom::Start(place))?;
    own.read_exact(bytes)
}
