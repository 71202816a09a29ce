//! A table of numbers with aligned columns.

use super::super::evaluation::Method;
use super::written::WrittenRow;
use std::fmt::Write as _;

/// Which number of a column is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Best {
    /// The largest.
    Highest,
    /// The smallest.
    Lowest,
    /// None: it is no score.
    None,
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    header: &'static str,
    best: Best,
    format: fn(f64) -> String,
}

impl Column {
    /// A column of numbers written by `format`.
    pub fn new(header: &'static str, best: Best, format: fn(f64) -> String) -> Column {
        Column { header, best, format }
    }

    /// Cells as text, the best marked with `*` (also those that read the same); `None` if the column is empty.
    fn texts(&self, values: &[Option<f64>]) -> Option<Vec<String>> {
        let known = || values.iter().flatten().copied();
        known().next()?;
        let best = match self.best {
            Best::Highest => known().reduce(f64::max),
            Best::Lowest => known().reduce(f64::min),
            Best::None => None,
        };
        let best = best.map(self.format).filter(|_| values.len() > 1);
        let text = |value: &Option<f64>| match value.map(self.format) {
            Some(text) if Some(&text) == best.as_ref() => format!("{text}*"),
            Some(text) => format!("{text} "),
            None => "- ".to_owned(),
        };
        Some(values.iter().map(text).collect())
    }
}

/// How text looks on the terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Whether escape codes are written.
    pub colour: bool,
}

impl Style {
    pub fn bold(&self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub fn faint(&self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub fn green(&self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub fn yellow(&self, text: &str) -> String {
        self.wrap("33", text)
    }

    pub fn red(&self, text: &str) -> String {
        self.wrap("31", text)
    }

    fn wrap(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Rows of numbers, each of a method.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<(String, bool, Vec<Option<f64>>)>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: Vec<Column>) -> Table {
        Table { columns, rows: Vec::new() }
    }

    /// Adds the numbers of a method, one per column.
    pub fn add(&mut self, method: &Method, values: Vec<Option<f64>>) {
        self.rows.push((method.label.clone(), method.is_control, values));
    }

    /// Headers and rows, empty columns left out.
    pub fn written(&self) -> (Vec<String>, Vec<WrittenRow>) {
        let columns = self.columns();
        let cell = |text: &str| {
            let is_best = text.ends_with('*');
            (text.trim_end_matches(['*', ' ']).to_owned(), is_best)
        };
        let row = |(at, (label, is_control, _)): (usize, &(String, bool, Vec<Option<f64>>))| WrittenRow {
            label: label.clone(),
            is_control: *is_control,
            cells: columns.iter().map(|(_, cells)| cell(&cells[at])).collect(),
        };
        let headers = columns.iter().map(|(header, _)| (*header).to_owned()).collect();
        (headers, self.rows.iter().enumerate().map(row).collect())
    }

    /// Header and texts of each column that is not empty.
    fn columns(&self) -> Vec<(&str, Vec<String>)> {
        let column = |at: usize| self.rows.iter().map(|row| row.2[at]).collect::<Vec<_>>();
        (0..self.columns.len())
            .filter_map(|at| Some((self.columns[at].header, self.columns[at].texts(&column(at))?)))
            .collect()
    }

    /// The table, empty columns left out, controls after a line of their own.
    pub fn render(&self, style: &Style) -> String {
        let columns = self.columns();
        let label_width = self.rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
        let mut text = format!("  {:label_width$}", "");
        let widths: Vec<usize> = columns.iter().map(width).collect();
        for ((header, _), width) in columns.iter().zip(&widths) {
            // the mark of the best stands to the right of the numbers
            let _ = write!(text, "  {:>1$}", format!("{header} "), *width);
        }
        text = format!("{}\n", style.faint(text.trim_end()));
        let mut was_control = false;
        for (at, (label, is_control, _)) in self.rows.iter().enumerate() {
            if *is_control && !was_control {
                let _ = writeln!(text, "  {}", style.faint("controls"));
            }
            was_control = *is_control;
            let _ = write!(text, "  {label:label_width$}");
            for ((_, cells), width) in columns.iter().zip(&widths) {
                let cell = &cells[at];
                let n_blank = width + 2 - cell.chars().count();
                let cell = if cell.ends_with('*') { style.bold(cell) } else { cell.clone() };
                let _ = write!(text, "{:n_blank$}{cell}", "");
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }
}

fn width((header, cells): &(&str, Vec<String>)) -> usize {
    cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0).max(header.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let decimal = |value: f64| format!("{value:.1}");
        let mut table = Table::new(vec![
            Column::new("error", Best::Lowest, decimal),
            Column::new("r", Best::Highest, decimal),
            Column::new("empty", Best::Highest, decimal),
        ]);
        table.add(&Method::of_model("model", "model"), vec![Some(10.0), Some(0.5), None]);
        table.add(&Method::control("ridge", "ridge"), vec![Some(9.96), None, None]);
        table
    }

    #[test]
    fn columns_are_aligned_and_the_best_are_marked() {
        let text = table().render(&Style { colour: false });
        let expected = "         error     r\n  model   10.0*  0.5*\n  controls\n  ridge   10.0*    -\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let coloured = table().render(&Style { colour: true });
        let plain: String = coloured
            .split('\u{1b}')
            .map(|part| part.split_once('m').filter(|(code, _)| code.starts_with('[')).map_or(part, |(_, rest)| rest))
            .collect();
        assert_eq!(plain, table().render(&Style { colour: false }));
        assert!(coloured.contains("\u{1b}[1m10.0*\u{1b}[0m"), "{coloured:?}");
    }
}
