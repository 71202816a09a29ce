//! HDF5 files: whole ones that are damaged in their structure, and everything that our readers do with a file.

mod content;
mod damage;
mod everything;
mod seeds;

pub use damage::{Damage, Then};
pub use everything::read_everything;
pub use seeds::{SEEDS, seed};
