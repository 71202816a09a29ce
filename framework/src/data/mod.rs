//! From files to minibatches: cells aligned by name, filtered, divided, prepared and handed out.

mod absent;
mod dataset;
mod loader;
mod matrix;
mod observations;
mod split;

pub use dataset::{Assay, Dataset, NewData, Opened, data_files};
pub use loader::{Loader, minibatches, visiting_order};
pub use matrix::{MatrixReading, open_matrix};
pub use observations::Observations;
pub use split::{Split, Subset};
