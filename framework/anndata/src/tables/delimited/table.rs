//! A table of separated text, read row by row into the values that are not zero.

use std::path::Path;

use anyhow::{Context, Error, Result, bail, ensure};

use super::rows::{Row, Rows};
use super::{ColumnPlace, DelimitedSpec, is_missing, separator};
use crate::csr::ensure_columns_fit;
use crate::read::values::fits_single;
use crate::tables::text_file::shortened;
use crate::{Csr, nearest};

/// A table before its second row of values.
pub(super) struct Table {
    rows: Rows,
    columns: Vec<String>,
    /// The feature that each column of values is, in the order of the file; none of those that describe cells.
    features: Vec<Option<u32>>,
    /// Columns that describe cells: their names in `obs` and places among the columns of values.
    described: Vec<(String, usize)>,
    first: Row,
    named_rows: bool,
    missing_is_zero: bool,
}

/// Names of the rows and of the columns that are no descriptions, and the descriptions of rows.
pub(super) struct Names {
    pub rows: Vec<String>,
    pub columns: Vec<String>,
    pub described: Vec<(String, Vec<String>)>,
}

impl Table {
    /// Opens a file and reads the names of the columns and the first row.
    pub(super) fn open(path: &Path, spec: &DelimitedSpec) -> Result<Self> {
        let mut table = Self {
            rows: Rows::open(path, spec.separator)?,
            columns: Vec::new(),
            features: Vec::new(),
            described: Vec::new(),
            first: Row::default(),
            named_rows: spec.named_rows,
            missing_is_zero: spec.missing_is_zero,
        };
        table.read_columns().map_err(|error| match table.rows.offered {
            Some(offered) => suspect_separator(error, table.rows.separator, offered),
            None => error,
        })?;
        table.take_descriptions(&spec.obs_columns)?;
        Ok(table)
    }

    /// Names of the columns of values.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Name of the first row.
    pub(super) fn first_row(&self) -> String {
        if self.named_rows { String::from_utf8_lossy(&self.first.fields[0]).into_owned() } else { "0".to_owned() }
    }

    fn read_columns(&mut self) -> Result<()> {
        let mut header = Row::default();
        ensure!(self.rows.advance(&mut header)?, "{} is empty; expected a line of names", self.rows.label());
        ensure!(self.rows.advance(&mut self.first)?, "{} has no rows after the line of names", self.rows.label());
        let has_corner = self.named_rows && header.fields.len() + 1 != self.first.fields.len();
        for (place, name) in header.fields.iter().enumerate().skip(usize::from(has_corner)) {
            let name = self.rows.name(name, &header)?;
            ensure!(
                !name.is_empty(),
                "{}: column {} has no name; name it, or remove a separator at the end of the line",
                self.rows.place(&header),
                place + 1
            );
            self.columns.push(name);
        }
        ensure!(!self.columns.is_empty(), "{}: no columns of values", self.rows.place(&header));
        ensure_columns_fit(self.columns.len())
    }

    /// Takes the columns that describe cells out of those of values.
    fn take_descriptions(&mut self, wanted: &[(String, ColumnPlace)]) -> Result<()> {
        for (name, place) in wanted {
            let place = self.place_of(place)?;
            ensure!(
                self.described.iter().all(|(_, other)| *other != place),
                "{}: column {} describes cells twice",
                self.rows.label(),
                place + 1
            );
            self.described.push((name.clone(), place));
        }
        let described: Vec<usize> = self.described.iter().map(|(_, place)| *place).collect();
        let mut next = 0u32..;
        let features = (0..self.columns.len()).map(|place| if described.contains(&place) { None } else { next.next() });
        self.features = features.collect();
        let mut features = self.features.iter();
        self.columns.retain(|_| features.next().is_some_and(Option::is_some));
        ensure!(!self.columns.is_empty(), "{}: all columns describe cells; none is a feature", self.rows.label());
        Ok(())
    }

