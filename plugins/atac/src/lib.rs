//! The assay `atac`: counts of accessible-chromatin fragments or cuts per peak.
//!
//! The file's matrix is opened, checked, filtered and handed out by the framework; this crate says what the assay
//! expects and what is used where a spec says nothing.

mod modality;

pub use modality::AtacSpec;

/// The smallest spec that trains.
pub const EXAMPLE: &str = include_str!("../example.toml");
