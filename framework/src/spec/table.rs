//! `table` of `[data]` or of a modality: how files of separated text are understood.

use crate::component::{Problem, Spec, require};
use anndata::DelimitedSpec;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a table has its features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeaturesIn {
    /// A feature in each row, a cell in each column.
    Rows,
    /// A feature in each column, a cell in each row.
    Columns,
}

/// A column: its name, or its place counted from 1; from the end where it is negative (−1 is the last).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected the name of a column, or its place: 1 is the first, -1 the last")]
pub enum ColumnPlace {
    /// What the first line calls it.
    Name(String),
    /// Its place; names of rows are not counted.
    Position(i64),
}

/// How files of separated text (`.csv`, `.tsv`, `.tab`, `.txt`, also `.gz`) are understood; other formats need none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TableSpec {
    /// Where the features are: `rows` (each row a feature, each column a cell) or `columns` (each column a feature). A table cannot
    /// tell, so it must be said.
    pub features_in: Option<FeaturesIn>,
    /// Whether the first field of each row is its name; otherwise rows are called `0`, `1`, ….
    pub row_names: bool,
    /// What separates fields, one letter; by the ending of the file (`.csv`, `.tsv`, `.tab`), else by its first line, where it is not
    /// given.
    pub separator: Option<String>,
    /// Whether an empty field, `NA`, `NaN`, `N/A`, `null` or `None` is zero; otherwise it is an error.
    pub missing_is_zero: bool,
    /// Columns that describe cells and are no features: the name that each gets in obs, and the column, by its name or by its
    /// place (1 is the first, -1 the last; names of rows are not counted). Only with `features_in = "columns"`.
    pub obs_columns: IndexMap<String, ColumnPlace>,
}

impl Default for TableSpec {
    fn default() -> Self {
        TableSpec {
            features_in: None,
            row_names: true,
            separator: None,
            missing_is_zero: false,
            obs_columns: IndexMap::new(),
        }
    }
}

impl TableSpec {
    /// What is wrong with the values of the table at this key.
    pub fn problems(&self, key: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        let is_one = |text: &String| text.len() == 1 && text.is_ascii();
        require(
            &mut problems,
            self.separator.as_ref().is_none_or(is_one),
            &format!("{key}.separator"),
            "must be one ASCII letter, such as \",\" or \"\\t\"",
        );
        require(
            &mut problems,
            self.obs_columns.is_empty() || self.features_in != Some(FeaturesIn::Rows),
            &format!("{key}.obs_columns"),
            "can only be named where cells are in rows: `features_in = \"columns\"`",
        );
        problems
    }

    /// The same for the reader of tables.
    pub fn delimited(&self) -> DelimitedSpec {
        let place = |place: &ColumnPlace| match place {
            ColumnPlace::Name(name) => anndata::ColumnPlace::Name(name.clone()),
            ColumnPlace::Position(position) => anndata::ColumnPlace::Position(*position),
        };
        DelimitedSpec {
            features_in_rows: self.features_in.map(|place| place == FeaturesIn::Rows),
            separator: self.separator.as_ref().and_then(|text| text.bytes().next()),
            named_rows: self.row_names,
            missing_is_zero: self.missing_is_zero,
            obs_columns: self.obs_columns.iter().map(|(name, column)| (name.clone(), place(column))).collect(),
        }
    }
}

impl Spec for TableSpec {
    fn validate(&self) -> Vec<Problem> {
        self.problems("table")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_written_and_understood() {
        let text = "features_in = \"columns\"\nrow_names = false\nobs_columns = { digit = -1, batch = \"plate\" }\n";
        let table: TableSpec = toml::from_str(text).unwrap();
        let again: TableSpec = toml::from_str(&toml::to_string(&table).unwrap()).unwrap();
        assert_eq!(again, table);
        let delimited = table.delimited();
        assert_eq!((delimited.features_in_rows, delimited.named_rows), (Some(false), false));
        assert_eq!(delimited.obs_columns[0], ("digit".to_owned(), anndata::ColumnPlace::Position(-1)));
        assert_eq!(delimited.obs_columns[1], ("batch".to_owned(), anndata::ColumnPlace::Name("plate".to_owned())));
        assert!(table.validate().is_empty());
    }

    #[test]
    fn what_cannot_be_is_told() {
        let table = TableSpec {
            features_in: Some(FeaturesIn::Rows),
            separator: Some("ab".into()),
            obs_columns: [("digit".to_owned(), ColumnPlace::Position(-1))].into(),
            ..TableSpec::default()
        };
        let keys: Vec<String> = table.validate().into_iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["table.separator", "table.obs_columns"]);
    }
}
