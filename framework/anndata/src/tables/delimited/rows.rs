//! Separated text cut into rows of fields, each with the line on which it begins.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

use super::separator;
use crate::tables::text_file;

/// Bytes of the beginning in which the first line is searched for its separator.
const START: u64 = 1 << 16;

/// One row of fields.
#[derive(Default)]
pub(super) struct Row {
    pub fields: ByteRecord,
    /// The line on which it begins, counted from 1.
    pub line: u64,
}

/// A file of separated text before its next row.
pub(super) struct Rows {
    path: PathBuf,
    reader: Reader<Box<dyn Read>>,
    /// What separates the fields.
    pub separator: u8,
    /// What would rather separate the first line, if that is something else.
    pub offered: Option<u8>,
}

impl Rows {
    /// Opens a file before its first row.
    pub(super) fn open(path: &Path, separator: Option<u8>) -> Result<Self> {
        let mut content = text_file::open(path)?;
        let mut start = Vec::new();
        let peeked = content.by_ref().take(START).read_to_end(&mut start);
        peeked.with_context(|| format!("could not read the start of `{}`; is the file whole?", path.display()))?;
        let offered = separator::most_frequent(&start);
        let separator = separator.map_or_else(|| separator::guess(path, &start), Ok)?;
        ensure!(
            !b"\"\r\n".contains(&separator),
            "{} cannot separate fields: it has a meaning of its own",
            separator::in_words(separator)
        );
        // so that every row, also the last, ends with the end of a line, by which lines are counted
        let whole: Box<dyn Read> = Box::new(Cursor::new(start).chain(content).chain(&b"\n"[..]));
        let mut builder = ReaderBuilder::new();
        builder.delimiter(separator).has_headers(false).flexible(true).terminator(Terminator::Any(b'\n'));
        let offered = offered.filter(|offered| *offered != separator);
        Ok(Self { path: path.to_owned(), reader: builder.from_reader(whole), separator, offered })
    }

    /// Reads the next row that is not blank; false after the last.
    pub(super) fn advance(&mut self, row: &mut Row) -> Result<bool> {
        loop {
            let before = self.reader.position().line();
            let is_row = self.reader.read_byte_record(&mut row.fields).with_context(|| {
                let line = self.reader.position().line();
                format!("could not read `{}` after line {line}; is the file whole?", self.path.display())
            })?;
            // counted from its end, since the reader counts the blank lines before a row to it; but a quote left open
            // ends with the file and not with a line
            let n_within = row.fields.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
            row.line = self.reader.position().line().saturating_sub(1 + n_within).max(before);
            if !is_row || row.fields.len() > 1 || !row.fields.as_slice().trim_ascii().is_empty() {
                return Ok(is_row);
            }
        }
    }

    /// "`a.csv`, line 3": a row as messages name it.
    pub(super) fn place(&self, row: &Row) -> String {
        format!("`{}`, line {}", self.path.display(), row.line)
    }

    /// "`a.csv`": the file as messages name it.
    pub(super) fn label(&self) -> String {
        format!("`{}`", self.path.display())
    }

    /// A field that is a name.
    pub(super) fn name(&self, field: &[u8], row: &Row) -> Result<String> {
        let text = std::str::from_utf8(field);
        let text =
            text.map_err(|_| anyhow!("{}: a name that is not UTF-8; save the file again as UTF-8", self.place(row)))?;
        Ok(text.trim().to_owned())
    }
}
