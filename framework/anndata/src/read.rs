//! From HDF5 objects to tables and matrices; one file per AnnData encoding family.
//!
//! What is where inside a file (`obs`, `layers/…`, `mod/…`) is not known here but in [`crate::Annotated`] and
//! [`crate::File`].

pub(crate) mod array;
pub(crate) mod dense;
pub(crate) mod extent;
pub(crate) mod frame;
pub(crate) mod matrix;
pub(crate) mod place;
pub(crate) mod sparse;
pub(crate) mod text;
pub(crate) mod values;
