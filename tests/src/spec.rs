//! Small files of simulated cells, and small specs for them.

use anndata::{Dense, Frame, NewAnnData, NewMuData, write_new_h5mu};
use cli::simulate::{Design, Factor, simulate};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

/// One modality of a small file.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// The cells that it measured.
    pub cells: Range<usize>,
    /// cells × features, of the measured cells only.
    pub values: Dense,
}

/// Ten features for each of these factors, of the first `n_cells` cells that seed 1 draws (setting 1 of the paper).
///
/// # Panics
/// When nothing can be simulated.
pub fn values(factors: &[Factor], n_cells: usize) -> Dense {
    let setting = Design::of(1).expect("setting 1");
    let x_blocks = factors.iter().map(|&factor| vec![factor]).collect();
    simulate(&Design { x_blocks, ..setting }, n_cells, 1).expect("simulated cells").x
}

/// These columns of a matrix, in this order.
///
/// # Panics
/// When there is no such column.
pub fn columns(matrix: &Dense, wanted: &[usize]) -> Dense {
    let values = (0..matrix.n_rows).flat_map(|row| wanted.iter().map(move |&column| matrix.row(row)[column])).collect();
    Dense::new(matrix.n_rows, wanted.len(), values).expect("a matrix of that shape")
}

impl Measured {
    /// A modality that measured some cells of a matrix of all cells.
    ///
    /// # Panics
    /// When the matrix has fewer cells.
    pub fn new(name: &str, all: &Dense, cells: Range<usize>) -> Measured {
        let values = all.values[cells.start * all.n_columns..cells.end * all.n_columns].to_vec();
        let values = Dense::new(cells.len(), all.n_columns, values).expect("a matrix of that shape");
        Measured { name: name.to_owned(), cells, values }
    }

    /// As it is written: features are called by the modality's name and a number.
    pub fn anndata(&self) -> NewAnnData {
        let obs = Frame::new(self.cells.clone().map(|cell| format!("cell{cell}")).collect());
        let var = Frame::new((0..self.values.n_columns).map(|feature| format!("{}{feature}", self.name)).collect());
        NewAnnData::new(obs, var, self.values.clone())
    }
}

/// Writes modalities as one .h5mu file, its cells all that any of them measured.
///
/// # Panics
/// When the file cannot be written.
pub fn mudata(path: &Path, modalities: &[Measured]) {
    let n_cells = modalities.iter().map(|modality| modality.cells.end).max().unwrap_or(0);
    let obs = Frame::new((0..n_cells).map(|cell| format!("cell{cell}")).collect());
    let mut file = NewMuData { obs, ..NewMuData::default() };
    for modality in modalities {
        file.modalities.insert(modality.name.clone(), modality.anndata());
    }
    write_new_h5mu(path, &file).expect("a new file");
}

/// A spec that trains within a second on `cells.h5mu` of its folder; `more` is put at its end.
pub fn small_spec(modalities: &[&str], more: &str) -> String {
    let mut text = String::from("spec_version = 1\nname = \"small\"\nseed = 3\n\n[data]\npath = \"cells.h5mu\"\n");
    for name in modalities {
        let layers = "encoder = { hidden = [16] }\ndecoder = { hidden = [16] }\n";
        let _ = write!(text, "\n[modality.{name}]\nkind = \"values\"\n{layers}");
    }
    text.push_str("\n[model]\nshared = 2\nspecific = 2\n\n[fit]\nn_threads = 1\n");
    text.push_str("latent = { n_epochs = 4, minibatch = 64, validate_every_epochs = 2 }\n");
    text.push_str("encoders = { n_epochs = 3, minibatch = 64 }\none_step = { n_epochs = 3, minibatch = 64 }\n");
    text + more
}
