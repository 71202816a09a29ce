//! Reading and writing AnnData (.h5ad) and MuData (.h5mu) files.
//!
//! Files of Python's anndata 0.7 to 0.13 and mudata 0.2 to 0.4 are read: [`File`] opens one, [`Annotated`] is one
//! modality of it, [`Frame`] a table beside a matrix, [`Csr`] a matrix. Tables are read at once, matrices when asked
//! for, dense ones piece by piece so that memory follows the values that are not zero. An encoding that is not known
//! is skipped by name and never fails the rest.
//!
//! A [`RowFile`] is a matrix on disk from which any rows are read, for data that memory does not hold.
//!
//! [`CellImages`] are images of single cells beside such a table, as scPortrait writes them.
//!
//! [`write_new_h5ad`] and [`write_new_h5mu`] write new files; [`Annotator`] adds results to a copy of a file, or in its
//! place, and leaves every other object as it was. A file takes its name only when it is whole.
//!
//! Tables of counts in other formats become what is written as new files:
//!
//! | format | reader |
//! |---|---|
//! | 10x Genomics `.h5` (Cell Ranger 2 and later) | [`read_tenx_h5`] |
//! | folder of `matrix.mtx`, `features.tsv` and `barcodes.tsv`, also as `.gz` | [`read_matrix_market`] |
//! | `.csv`, `.tsv` and other separated text, also as `.gz` | [`read_delimited`] |
//! | fragments of accessible chromatin (`fragments.tsv.gz`), counted in peaks or tiles | [`read_fragments`] |
//!
//! [`File`] opens all of these but fragments, too, as if they had been converted: names at once, values when asked for.

mod annotated;
mod annotator;
mod cell_images;
mod column;
mod csr;
mod dense;
mod file;
mod frame;
mod layer;
mod nearest;
mod read;
mod row_file;
mod tables;
mod uns_tree;
mod write;

pub use annotated::Annotated;
pub use annotator::{Annotator, ArrayId};
pub use cell_images::{CellImages, ImageChannel};
pub use column::{Categorical, Column};
pub use csr::Csr;
pub use dense::Dense;
pub use file::{File, Kind};
pub use frame::Frame;
pub use layer::Layer;
pub use row_file::{ColumnPlaces, RowFile, RowFileWriter};
pub use tables::{
    ColumnPlace, Counted, DelimitedSpec, FragmentSpec, FragmentTotals, Peak, Regions, files_of, is_delimited,
    read_delimited, read_fragments, read_frame, read_matrix_market, read_names, read_peaks, read_tenx_h5,
};
pub use uns_tree::UnsTree;
pub use write::{Matrix, NewAnnData, NewMuData, write_new_h5ad, write_new_h5mu};

/// The version of the HDF5 library that reads and writes, as `2.2.0`.
pub fn hdf5_version() -> String {
    let (major, minor, release) = hdf5_metno::library_version();
    format!("{major}.{minor}.{release}")
}
