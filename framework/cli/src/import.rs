//! Models that other programs learned, made ordinary runs.

mod archive;
mod checkpoint;
mod hyperparameters;
mod multidgd;
mod names;
mod pickle;
mod rows;
mod spec;

pub use archive::Archive;
pub use checkpoint::Checkpoint;
pub use hyperparameters::Hyperparameters;
pub use multidgd::{Imported, Import, import_multidgd};
pub use pickle::{StoredTensor, StoredKind, read_state_dict};
