//! A picture in colour, drawn upon and written as PNG.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result};
use png::{BitDepth, ColorType, Encoder};

use super::letters;

/// A picture of red, green and blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// Red, green and blue of each pixel, row by row.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// A picture of one colour.
    pub fn new(height: usize, width: usize, colour: [u8; 3]) -> Self {
        Self { height, width, rgb: colour.repeat(height * width) }
    }

    /// Sets one pixel; beyond the picture nothing happens.
    pub fn set(&mut self, row: usize, column: usize, colour: [u8; 3]) {
        if row < self.height && column < self.width {
            let at = 3 * (row * self.width + column);
            self.rgb[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// Writes a text with its upper left corner at a place, each of its pixels `size` pixels wide.
    pub fn write(&mut self, (top, left): (usize, usize), text: &str, size: usize, colour: [u8; 3]) {
        for (row, column) in letters::pixels(text) {
            for (y, x) in (0..size).flat_map(|y| (0..size).map(move |x| (y, x))) {
                self.set(top + row * size + y, left + column * size + x, colour);
            }
        }
    }

    /// Writes the picture as PNG.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let failed = || format!("cannot write `{}`", path.display());
        let file = BufWriter::new(File::create(path).with_context(failed)?);
        let (width, height) = (u32::try_from(self.width)?, u32::try_from(self.height)?);
        let mut encoder = Encoder::new(file, width, height);
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().with_context(failed)?;
        writer.write_image_data(&self.rgb).with_context(failed)?;
        writer.finish().with_context(failed)
    }
}

/// Columns that a text takes.
pub(super) fn width_of(text: &str, size: usize) -> usize {
    text.chars().count() * letters::ADVANCE * size
}

/// Rows that a text takes.
pub(super) fn height_of(size: usize) -> usize {
    letters::HEIGHT * size
}
