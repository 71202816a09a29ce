//! The built-in components in one place: a program that names this crate links them all.
//!
//! Components declare themselves, but a crate that nothing names is not linked. So a program says `use plugins as _;`.

pub use {atac, chromatin_image, protein_image, rna, standard, surface_protein};
