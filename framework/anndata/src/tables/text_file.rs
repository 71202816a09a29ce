//! Text files, compressed or not, line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use flate2::read::MultiGzDecoder;

/// The first bytes of everything that gzip wrote.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The longest line that is read, in bytes; a longer one is no line of a list or a sparse matrix.
const LONGEST: u64 = 1 << 20;

/// The plain content of a file; whether it is gzip shows in its first bytes, not in its name.
///
/// # Errors
/// If there is no such file or it cannot be read.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>> {
    ensure!(path.is_file(), "no file `{}`", path.display());
    let failed = || format!("cannot open `{}`", path.display());
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).with_context(failed)?);
    let mut start = Vec::new();
    file.by_ref().take(GZIP.len() as u64).read_to_end(&mut start).with_context(failed)?;
    let is_gzip = start == GZIP;
    let whole = Cursor::new(start).chain(file);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// A text file read line by line that knows where it is.
pub(crate) struct Lines {
    path: PathBuf,
    reader: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Opens a file before its first line.
    ///
    /// # Errors
    /// As [`open`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let reader = BufReader::with_capacity(1 << 16, open(path)?);
        Ok(Self { path: path.to_owned(), reader, line: Vec::new(), number: 0 })
    }

    /// The next line without its end; none after the last.
    ///
    /// # Errors
    /// If the file is damaged, or the line is not UTF-8 or longer than 1 MiB.
    pub(crate) fn next_line(&mut self) -> Result<Option<&str>> {
        self.next_line_where(|_| true)
    }

    /// The next line that is wanted, without its end; none after the last.
    ///
    /// # Errors
    /// As [`Lines::next_line`].
    pub(crate) fn next_line_where(&mut self, is_wanted: impl Fn(&str) -> bool) -> Result<Option<&str>> {
        while self.advance()? {
            if is_wanted(self.current()?) {
                return self.current().map(Some);
            }
        }
        Ok(None)
    }

    /// Reads one line; false after the last.
    fn advance(&mut self) -> Result<bool> {
        self.line.clear();
        let read = self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut self.line);
        let n_bytes = read.with_context(|| {
            format!("could not read `{}` after line {}; is the file whole?", self.path.display(), self.number)
        })?;
        self.number += u64::from(n_bytes > 0);
        ensure!((n_bytes as u64) < LONGEST, "{}: longer than 1 MiB; is this a text file?", self.place());
        Ok(n_bytes > 0)
    }

    fn current(&self) -> Result<&str> {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        std::str::from_utf8(line).map_err(|_| anyhow!("{}: not text in UTF-8; is this the right file?", self.place()))
    }

    /// "`matrix.mtx`, line 3": the line read last as messages name it.
    pub(crate) fn place(&self) -> String {
        format!("`{}`, line {}", self.path.display(), self.number)
    }
}

/// The start of a text, for messages.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
