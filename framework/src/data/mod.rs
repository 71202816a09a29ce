//! From files to minibatches: cells aligned by name, filtered, divided, prepared and handed out.

mod absent;
mod augmentation;
mod categories;
mod cohort;
mod dataset;
mod files;
mod images;
mod loader;
mod matrix;
mod observations;
mod patterns;
mod prepared;
mod presence;
mod shared_cells;
mod split;
mod turns;

pub use augmentation::Augmentation;
pub use categories::CellCategories;
pub use cohort::{Classes, Cohort};
pub use dataset::{Assay, Dataset, Opened, open_beside};
pub use files::{DataFile, NewData, data_file, data_files, files_on_disk, key_in_new, key_of, table_of_new};
pub use images::{CELL_COLUMN_KEY, CHANNEL_COLUMN_KEY, IMAGES_KEY, ImageModality, open_images};
pub use loader::{Loader, minibatches, visiting_order};
pub use matrix::{MatrixModality, MatrixReading, Rows, open_annotated, open_matrix, open_table};
pub use matrix::{align_features, cells_of_enough_features, features_of_enough_cells, unique_names};
pub use observations::Observations;
pub use patterns::{Pattern, patterns_of_files};
pub use split::{Split, Subset};
pub use turns::{N_WAYS, turn_images, turn_minibatch};
