//! The MatrixMarket coordinate format: a header, comments, and one line for each entry, counted from 1.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::text_file::{Lines, shortened};
use super::triplets::Triplets;
use crate::Csr;
use crate::read::values::fits_single;

/// What the first line must be.
const EXPECTED: &str = "`%%MatrixMarket matrix coordinate integer general` (or `real`, or `pattern`)";

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Integer,
    Real,
    /// No value: every entry is 1.
    Pattern,
}

/// What comes before the entries.
#[derive(Debug, Clone, Copy)]
struct Header {
    field: Field,
    n_rows: u64,
    n_columns: u64,
    n_entries: u64,
}

/// Reads a matrix of features × cells, or of cells × features, as cells × features; a square one is features × cells.
///
/// Entries named more than once are summed.
///
/// # Errors
/// If the header is not understood or does not agree with the lists of names, or an entry is not sound: says the line.
pub(crate) fn read(path: &Path, n_cells: usize, n_features: usize) -> Result<Csr> {
    let mut lines = Lines::open(path)?;
    let header = read_header(&mut lines)?;
    let cells_in_columns = header.cells_in_columns(n_cells as u64, n_features as u64).ok_or_else(|| {
        anyhow!(
            "{}: the matrix has {} rows and {} columns, but the files beside it name {n_features} features and \
             {n_cells} cells; do they belong to another matrix, or begin with a line of column names?",
            lines.place(),
            header.n_rows,
            header.n_columns
        )
    })?;
    let entries = read_entries(&mut lines, header, cells_in_columns)?;
    entries.into_csr(n_cells, n_features).with_context(|| format!("`{}`", path.display()))
}

impl Header {
    fn cells_in_columns(&self, n_cells: u64, n_features: u64) -> Option<bool> {
        match (self.n_rows, self.n_columns) {
            shape if shape == (n_features, n_cells) => Some(true),
            shape if shape == (n_cells, n_features) => Some(false),
            _ => None,
        }
    }
}

fn read_header(lines: &mut Lines) -> Result<Header> {
    let banner = lines.next_line()?.unwrap_or_default().to_lowercase();
    let words: Vec<&str> = banner.split_ascii_whitespace().collect();
    let field = match words[..] {
        ["%%matrixmarket", "matrix", "coordinate", field, "general"] => field,
        ["%%matrixmarket", "matrix", "coordinate", _, other] => {
            bail!("{}: a `{other}` matrix is not a table of counts; expected {EXPECTED}", lines.place())
        }
        ["%%matrixmarket", "matrix", "array", ..] => {
            bail!("{}: a dense `array` matrix is not read; save it as a sparse one: {EXPECTED}", lines.place())
        }
        _ => bail!("{}: not the start of a MatrixMarket file; expected {EXPECTED}", lines.place()),
    };
    let field = match field {
        "integer" => Field::Integer,
        "real" | "double" => Field::Real,
        "pattern" => Field::Pattern,
        other => bail!("{}: values of the kind `{other}` are not read; expected {EXPECTED}", lines.place()),
    };
    let Some(sizes) = next_content(lines)?.map(str::to_owned) else {
        bail!("{}: the file ends before the line with its size; is it whole?", lines.place());
    };
    let numbers: Option<Vec<u64>> = sizes.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[n_rows, n_columns, n_entries]) => Ok(Header { field, n_rows, n_columns, n_entries }),
        _ => bail!("{}: `{}` is not a size; expected: rows columns entries", lines.place(), shortened(&sizes)),
    }
}

/// The next line that is neither empty nor a comment.
fn next_content(lines: &mut Lines) -> Result<Option<&str>> {
    lines.next_line_where(is_content)
}

fn is_content(line: &str) -> bool {
    let line = line.trim_ascii_start();
    !line.is_empty() && !line.starts_with('%')
}

fn read_entries(lines: &mut Lines, header: Header, cells_in_columns: bool) -> Result<Triplets> {
    let mut entries = Triplets::default();
    let mut n_read = 0u64;
    loop {
        let parsed = match next_content(lines)? {
            Some(line) => parse_entry(line, header),
            None => break,
        };
        let (row, column, value) = parsed.with_context(|| lines.place())?;
        n_read += 1;
        ensure!(
            n_read <= header.n_entries,
            "{}: more entries than the {} that the header promises; was the file changed after it was written?",
            lines.place(),
            header.n_entries
        );
        let (cell, feature) = if cells_in_columns { (column, row) } else { (row, column) };
        entries.push(cell, feature, value);
    }
    ensure!(
        n_read == header.n_entries,
        "{}: the file ends after {n_read} entries, but its header promises {}; is it whole?",
        lines.place(),
        header.n_entries
    );
    Ok(entries)
}

/// Row and column counted from 0, and the value.
fn parse_entry(line: &str, header: Header) -> Result<(u32, u32, f32)> {
    let mut words = line.split_ascii_whitespace();
    let row = parse_index("row", words.next(), header.n_rows)?;
    let column = parse_index("column", words.next(), header.n_columns)?;
    let value = if header.field == Field::Pattern { 1.0 } else { parse_value(words.next(), header.field)? };
    ensure!(words.next().is_none(), "`{}` has too many words; expected: row column value", shortened(line));
    Ok((row, column, value))
}

fn parse_index(what: &str, word: Option<&str>, n: u64) -> Result<u32> {
    let word = word.unwrap_or_default();
    match word.parse::<u64>() {
        Ok(index) if (1..=n).contains(&index) => u32::try_from(index - 1)
            .map_err(|_| anyhow!("{what} {index} is more than this program counts; at most {} are read", u32::MAX)),
        Ok(index) => bail!("{what} {index} is out of range; expected 1 to {n}"),
        Err(_) => bail!("`{}` is not the number of a {what}; expected 1 to {n}", shortened(word)),
    }
}

fn parse_value(word: Option<&str>, field: Field) -> Result<f32> {
    let Some(word) = word else { bail!("no value after row and column; is the line cut off?") };
    let Ok(value) = word.parse::<f64>() else { bail!("`{}` is not a number", shortened(word)) };
    ensure!(field != Field::Integer || value.fract() == 0.0, "{word} is not whole, but the header says `integer`");
    ensure!(
        fits_single(value),
        "{word} cannot be held by 32-bit floating point; expected finite values, whole ones up to 16777216"
    );
    Ok(value as f32)
}
