//! From files to minibatches: cells aligned by name, filtered, divided, prepared and handed out.

mod absent;
mod augmentation;
mod categories;
mod cohort;
mod dataset;
mod images;
mod loader;
mod matrix;
mod observations;
mod prepared;
mod split;
mod turns;

pub use augmentation::Augmentation;
pub use categories::CellCategories;
pub use cohort::{Classes, Cohort};
pub use dataset::{Assay, Dataset, NewData, Opened, data_files, open_beside};
pub use images::{IMAGES_KEY, ImageModality, open_images};
pub use loader::{Loader, minibatches, visiting_order};
pub use matrix::{MatrixModality, MatrixReading, Rows, open_annotated, open_matrix, open_table};
pub use matrix::{align_features, cells_of_enough_features, features_of_enough_cells, unique_names};
pub use observations::Observations;
pub use split::{Split, Subset};
pub use turns::{N_WAYS, turn_images, turn_minibatch};
