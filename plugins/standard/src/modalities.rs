//! Modalities that belong to no assay.

mod values;

pub use values::ValuesSpec;
