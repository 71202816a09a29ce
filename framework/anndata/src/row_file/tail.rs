//! What stands after the rows of a file: what is known of each row and column, and of the whole.
//!
//! | bytes | what |
//! |---|---|
//! | 4 per row | bytes of the row |
//! | 4 per row | values above 0 in the row |
//! | 4 per column | values above 0 in the column |
//! | 64 | numbers of the whole, then the checksum of everything from the first row's length on, then the end mark |

use std::fs::File;

use anyhow::{Context, Result, ensure};

use super::reader::read_at;
use super::{END, START, START_BYTES, VERSION};

/// Bytes of the last part.
const LAST_BYTES: usize = 64;

/// What is known of the rows of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Tail {
    pub n_stored: u64,
    /// Bytes of each row.
    pub lengths: Vec<u32>,
    pub features_per_cell: Vec<u32>,
    pub cells_per_feature: Vec<u32>,
    pub are_counts: bool,
}

impl Tail {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let numbers = [&self.lengths, &self.features_per_cell, &self.cells_per_feature];
        let mut bytes: Vec<u8> = numbers.into_iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
        let whole = [self.lengths.len() as u64, self.cells_per_feature.len() as u64, self.n_stored];
        bytes.extend(whole.iter().flat_map(|number| number.to_le_bytes()));
        bytes.push(u8::from(self.are_counts));
        bytes.extend([0; LAST_BYTES - 3 * 8 - 1 - 4 - END.len()]);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes.extend(END);
        bytes
    }

    /// Reads the tail of a file and compares it with what stands before it.
    pub(super) fn read(file: &File) -> Result<Tail> {
        let cut = "it is cut short";
        let length = file.metadata()?.len();
        let mut start = [0; START_BYTES as usize];
        ensure!(length >= START_BYTES + LAST_BYTES as u64, cut);
        read_at(file, &mut start, 0)?;
        ensure!(start.starts_with(&START), "it is no file of rows");
        let version = u32::from_le_bytes([start[8], start[9], start[10], start[11]]);
        ensure!(version == VERSION, "it is of version {version}; this program reads version {VERSION}");
        let mut last = [0; LAST_BYTES];
        read_at(file, &mut last, length - LAST_BYTES as u64)?;
        ensure!(last.ends_with(&END), cut);
        let number = |place: usize| u64::from_le_bytes(std::array::from_fn(|byte| last[8 * place + byte]));
        let (n_rows, n_columns) = (number(0), number(1));
        let n_bytes = n_rows.checked_mul(8).and_then(|n| n.checked_add(n_columns.checked_mul(4)?));
        let room = length - START_BYTES - LAST_BYTES as u64;
        let n_bytes = n_bytes.filter(|n| *n <= room).context("it says that it is longer than it is")?;
        let mut bytes = vec![0; n_bytes as usize];
        read_at(file, &mut bytes, length - LAST_BYTES as u64 - n_bytes)?;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&bytes);
        let at_checksum = LAST_BYTES - END.len() - 4;
        hasher.update(&last[..at_checksum]);
        let told = u32::from_le_bytes(std::array::from_fn(|byte| last[at_checksum + byte]));
        ensure!(hasher.finalize() == told, "what it says of its rows is damaged");
        let (numbers, _) = bytes.as_chunks::<4>();
        let mut numbers = numbers.iter().map(|four| u32::from_le_bytes(*four));
        let mut some = |n: u64| numbers.by_ref().take(n as usize).collect::<Vec<u32>>();
        let (lengths, features_per_cell, cells_per_feature) = (some(n_rows), some(n_rows), some(n_columns));
        let rows: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        ensure!(rows == room - n_bytes, "its rows have {} bytes, but it tells of {rows}", room - n_bytes);
        Ok(Tail { n_stored: number(2), lengths, features_per_cell, cells_per_feature, are_counts: last[24] == 1 })
    }
}
