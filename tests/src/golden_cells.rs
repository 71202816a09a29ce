//! The cells of golden values as a file.

use crate::dgd::{N_FEATURES, numbers};
use anndata::{Categorical, Column, Dense, Frame, NewAnnData, NewMuData, write_new_h5mu};
use serde_json::Value;
use std::path::Path;

/// Cells × 42 counts, both modalities side by side, and the columns of obs.
#[derive(Debug)]
pub struct GoldenCells<'a> {
    /// The counts.
    pub counts: Vec<&'a Value>,
    /// Columns of obs by name, a value per cell.
    pub columns: Vec<(&'a str, Vec<String>)>,
}

/// Writes the cells as a .h5mu file of the modalities `names`, called `cell0`, `cell1`, ….
///
/// # Panics
/// When the file cannot be written.
pub fn write_golden_cells(path: &Path, names: [&str; 2], cells: &GoldenCells<'_>) {
    let index: Vec<String> = (0..cells.counts.len()).map(|cell| format!("cell{cell}")).collect();
    let mut obs = Frame::new(index.clone());
    for (name, values) in &cells.columns {
        let labels: Vec<Option<String>> = values.iter().cloned().map(Some).collect();
        obs.insert(name, Column::Categorical(Categorical::from_labels(&labels))).expect("a value per cell");
    }
    let mut file = NewMuData { obs, ..NewMuData::default() };
    let rows: Vec<Vec<f64>> = cells.counts.iter().map(|row| numbers(row)).collect();
    let mut first = 0;
    for (name, n_features) in names.into_iter().zip(N_FEATURES) {
        let n = n_features as usize;
        let values = rows.iter().flat_map(|row| row[first..first + n].iter().map(|value| *value as f32)).collect();
        let values = Dense::new(rows.len(), n, values).expect("a matrix of that shape");
        let var = Frame::new((0..n).map(|feature| format!("{name}{feature}")).collect());
        file.modalities.insert(name.to_owned(), NewAnnData::new(Frame::new(index.clone()), var, values));
        first += n;
    }
    write_new_h5mu(path, &file).expect("a new file");
}
