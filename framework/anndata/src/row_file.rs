//! A matrix on disk from which any rows are read, where an .h5ad is too slow for single rows and memory too small for all.
//!
//! The file is written once, row after row, and takes its name when it is whole. A row is a few bytes: columns as steps from
//! the one before, counts as whole numbers of as many bytes as they need, other values in single precision; each row has a
//! checksum of its own. How many bytes each row has stands at the end, with how many values of each row and column are
//! above 0, so that filtering seldom has to read rows.
//!
//! Rows are read at their place in the file (`pread`), not through a mapping: pages of a mapped file count as memory of the
//! process, and a file that is cut short under it ends the process; a read that fails is an error.

mod coding;
mod columns;
mod reader;
mod tail;
mod writer;

#[cfg(test)]
mod tests;

pub use columns::ColumnPlaces;
pub use reader::RowFile;
pub use writer::RowFileWriter;

/// First bytes of a file.
const START: [u8; 8] = *b"CITHROWS";
/// Version of the format, in the four bytes after them.
const VERSION: u32 = 1;
/// Bytes before the first row.
const START_BYTES: u64 = 12;
/// Last bytes of a file that is whole.
const END: [u8; 8] = *b"ROWS.END";
