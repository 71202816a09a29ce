//! Separated text that describes cells: a column each of labels or numbers.

use std::path::Path;

use anyhow::{Result, ensure};

use super::is_missing;
use super::rows::{Row, Rows};
use crate::tables::names;
use crate::{Categorical, Column, Frame};

/// Reads a table of separated text (`.csv`, `.tsv`, …; also as `.gz`) that describes cells, one in each row: its first line
/// names the columns, the first field of each row the cell, unless rows have no names: then they are called `0`, `1`, ….
///
/// A column of numbers only becomes numbers, any other categories.
///
/// # Errors
/// If there is no such file, lines differ in length, or two cells or columns have one name: says the line.
pub fn read_frame(path: impl AsRef<Path>, named_rows: bool) -> Result<Frame> {
    let mut rows = Rows::open(path.as_ref(), None)?;
    let mut row = Row::default();
    ensure!(rows.advance(&mut row)?, "{} is empty; expected a line of names", rows.label());
    let mut header: Vec<String> = row.fields.iter().map(|field| rows.name(field, &row)).collect::<Result<_>>()?;
    let (mut cells, mut values) = (Vec::new(), Vec::new());
    while rows.advance(&mut row)? {
        // R leaves out the name of the column of names
        if cells.is_empty() && named_rows && header.len() + 1 == row.fields.len() {
            header.insert(0, String::new());
        }
        ensure!(
            row.fields.len() == header.len(),
            "{}: {} fields, but the first line names {}",
            rows.place(&row),
            row.fields.len(),
            header.len()
        );
        let mut fields = row.fields.iter().map(|field| rows.name(field, &row)).collect::<Result<Vec<_>>>()?;
        cells.push(if named_rows { fields.remove(0) } else { cells.len().to_string() });
        values.push(fields);
    }
    names::ensure_unique_cells(&cells)?;
    let names = &header[usize::from(named_rows)..];
    ensure!(!names.is_empty(), "{} has no column beside the names of cells", rows.label());
    let mut frame = Frame::new(cells);
    for (place, name) in names.iter().enumerate() {
        ensure!(!name.is_empty(), "{}: column {} has no name", rows.label(), place + 1);
        ensure!(frame.get(name).is_none(), "{}: two columns are called `{name}`", rows.label());
        frame.insert(name, column(values.iter().map(|fields| fields[place].as_str())))?;
    }
    Ok(frame)
}

/// Numbers if all fields that hold something are, else labels.
pub(super) fn column<'a>(fields: impl Iterator<Item = &'a str>) -> Column {
    let present = |field: &'a str| (!is_missing(field)).then_some(field);
    let fields: Vec<Option<&str>> = fields.map(present).collect();
    let number = |field: &Option<&str>| field.map_or(Ok(f64::NAN), str::parse);
    match fields.iter().map(number).collect::<Result<Vec<f64>, _>>() {
        Ok(numbers) if fields.iter().any(Option::is_some) => Column::Float(numbers),
        _ => {
            let labels: Vec<Option<String>> = fields.iter().map(|field| field.map(str::to_owned)).collect();
            Column::Categorical(Categorical::from_labels(&labels))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, named_rows: bool) -> Result<Frame> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("obs.csv");
        std::fs::write(&path, text).unwrap();
        read_frame(&path, named_rows)
    }

    #[test]
    fn columns_are_labels_or_numbers() {
        let frame = read("cell,type,dose\na,T,1\nb,,2.5\nc,B,NA\n", true).unwrap();
        assert_eq!(frame.index(), ["a", "b", "c"]);
        assert_eq!(frame.labels("type").unwrap(), [Some("T".to_owned()), None, Some("B".to_owned())]);
        let dose = frame.get("dose").unwrap().numbers().unwrap();
        assert!(dose[..2] == [1.0, 2.5] && dose[2].is_nan());
        let unnamed = read("cluster\n2\n1\n", false).unwrap();
        assert_eq!(unnamed.index(), ["0", "1"]);
        let of_r = read("type\na,T\nb,B\n", true).unwrap();
        assert_eq!((of_r.index().len(), of_r.column_names()), (2, vec!["type"]));
    }

    #[test]
    fn slips_are_told_with_their_line() {
        let told = |text: &str| read(text, true).unwrap_err().to_string();
        assert!(told("cell,type\na,T\nb,B,C\n").contains("line 3: 3 fields"));
        assert!(told("cell,type\na,T\na,B\n").contains('a'));
        assert!(told("cell,x,x\na,1,2\n").contains("two columns are called `x`"));
        assert!(told("").contains("empty"));
    }
}