    fn place_of(&self, wanted: &ColumnPlace) -> Result<usize> {
        let n = self.columns.len();
        match wanted {
            ColumnPlace::Position(position) => {
                let place = if *position > 0 { position - 1 } else { n as i64 + position };
                let found = usize::try_from(place).ok().filter(|place| *position != 0 && *place < n);
                found.with_context(|| {
                    format!("{}: no column {position}; expected 1 to {n}, or -1 (the last) to -{n}", self.rows.label())
                })
            }
            ColumnPlace::Name(name) => {
                let mut found = (0..n).filter(|place| self.columns[*place] == *name);
                let place = found.next().with_context(|| {
                    let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
                    format!("{}: {}", self.rows.label(), nearest::unknown("column", name, &columns))
                })?;
                ensure!(
                    found.next().is_none(),
                    "{}: several columns are called `{name}`; name the one that is meant by its place: 1 is the first, -1 the last",
                    self.rows.label()
                );
                Ok(place)
            }
        }
    }

    /// Reads all rows: names, and values.
    pub(super) fn read(mut self) -> Result<(Names, Csr)> {
        let mut matrix = Csr::zeros(0, self.columns.len());
        let names = self.each_row(|table, row| table.read_values(row, &mut matrix))?;
        Ok((names, matrix))
    }

    /// Reads all rows, but looks at no value.
    pub(super) fn read_names(mut self) -> Result<Names> {
        self.each_row(|_, _| Ok(()))
    }

    fn each_row(&mut self, mut work: impl FnMut(&Self, &Row) -> Result<()>) -> Result<Names> {
        let mut rows = Vec::new();
        let mut described: Vec<(String, Vec<String>)> =
            self.described.iter().map(|(name, _)| (name.clone(), Vec::new())).collect();
        let mut row = std::mem::take(&mut self.first);
        loop {
            rows.push(self.row_name(&row, rows.len())?);
            for ((_, place), (_, values)) in self.described.iter().zip(&mut described) {
                values.push(self.rows.name(&row.fields[place + usize::from(self.named_rows)], &row)?);
            }
            work(self, &row)?;
            if !self.rows.advance(&mut row)? {
                break;
            }
        }
        Ok(Names { rows, columns: std::mem::take(&mut self.columns), described })
    }

    /// Checks the length of a row; its name, or its number where rows have no names.
    fn row_name(&self, row: &Row, n_before: usize) -> Result<String> {
        let expected = self.features.len() + usize::from(self.named_rows);
        ensure!(
            row.fields.len() == expected,
            "{}: {} fields, expected {expected} as the line of names tells; is one missing, or a quote left open?",
            self.rows.place(row),
            row.fields.len()
        );
        if !self.named_rows {
            return Ok(n_before.to_string());
        }
        let name = self.rows.name(&row.fields[0], row)?;
        ensure!(!name.is_empty(), "{}: the row has no name in its first field", self.rows.place(row));
        Ok(name)
    }

    fn read_values(&self, row: &Row, matrix: &mut Csr) -> Result<()> {
        let n_names = usize::from(self.named_rows);
        for (place, field) in row.fields.iter().skip(n_names).enumerate() {
            let Some(column) = self.features[place] else { continue };
            let value = value(field, self.missing_is_zero).with_context(|| {
                let name = &self.columns[column as usize];
                format!("{}, column {} (`{name}`)", self.rows.place(row), place + n_names + 1)
            })?;
            if value != 0.0 {
                matrix.indices.push(column);
                matrix.values.push(value);
            }
        }
        matrix.n_rows += 1;
        matrix.indptr.push(matrix.values.len() as u64);
        Ok(())
    }
}

fn value(field: &[u8], missing_is_zero: bool) -> Result<f32> {
    if field == b"0" {
        return Ok(0.0);
    }
    let text = std::str::from_utf8(field).unwrap_or("\u{fffd}").trim();
    if is_missing(text) {
        let found = if text.is_empty() { "no value".to_owned() } else { format!("`{text}` is no value") };
        ensure!(missing_is_zero, "{found}; fill it in, or say that missing values are zero");
        return Ok(0.0);
    }
    let Ok(value) = text.parse::<f64>() else {
        let text = shortened(text);
        bail!("`{text}` is not a number; expected one like 3 or 0.5, and no columns but names and values")
    };
    ensure!(
        fits_single(value),
        "{} cannot be held by 32-bit floating point; expected finite values, whole ones up to 16777216",
        shortened(text)
    );
    Ok(value as f32)
}

fn suspect_separator(error: Error, used: u8, offered: u8) -> Error {
    let (used, offered) = (separator::in_words(used), separator::in_words(offered));
    error.context(format!("fields were taken to be separated by {used}; if they are not, say so (perhaps {offered})"))
}
