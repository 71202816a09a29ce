//! The main job: from an experiment to a run directory.

mod annotate;
mod memory;
mod progress;
mod spaces;
mod stages;
mod train;

pub use annotate::{Scene, annotate_embedding, annotate_prediction, annotated_names, predicted_cells};
pub(crate) use annotate::{file_rows, in_file_order};
pub use progress::Progress;
pub(crate) use progress::{beside_bar, clock};
pub use spaces::{COLLAPSED, Sources, SpaceFacts, SpaceRows};
pub(crate) use spaces::{is_learned, reordered};
pub use stages::{Epoch, Losses, Stage, has_taught_encoders, stages};
pub use train::{Built, Ending, Prepared, Request, begin, prepare, resume, start_device, train};
pub(crate) use train::{build, check_targets, ensure_same_files, now_secs};

/// Cells that go through a model at a time.
pub const CELLS_AT_A_TIME: usize = 512;
