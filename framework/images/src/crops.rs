//! The cache of crops: one file on disk, written once and read by many threads.
//!
//! | bytes | what |
//! |---|---|
//! | 16 | `CITHCROP`, version |
//! | side² × 1 or 2, for each record | a record is one channel of one cell, cells in order, the channels that a cell has |
//! | 4 for each record | CRC-32 of the record |
//! | … | [`Contents`] as JSON |
//! | 24 | length of the JSON, number of records, CRC-32 of checksums and JSON, `CROP` |
//!
//! Numbers are little-endian. The end is written last and the file takes its name when it is whole, so a file without
//! its end is damaged. Every record is checked when it is read. Crops are stored as whole numbers, never all in memory.

mod reader;
mod writer;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::reader::{Crops, Gathered};
pub(crate) use self::writer::Writer;

use crate::cells::Cells;

/// The first bytes of a cache.
const START: [u8; 8] = *b"CITHCROP";
/// The last bytes of a cache.
const END: [u8; 4] = *b"CROP";
/// What this program writes; it reads no other.
const VERSION: u32 = 1;
/// Length of the first bytes, with the version.
const START_BYTES: u64 = 16;
/// Length of the last bytes, behind the JSON.
const END_BYTES: u64 = 24;

/// The whole numbers that crops are stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// 0 to 255, one byte a pixel.
    #[default]
    U8,
    /// 0 to 65535, two bytes a pixel.
    U16,
}

impl Stored {
    /// Bytes of one pixel.
    pub fn n_bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
        }
    }

    /// What a stored number is multiplied by to lie in 0 to 1.
    pub fn scale(self) -> f32 {
        match self {
            Self::U8 => 1.0 / 255.0,
            Self::U16 => 1.0 / 65535.0,
        }
    }

    /// The bytes of pixels from 0 to 1, each rounded to the nearest whole number.
    pub(crate) fn bytes(self, pixels: &[f32]) -> Vec<u8> {
        match self {
            Self::U8 => pixels.iter().map(|pixel| (pixel * 255.0 + 0.5) as u8).collect(),
            Self::U16 => pixels.iter().flat_map(|pixel| ((pixel * 65535.0 + 0.5) as u16).to_le_bytes()).collect(),
        }
    }
}

/// A field that gave no cells, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What the field is called.
    pub field: String,
    /// Its line in the table.
    pub line: u64,
    /// What was wrong with it.
    pub reason: String,
}

/// What a cache says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// Names of the channels.
    pub channels: Vec<String>,
    /// Rows and columns of a crop.
    pub side: usize,
    /// The whole numbers that crops are stored as.
    pub stored: Stored,
    /// What a stored number is multiplied by to lie in 0 to 1.
    pub scale: f32,
    /// SHA-256 of the spec, the table and the content of every image that was read, in hexadecimal.
    pub inputs_sha256: String,
    /// SHA-256 of the spec, the table, and the name, length and time of change of every file: a cache is made again when
    /// it differs.
    pub files_sha256: String,
    /// Fields that were skipped.
    pub skipped: Vec<Skipped>,
    /// Number of crops (of one channel of one cell) without any contrast; they are all 0.
    pub n_flat_crops: u64,
    /// The cells, in the order of their crops.
    pub cells: Cells,
}

#[cfg(test)]
mod tests;
