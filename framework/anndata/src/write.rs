//! From tables and matrices to HDF5 objects with the encodings that Python's anndata and mudata read.

pub(crate) mod draft;
pub(crate) mod element;
pub(crate) mod frame;
pub(crate) mod matrix;
mod new_anndata;
mod new_mudata;

pub(crate) use draft::Draft;
pub use matrix::Matrix;
pub use new_anndata::{NewAnnData, write_new_h5ad};
pub use new_mudata::{NewMuData, write_new_h5mu};
