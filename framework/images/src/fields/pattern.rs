//! Texts with names of columns in braces.

use anyhow::{Result, anyhow, bail};

use crate::nearest;

/// A text with `{column}` in it, which the values of a row turn into a path or a name; `{{` is a brace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(usize),
}

impl Pattern {
    /// Reads a pattern for a table of these columns.
    ///
    /// # Errors
    /// If a brace is not closed, or there is no such column: lists the columns and the nearest name.
    pub fn parse(text: &str, columns: &[String]) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            parts.push(Part::Text(before.replace("}}", "}")));
            if let Some(after) = after.strip_prefix('{') {
                parts.push(Part::Text("{".to_owned()));
                rest = after;
                continue;
            }
            let Some((name, after)) = after.split_once('}') else {
                bail!("the pattern `{text}` has a `{{` without `}}`; expected the name of a column between them")
            };
            let place = columns.iter().position(|column| column == name);
            let unknown = || anyhow!("the pattern `{text}`: {}", nearest::unknown("column", name, columns));
            parts.push(Part::Column(place.ok_or_else(unknown)?));
            rest = after;
        }
        parts.push(Part::Text(rest.replace("}}", "}")));
        Ok(Self { parts })
    }

    /// The value of one column.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn column(name: &str, columns: &[String]) -> Result<Self> {
        let place = columns.iter().position(|column| column == name);
        let place = place.ok_or_else(|| anyhow!(nearest::unknown("column", name, columns)))?;
        Ok(Self { parts: vec![Part::Column(place)] })
    }

    /// The text for one row; none where a column that it needs is empty.
    pub fn render(&self, values: &[String]) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Column(place) => text.push_str(values.get(*place).filter(|value| !value.is_empty())?),
            }
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_take_their_places() {
        let columns = ["row".to_owned(), "column".to_owned()];
        let values = ["A".to_owned(), "01".to_owned()];
        let render = |text: &str| Pattern::parse(text, &columns).unwrap().render(&values);
        assert_eq!(render("Channel1-{column}-{row}-{column}.png").unwrap(), "Channel1-01-A-01.png");
        assert_eq!(render("{{{row}}}").unwrap(), "{A}");
        assert_eq!(render("plain").unwrap(), "plain");
        let empty = Pattern::parse("{row}.png", &columns).unwrap();
        assert_eq!(empty.render(&[String::new(), "01".to_owned()]), None);
    }

    #[test]
    fn unknown_columns_and_open_braces_are_refused() {
        let columns = ["row".to_owned(), "column".to_owned()];
        let error = |text: &str| Pattern::parse(text, &columns).unwrap_err().to_string();
        let expected = "the pattern `{colum}.png`: no column `colum`: did you mean `column`? available: row, column";
        assert_eq!(error("{colum}.png"), expected);
        assert!(error("{row.png").contains("has a `{` without `}`"));
    }
}
