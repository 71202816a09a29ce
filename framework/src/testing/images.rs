//! Small files of images, as `cithara cut` leaves them.

use crate::data::IMAGES_KEY;
use anndata::{Dense, Frame, NewAnnData, UnsTree, write_new_h5ad};
use anyhow::Result;
use images::{CellImagesSpec, Cutting, Normalisation, Reach, StackSpec, make_crops};
use std::path::{Path, PathBuf};

/// The one channel of [`small_images`].
const CHANNEL: &str = "dna";

/// Writes `n_cells` images of `side` × `side` pixels and an .h5ad that names them into a folder; returns the .h5ad.
///
/// A cell has a bright disc whose size and place follow from its number; no pixel is at random.
///
/// # Errors
/// When a file cannot be written, or `side` is no power of two of at least 8.
pub fn small_images(folder: &Path, n_cells: usize, side: usize) -> Result<PathBuf> {
    let mut bytes = npy_header(&[n_cells, 1, side, side]);
    for cell in 0..n_cells {
        let (radius, middle) = (2.0 + (cell % 3) as f64, (side / 2 + cell % 2) as f64);
        let pixel = |place: usize| {
            let (row, column) = ((place / side) as f64, (place % side) as f64);
            let distance = (row - middle).hypot(column - middle);
            if distance < radius { 200 - (10.0 * distance) as u8 } else { ((place + cell) % 20) as u8 }
        };
        bytes.extend((0..side * side).map(pixel));
    }
    std::fs::write(folder.join("images.npy"), bytes)?;
    let stack = StackSpec { path: "images.npy".into(), channels: vec![CHANNEL.into()], ..StackSpec::default() };
    let spec = CellImagesSpec {
        stack: Some(stack),
        crops: Cutting { side, keep_mask: false, ..Cutting::default() },
        normalisation: Normalisation { per: Reach::Crop, ..Normalisation::default() },
        ..CellImagesSpec::default()
    };
    let crops = make_crops(&spec, folder, &folder.join("images.cells"))?;
    let obs = Frame::new(crops.contents().cells.names());
    let x = Dense::zeros(n_cells, 1);
    let mut file = NewAnnData::new(obs, Frame::new(vec!["nothing".into()]), x);
    let about: UnsTree = [("crops", "images.cells"), ("channel", CHANNEL)].into_iter().collect();
    file.uns.insert(IMAGES_KEY.to_owned(), about);
    let path = folder.join("images.h5ad");
    write_new_h5ad(&path, &file)?;
    Ok(path)
}

/// The beginning of a NumPy file of bytes.
fn npy_header(shape: &[usize]) -> Vec<u8> {
    let mut text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape:?}}}").replace(['[', ']'], "");
    text = text.replace("'shape': ", "'shape': (").replace('}', ")}");
    // magic, version and length are 10 bytes; all of it ends at a multiple of 64 with a line's end
    let n_spaces = 63 - (10 + text.len()) % 64;
    text.push_str(&" ".repeat(n_spaces));
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, text.as_bytes()].concat()
}
