//! Modalities that belong to no assay.

mod standardized;
mod values;

pub use standardized::Standardized;
pub use values::ValuesSpec;
