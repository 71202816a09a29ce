//! The assay `rna`: counts of transcripts per gene, as single-cell or single-nucleus RNA sequencing gives them.
//!
//! The file's matrix is opened, checked, filtered and handed out by the framework; this crate says what the assay
//! expects and what is used where a spec says nothing.

mod modality;

pub use modality::RnaSpec;

/// The smallest spec that trains.
pub const EXAMPLE: &str = include_str!("../example.toml");
