//! The assay `surface_protein`: counts of antibody-derived tags per protein, as CITE-seq gives them.
//!
//! The file's matrix is opened, checked, filtered and handed out by the framework; this crate says what the assay
//! expects and what is used where a spec says nothing.

mod modality;

pub use modality::SurfaceProteinSpec;

/// The smallest spec that trains.
pub const EXAMPLE: &str = include_str!("../example.toml");
