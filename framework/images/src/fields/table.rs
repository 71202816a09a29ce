//! Separated text with one line of names.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use csv::{Position, ReaderBuilder, Trim};

/// A table as it was written: texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The line of each row, counted from 1, and its values.
    pub rows: Vec<(u64, Vec<String>)>,
}

impl Table {
    /// Reads `.csv`, or `.tsv` and `.tab` with tabulators; fields may be quoted, spaces around them are dropped.
    ///
    /// # Errors
    /// If there is no such file, two columns have one name, a line differs in length, or there is no row: says the line.
    pub fn read(path: &Path) -> Result<Self> {
        ensure!(path.is_file(), "no file `{}`", path.display());
        let tabs = path.extension().is_some_and(|ending| ending == "tsv" || ending == "tab");
        let bytes = std::fs::read(path).with_context(|| format!("cannot open `{}`", path.display()))?;
        let separator = if tabs { b'\t' } else { b',' };
        let mut reader = ReaderBuilder::new().delimiter(separator).trim(Trim::All).from_reader(bytes.as_slice());
        let mut lines = Lines { bytes: &bytes, at: 0, line: 1 };
        let names = reader.headers().map_err(|error| said(path, &error, &mut lines))?.iter();
        // spreadsheets write a mark before the first name
        let columns: Vec<String> = names.map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        for (place, name) in columns.iter().enumerate() {
            ensure!(!name.is_empty(), "`{}`, line 1: column {} has no name", path.display(), place + 1);
            let twice = columns[..place].contains(name);
            ensure!(!twice, "`{}`, line 1: two columns are called `{name}`", path.display());
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| said(path, &error, &mut lines))?;
            rows.push((lines.at(record.position()), record.iter().map(str::to_owned).collect()));
        }
        ensure!(!rows.is_empty(), "`{}` names no field: there is no line after the first", path.display());
        Ok(Self { columns, rows })
    }
}

/// Counts lines; the reader itself does not count empty ones before a row.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of a row, by where its reader was before it; positions must not fall.
    fn at(&mut self, position: Option<&Position>) -> u64 {
        let mut end = position.map_or(self.at, |position| (position.byte() as usize).min(self.bytes.len()));
        while self.bytes.get(end).is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            end += 1;
        }
        let passed = self.bytes.get(self.at..end).unwrap_or_default();
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.at = end.max(self.at);
        self.line
    }
}

/// What the reader of separated text says, in our words.
fn said(path: &Path, error: &csv::Error, lines: &mut Lines<'_>) -> anyhow::Error {
    let line = error.position().map_or(String::new(), |place| format!(", line {}", lines.at(Some(place))));
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields, but the first line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not text in UTF-8; is this the right file?".to_owned(),
        _ => error.to_string(),
    };
    anyhow!("`{}`{line}: {what}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_fields_trimmed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fields.csv");
        std::fs::write(&path, "\u{feff}row, dose\nA,\"1,5\"\n\n B ,2\n").unwrap();
        let table = Table::read(&path).unwrap();
        assert_eq!(table.columns, ["row", "dose"]);
        let rows: Vec<(u64, Vec<&str>)> =
            table.rows.iter().map(|(line, values)| (*line, values.iter().map(String::as_str).collect())).collect();
        assert_eq!(rows, [(2, vec!["A", "1,5"]), (4, vec!["B", "2"])]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fields.tsv");
        let error = |text: &[u8]| {
            std::fs::write(&path, text).unwrap();
            Table::read(&path).unwrap_err().to_string()
        };
        assert!(error(b"a\tb\n1\t2\n\n3\n").ends_with("line 4: 1 fields, but the first line has 2"));
        assert!(error(b"a\ta\n1\t2\n").ends_with("line 1: two columns are called `a`"));
        assert!(error(b"a\tb\n").ends_with("names no field: there is no line after the first"));
        assert!(error(b"a\tb\n1\t\xff\n").contains("line 2: not text in UTF-8"));
        assert!(Table::read(&folder.path().join("none.csv")).unwrap_err().to_string().starts_with("no file `"));
    }
}
