//! Everything that our readers do with an HDF5 file.

use std::path::Path;

use anndata::{
    Annotated, Annotator, CellImages, Column, Dense, File, Frame, Layer, NewAnnData, read_tenx_h5, write_new_h5ad,
};

use super::damage::Then;
use crate::sound;

/// Matrices and arrays of more values than this are not read twice.
const FEW: usize = 1 << 16;

/// Reads a file in every way that there is; checks what is accepted.
pub fn read_everything(path: &Path, then: Then) {
    if let Ok(file) = File::open(path) {
        read_file(&file, then == Then::Rewrite);
    }
    if let Ok(found) = read_tenx_h5(path) {
        found.iter().for_each(|(_, modality)| sound::converted(modality));
    }
    if let Ok(images) = CellImages::open(path) {
        read_images(&images);
    }
    if then == Then::Annotate {
        annotate(path);
    }
}

/// Adds results to a copy of a file, as a run does; checks that they are there.
fn annotate(path: &Path) {
    let copy = path.with_extension("annotated");
    let Ok(file) = File::open(path) else { return };
    let n_cells = file.obs().n_rows();
    let Ok(mut annotator) = Annotator::copy_of(path, &copy) else { return };
    let array = Dense::zeros(n_cells.min(FEW), 2);
    // names that differ, for obs and uns may be one group
    let done = annotator
        .set_obsm(None, "X_added", &array)
        .and_then(|()| annotator.set_obs_column(None, "added", &Column::Float(vec![0.5; n_cells])))
        .and_then(|()| annotator.set_uns(None, "added_text", &"text".into()));
    if done.is_ok() && annotator.finish().is_ok() {
        let file = File::open(copy).expect("what was annotated can be opened");
        assert_eq!(file.obs().column("added").expect("the column is there"), &Column::Float(vec![0.5; n_cells]));
        assert_eq!(file.obsm("X_added").expect("the array is there"), array);
    }
}

fn read_file(file: &File, rewrites: bool) {
    sound::frame(file.obs());
    let _ = file.uns_text("tool/text");
    for name in file.obsm_names().unwrap_or_default() {
        if let Ok(array) = file.obsm(&name) {
            assert_eq!(array.n_rows, file.obs().n_rows());
        }
    }
    for name in file.modalities().unwrap_or_default() {
        if let Ok(modality) = file.modality(&name) {
            read_modality(&modality, rewrites);
        }
    }
}

fn read_modality(modality: &Annotated, rewrites: bool) {
    sound::frame(modality.obs());
    sound::frame(modality.var());
    let _ = modality.uns_text("tool/text");
    for name in modality.obsm_names().unwrap_or_default() {
        if let Ok(array) = modality.obsm(&name) {
            assert_eq!((array.n_rows, array.values.len()), (modality.cells().len(), array.n_rows * array.n_columns));
        }
    }
    for layer in modality.layers().unwrap_or_default() {
        read_layer(modality, &layer, rewrites);
    }
}

fn read_layer(modality: &Annotated, layer: &Layer, rewrites: bool) {
    let raw = if *layer == Layer::Raw { modality.raw_var().ok() } else { None };
    let var = raw.as_ref().unwrap_or(modality.var());
    sound::frame(var);
    let n_cells = modality.cells().len();
    let some = n_cells / 3..n_cells - n_cells / 4;
    let part = modality.matrix_rows(layer, some.clone());
    let Ok(matrix) = modality.matrix(layer) else { return };
    sound::matrix(&matrix, (n_cells, var.n_rows()));
    let part = part.expect("rows of a matrix that can be read can be read");
    sound::matrix(&part, (some.len(), var.n_rows()));
    assert_eq!(part, matrix.select_rows(&some.collect::<Vec<_>>()).expect("the rows are there"));
    if rewrites && matrix.n_rows < FEW && matrix.n_columns < FEW {
        write_and_read(modality.obs(), var, matrix);
    }
}

/// What was read and can be written reads as itself.
fn write_and_read(obs: &Frame, var: &Frame, matrix: anndata::Csr) {
    let folder = crate::scratch::beside();
    let path = folder.join("written.h5ad");
    let new = NewAnnData::new(readable(obs), readable(var), matrix.clone());
    if write_new_h5ad(&path, &new).is_err() {
        return;
    }
    let file = File::open(&path).expect("what was written can be opened");
    let again = file.modality("").expect("what was written has tables");
    assert_eq!(format!("{:?}", again.obs()), format!("{:?}", new.obs));
    assert_eq!(format!("{:?}", again.var()), format!("{:?}", new.var));
    assert_eq!(again.matrix(&Layer::X).expect("what was written has a matrix"), matrix);
}

/// The columns of a table that are not skipped.
fn readable(frame: &Frame) -> Frame {
    let mut kept = Frame::new(frame.index().to_vec());
    for (name, column) in frame.columns().filter(|(_, column)| !matches!(column, Column::Skipped { .. })) {
        kept.insert(name, column.clone()).expect("columns have the length of the table");
    }
    kept
}

fn read_images(images: &CellImages) {
    let (height, width) = images.size();
    sound::frame(images.obs());
    let n_cells = images.cells().len();
    for channel in 0..images.channels().len().min(4) {
        let cells = 0..n_cells.min(2);
        if let Ok(pixels) = images.read(cells.clone(), channel) {
            assert_eq!(pixels.len(), cells.len() * height * width);
        }
    }
}
