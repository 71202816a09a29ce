//! The assay `protein_image`: images of one stained or tagged protein of single cells.
//!
//! Images are cut by `cithara cut` and handed out by the framework; this crate says what is used where a spec says nothing.

mod modality;

pub use modality::ProteinImageSpec;

/// The smallest spec that trains.
pub const EXAMPLE: &str = include_str!("../example.toml");
