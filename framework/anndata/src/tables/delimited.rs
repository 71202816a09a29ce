//! Separated text: one line of names, then a name and values in each line.

mod frame;
mod rows;
mod separator;
mod table;

pub use frame::read_frame;

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

use self::table::{Names, Table};
use super::names;
use crate::{Csr, Frame, NewAnnData};

/// Fields that hold nothing, whatever the case of their letters.
const MISSING: [&str; 7] = ["", "na", "nan", "n/a", "null", "none", "<na>"];

/// Whether a field holds nothing.
fn is_missing(field: &str) -> bool {
    MISSING.iter().any(|missing| field.eq_ignore_ascii_case(missing))
}

/// Which column of a table of separated text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnPlace {
    /// The only one that the first line calls so.
    Name(String),
    /// The one at this place, counted from 1 (the names of rows, if there are any, not counted); from the end where it is
    /// negative: −1 is the last.
    Position(i64),
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
    /// Columns that describe cells and are no features, by the names that they get in `obs`; only where cells are in rows.
    pub obs_columns: Vec<(String, ColumnPlace)>,
}

impl Default for DelimitedSpec {
    fn default() -> Self {
        Self {
            features_in_rows: None,
            separator: None,
            named_rows: true,
            missing_is_zero: false,
            obs_columns: Vec::new(),
        }
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
    let Opened { table, features_in_rows } = open(path, spec)?;
    let (names, matrix) = table.read()?;
    let (obs, var) = names.turned(features_in_rows, path)?;
    Ok(NewAnnData::new(obs, var, turned(matrix, features_in_rows, path)?))
}

/// The values alone.
///
/// # Errors
/// As [`read_delimited`].
pub(crate) fn read_values(path: &Path, spec: &DelimitedSpec) -> Result<Csr> {
    let Opened { table, features_in_rows } = open(path, spec)?;
    turned(table.read()?.1, features_in_rows, path)
}

/// The cells and features of a table, its values not yet looked at.
///
/// # Errors
/// As [`read_delimited`], but for values.
pub(crate) fn read_names(path: &Path, spec: &DelimitedSpec) -> Result<(Frame, Frame)> {
    let Opened { table, features_in_rows } = open(path, spec)?;
    table.read_names()?.turned(features_in_rows, path)
}

/// A table and which way round it is.
struct Opened {
    table: Table,
    features_in_rows: bool,
}

fn open(path: &Path, spec: &DelimitedSpec) -> Result<Opened> {
    let table = Table::open(path, spec)?;
    let features_in_rows = spec.features_in_rows.ok_or_else(|| which_way_round(path, &table))?;
    ensure!(
        spec.obs_columns.is_empty() || !features_in_rows,
        "`{}`: columns describe cells only where each row is a cell, but features are said to be in its rows",
        path.display()
    );
    Ok(Opened { table, features_in_rows })
}

fn turned(matrix: Csr, features_in_rows: bool, path: &Path) -> Result<Csr> {
    match features_in_rows {
        true => matrix.transpose().with_context(|| format!("`{}`", path.display())),
        false => Ok(matrix),
    }
}

impl Names {
    /// The cells and the features.
    fn turned(self, features_in_rows: bool, path: &Path) -> Result<(Frame, Frame)> {
        let Names { rows, columns, described } = self;
        let (cells, mut features) = if features_in_rows { (columns, rows) } else { (rows, columns) };
        names::ensure_unique_cells(&cells).with_context(|| format!("`{}`", path.display()))?;
        names::make_unique(&mut features);
        let mut obs = Frame::new(cells);
        for (name, values) in described {
            obs.insert(&name, frame::column(values.iter().map(String::as_str)))?;
        }
        Ok((obs, Frame::new(features)))
    }
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
