//! Separated text: one line of names, then a name and values in each line.

mod frame;
mod rows;
mod separator;
mod table;

pub use frame::read_frame;

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use self::table::Table;
use super::names;
use crate::{Frame, NewAnnData};

/// Fields that hold nothing, whatever the case of their letters.
const MISSING: [&str; 7] = ["", "na", "nan", "n/a", "null", "none", "<na>"];

/// Whether a field holds nothing.
fn is_missing(field: &str) -> bool {
    MISSING.iter().any(|missing| field.eq_ignore_ascii_case(missing))
}

/// How a table of separated text is to be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelimitedSpec {
    /// Whether each row is a feature and each column a cell, or the other way round; a table cannot tell, so none is
    /// refused.
    pub features_in_rows: Option<bool>,
    /// What separates two fields; none: by the ending (`.csv`, `.tsv`, `.tab`), else by the first line.
    pub separator: Option<u8>,
    /// Whether the first field of each row is its name; otherwise rows are called `0`, `1`, ….
    pub named_rows: bool,
    /// Whether an empty field, `NA`, `NaN`, `N/A`, `null` or `None` is zero; otherwise it is an error.
    pub missing_is_zero: bool,
}

impl Default for DelimitedSpec {
    fn default() -> Self {
        Self { features_in_rows: None, separator: None, named_rows: true, missing_is_zero: false }
    }
}

/// Reads a table of separated text (`.csv`, `.tsv`, …; also as `.gz`) whose first line names its columns.
///
/// Fields may be quoted (RFC 4180). The first line may have one field less than the others, as R writes it. Names of
/// features are made unique by `-1`, `-2`, …. Zeros are not stored, so memory follows the other values.
///
/// # Errors
/// If there is no such file, it is not said which way round it is, lines differ in length, two cells have one name, or
/// a field is not a number that single precision can hold: says the line and the column.
pub fn read_delimited(path: impl AsRef<Path>, spec: &DelimitedSpec) -> Result<NewAnnData> {
    let path = path.as_ref();
    let table = Table::open(path, spec)?;
    let features_in_rows = spec.features_in_rows.ok_or_else(|| which_way_round(path, &table))?;
    let (rows, columns, matrix) = table.read()?;
    let (cells, mut features, matrix) = match features_in_rows {
        true => (columns, rows, matrix.transpose().with_context(|| format!("`{}`", path.display()))?),
        false => (rows, columns, matrix),
    };
    names::ensure_unique_cells(&cells).with_context(|| format!("`{}`", path.display()))?;
    names::make_unique(&mut features);
    Ok(NewAnnData::new(Frame::new(cells), Frame::new(features), matrix))
}

fn which_way_round(path: &Path, table: &Table) -> anyhow::Error {
    let starts: Vec<String> = table.columns().iter().take(3).map(|name| format!("`{name}`")).collect();
    anyhow!(
        "`{}` does not say whether its rows are features or cells: its {} columns begin with {}, its first row is \
         `{}`; say which (features in rows, or features in columns)",
        path.display(),
        table.columns().len(),
        starts.join(", "),
        table.first_row()
    )
}
