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
pub use multidgd::{check_data, check_order, model_of, spec_of};
pub use pickle::{StoredKind, StoredTensor, read_state_dict};
pub use rows::{Rows, reconstruction, rows_of_cells};
