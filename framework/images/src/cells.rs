//! The cells that crops are of: where each was found, and what is known of its field.

use anyhow::{Result, anyhow, ensure};
use serde::{Deserialize, Serialize};

use crate::nearest;

/// One field of view (or one image of a stack) that cells come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOfCells {
    /// What it is called.
    pub name: String,
    /// Its values in the columns of the table.
    pub values: Vec<String>,
    /// Which channels it has, in the order of the cache.
    pub has: Vec<bool>,
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The place of its field in [`Cells::fields`].
    pub field: u32,
    /// Its number in the mask of the field; 0 for images of a stack, which have no mask.
    pub label: u32,
    /// Mean row and mean column of its nucleus in the field, in pixels.
    pub centroid: [f64; 2],
    /// Area of its nucleus, in pixels; 0 without a mask.
    pub n_pixels: u32,
}

/// All cells in the order of their crops.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Cells {
    /// Names of the columns of the table of fields.
    pub columns: Vec<String>,
    /// The fields that gave cells.
    pub fields: Vec<FieldOfCells>,
    /// The cells.
    pub cells: Vec<Cell>,
}

impl Cells {
    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.cells.len()
    }

    /// What a cell is called: `FIELD:LABEL`, or `FIELD` where there is no mask.
    pub fn name(&self, row: usize) -> String {
        let cell = &self.cells[row];
        let field = &self.fields[cell.field as usize].name;
        if cell.label == 0 { field.clone() } else { format!("{field}:{}", cell.label) }
    }

    /// Names of all cells, in order.
    pub fn names(&self) -> Vec<String> {
        (0..self.n_cells()).map(|row| self.name(row)).collect()
    }

    /// The name of the field of each cell.
    pub fn field_names(&self) -> Vec<&str> {
        self.cells.iter().map(|cell| self.fields[cell.field as usize].name.as_str()).collect()
    }

    /// The value of each cell in a column of the table of fields.
    ///
    /// # Errors
    /// If there is no such column: lists the columns and the nearest name.
    pub fn column(&self, name: &str) -> Result<Vec<&str>> {
        let place = self.columns.iter().position(|column| column == name);
        let place = place.ok_or_else(|| anyhow!(nearest::unknown("column", name, &self.columns)))?;
        Ok(self.cells.iter().map(|cell| self.fields[cell.field as usize].values[place].as_str()).collect())
    }

    /// How many cells each field gave, in the order of the fields.
    pub fn n_cells_of_fields(&self) -> Vec<usize> {
        let mut counts = vec![0; self.fields.len()];
        self.cells.iter().for_each(|cell| counts[cell.field as usize] += 1);
        counts
    }

    /// Whether a cell has a channel of the cache.
    pub fn has(&self, row: usize, channel: usize) -> bool {
        self.fields[self.cells[row].field as usize].has[channel]
    }

    /// Refuses what no writer of this crate wrote.
    pub(crate) fn ensure_sound(&self, n_channels: usize) -> Result<()> {
        let fields = self.fields.iter();
        let sound = fields.clone().all(|field| field.values.len() == self.columns.len())
            && fields.clone().all(|field| field.has.len() == n_channels)
            && self.cells.iter().all(|cell| (cell.field as usize) < self.fields.len());
        ensure!(sound, "its table of cells contradicts itself");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Cells {
        let field = |name: &str, dose: &str, has: [bool; 2]| FieldOfCells {
            name: name.to_owned(),
            values: vec![dose.to_owned()],
            has: has.to_vec(),
        };
        let cell = |field, label| Cell { field, label, centroid: [1.0, 2.0], n_pixels: 5 };
        Cells {
            columns: vec!["dose".to_owned()],
            fields: vec![field("A01", "0", [true, true]), field("A02", "3", [true, false])],
            cells: vec![cell(0, 1), cell(0, 2), cell(1, 1), cell(1, 0)],
        }
    }

    #[test]
    fn cells_are_called_after_field_and_label_and_know_their_metadata() {
        let cells = cells();
        assert_eq!(cells.names(), ["A01:1", "A01:2", "A02:1", "A02"]);
        assert_eq!(cells.column("dose").unwrap(), ["0", "0", "3", "3"]);
        assert_eq!(cells.n_cells_of_fields(), [2, 2]);
        assert!(cells.has(1, 1) && !cells.has(2, 1));
        let error = cells.column("dosis").unwrap_err().to_string();
        assert_eq!(error, "no column `dosis`: did you mean `dose`? available: dose");
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        assert!(cells().ensure_sound(2).is_ok());
        assert!(cells().ensure_sound(3).is_err());
        let mut wrong = cells();
        wrong.cells[0].field = 2;
        assert!(wrong.ensure_sound(2).is_err());
    }
}
