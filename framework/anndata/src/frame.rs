//! The tables beside the matrix: `obs` (one row a cell) and `var` (one row a feature).

use std::collections::HashMap;

use anyhow::{Result, anyhow, ensure};
use indexmap::IndexMap;

use crate::{Categorical, Column, nearest};

/// A table with named rows and named columns of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    index: Vec<String>,
    columns: IndexMap<String, Column>,
}

impl Frame {
    /// A table with row names and no columns yet.
    pub fn new(index: Vec<String>) -> Self {
        Self { index, columns: IndexMap::new() }
    }

    /// Names of the rows: cells in `obs`, features in `var`.
    pub fn index(&self) -> &[String] {
        &self.index
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.index.len()
    }

    /// All columns, in the order the file states.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.columns.iter().map(|(name, column)| (name.as_str(), column))
    }

    /// Names of all columns, in order.
    pub fn column_names(&self) -> Vec<&str> {
        self.columns.keys().map(String::as_str).collect()
    }

    /// A column by name, if there is one.
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.get(name)
    }

    /// A column by name.
    ///
    /// # Errors
    /// If there is none: lists the columns and the nearest name.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.get(name).ok_or_else(|| anyhow!(nearest::unknown("column", name, &self.column_names())))
    }

    /// Adds a column, or replaces the one of that name in its place.
    ///
    /// # Errors
    /// If its length is not the number of rows.
    pub fn insert(&mut self, name: &str, column: Column) -> Result<()> {
        if let Some(length) = column.n_rows() {
            ensure!(
                length == self.n_rows(),
                "column `{name}` has {length} values, but the table has {} rows",
                self.n_rows()
            );
        }
        self.columns.insert(name.to_owned(), column);
        Ok(())
    }

    /// Adds the columns of a table to the rows of the same names and returns how many those are; the other rows get
    /// no value. A column of the same name is replaced.
    ///
    /// # Errors
    /// If a column cannot be held.
    pub fn describe(&mut self, table: &Frame) -> Result<usize> {
        let places: HashMap<&String, usize> = table.index().iter().zip(0..).collect();
        let rows: Vec<Option<usize>> = self.index.iter().map(|name| places.get(name).copied()).collect();
        self.take_columns(table, &rows)?;
        Ok(rows.iter().flatten().count())
    }

    /// Adds the columns of a table; `rows` names the row of the table for each row here, if there is one.
    ///
    /// # Errors
    /// If a column cannot be held.
    pub fn take_columns(&mut self, table: &Frame, rows: &[Option<usize>]) -> Result<()> {
        for (name, column) in table.columns() {
            let column = match (column, column.numbers(), column.labels()) {
                (Column::Bool(truths), ..) => {
                    Column::Bool(rows.iter().map(|row| row.and_then(|row| truths[row])).collect())
                }
                (_, Some(numbers), _) => {
                    Column::Float(rows.iter().map(|row| row.map_or(f64::NAN, |row| numbers[row])).collect())
                }
                (_, None, labels) => {
                    let labels = labels.unwrap_or_default();
                    let of: Vec<_> = rows.iter().map(|row| row.and_then(|row| labels.get(row)?.clone())).collect();
                    Column::Categorical(Categorical::from_labels(&of))
                }
            };
            self.insert(name, column)?;
        }
        Ok(())
    }

    /// The values of a column as text, where it can serve as a label (see [`Column::labels`]).
    pub fn labels(&self, name: &str) -> Option<Vec<Option<String>>> {
        self.get(name)?.labels()
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;
    use crate::{Categorical, Column};

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn labels_come_from_any_column_that_can_be_one() {
        let mut frame = Frame::new(vec!["a".into(), "b".into()]);
        frame.insert("whole", Column::Float(vec![3.0, f64::NAN])).unwrap();
        frame.insert("real", Column::Float(vec![3.5, 1.0])).unwrap();
        frame.insert("truth", Column::Bool(vec![Some(true), None])).unwrap();
        let labels = vec![some("T"), some("B")];
        frame.insert("type", Column::Categorical(Categorical::from_labels(&labels))).unwrap();
        assert_eq!(frame.labels("whole"), Some(vec![some("3"), None]));
        assert_eq!(frame.labels("real"), None);
        assert_eq!(frame.labels("truth"), Some(vec![some("true"), None]));
        assert_eq!(frame.labels("type"), Some(labels));
        assert_eq!(frame.labels("absent"), None);
    }

    #[test]
    fn columns_of_another_length_and_unknown_names_are_refused() {
        let mut frame = Frame::new(vec!["a".into()]);
        let error = frame.insert("n", Column::Int(vec![Some(1), None])).unwrap_err();
        assert_eq!(error.to_string(), "column `n` has 2 values, but the table has 1 rows");
        frame.insert("cell_type", Column::Int(vec![None])).unwrap();
        let error = frame.column("celltype").unwrap_err();
        assert_eq!(error.to_string(), "no column `celltype`: did you mean `cell_type`? available: cell_type");
    }
}
