//! A table of separated text, read row by row into the values that are not zero.

use std::path::Path;

use anyhow::{Context, Error, Result, bail, ensure};

use super::rows::{Row, Rows};
use super::{DelimitedSpec, is_missing, separator};
use crate::Csr;
use crate::csr::ensure_columns_fit;
use crate::read::values::fits_single;
use crate::tables::text_file::shortened;

/// A table before its second row of values.
pub(super) struct Table {
    rows: Rows,
    columns: Vec<String>,
    first: Row,
    named_rows: bool,
    missing_is_zero: bool,
}

impl Table {
    /// Opens a file and reads the names of the columns and the first row.
    pub(super) fn open(path: &Path, spec: &DelimitedSpec) -> Result<Self> {
        let mut table = Self {
            rows: Rows::open(path, spec.separator)?,
            columns: Vec::new(),
            first: Row::default(),
            named_rows: spec.named_rows,
            missing_is_zero: spec.missing_is_zero,
        };
        table.read_columns().map_err(|error| match table.rows.offered {
            Some(offered) => suspect_separator(error, table.rows.separator, offered),
            None => error,
        })?;
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

    /// Reads all rows: their names, the names of the columns, and the values.
    pub(super) fn read(mut self) -> Result<(Vec<String>, Vec<String>, Csr)> {
        let mut matrix = Csr::zeros(0, self.columns.len());
        let mut names = Vec::new();
        let mut row = std::mem::take(&mut self.first);
        loop {
            names.push(self.row_name(&row, names.len())?);
            self.read_values(&row, &mut matrix)?;
            if !self.rows.advance(&mut row)? {
                break;
            }
        }
        Ok((names, self.columns, matrix))
    }

    /// Checks the length of a row; its name, or its number where rows have no names.
    fn row_name(&self, row: &Row, n_before: usize) -> Result<String> {
        let expected = self.columns.len() + usize::from(self.named_rows);
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
        for (column, field) in (0u32..).zip(row.fields.iter().skip(n_names)) {
            let value = value(field, self.missing_is_zero).with_context(|| {
                let place = column as usize;
                format!("{}, column {} (`{}`)", self.rows.place(row), place + n_names + 1, self.columns[place])
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
