//! The assay `chromatin_image`: images of stained DNA of single nuclei.
//!
//! Images are cut by `cithara cut` and handed out by the framework; this crate says what is used where a spec says nothing.

mod modality;

pub use modality::ChromatinImageSpec;

/// The smallest spec that trains.
pub const EXAMPLE: &str = include_str!("../example.toml");
