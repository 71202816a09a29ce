//! The file of cells: an .h5mu with a modality per channel, features of nuclei in `X`, metadata of fields in `obs`.

use super::{CROPS, Measured};
use anndata::{Categorical, Column, Dense, Frame, NewAnnData, NewMuData, UnsTree, write_new_h5mu};
use anyhow::Result;
use framework::data::IMAGES_KEY;
use images::{Cells, Crops};
use std::path::Path;

/// Writes the cells and what was measured of each channel.
///
/// # Errors
/// When the file cannot be written.
pub fn write_cells(path: &Path, crops: &Crops, channels: Vec<(String, Measured)>) -> Result<()> {
    let cells = &crops.contents().cells;
    let all: Vec<usize> = (0..cells.n_cells()).collect();
    let mut file = NewMuData { obs: metadata(cells, &all)?, ..NewMuData::default() };
    for (name, measured) in channels {
        let Measured { rows, names, values, .. } = measured;
        let x = Dense::new(rows.len(), names.len(), values)?;
        let mut modality = NewAnnData::new(metadata(cells, &rows)?, Frame::new(names), x);
        let about: UnsTree = [("crops", CROPS), ("channel", name.as_str())].into_iter().collect();
        modality.uns.insert(IMAGES_KEY.to_owned(), about);
        file.modalities.insert(name, modality);
    }
    write_new_h5mu(path, &file)
}

/// What is known of some cells: field, place in it, area of the nucleus, and the columns of the table of fields.
pub(super) fn metadata(cells: &Cells, rows: &[usize]) -> Result<Frame> {
    let mut frame = Frame::new(rows.iter().map(|&row| cells.name(row)).collect());
    let field = |row: &usize| Some(cells.fields[cells.cells[*row].field as usize].name.clone());
    frame.insert("field", categorical(&rows.iter().map(field).collect::<Vec<_>>()))?;
    let numbers = |of: &dyn Fn(usize) -> f64| Column::Float(rows.iter().map(|&row| of(row)).collect());
    frame.insert("centroid_row", numbers(&|row| cells.cells[row].centroid[0]))?;
    frame.insert("centroid_column", numbers(&|row| cells.cells[row].centroid[1]))?;
    frame.insert("n_pixels", numbers(&|row| f64::from(cells.cells[row].n_pixels)))?;
    for (place, name) in cells.columns.iter().enumerate() {
        let value = |row: &usize| cells.fields[cells.cells[*row].field as usize].values[place].clone();
        let values = rows.iter().map(value).map(|value| Some(value).filter(|value| !value.is_empty()));
        frame.insert(name, categorical(&values.collect::<Vec<_>>()))?;
    }
    Ok(frame)
}

pub(super) fn categorical(labels: &[Option<String>]) -> Column {
    Column::Categorical(Categorical::from_labels(labels))
}
