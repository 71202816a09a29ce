//! In-silico silencing of features, as a table: effects, places, and how unusual they are.
//!
//! The model's part is `framework::infer::Perturbation`, the statistics' that of `analysis`; here is what lies between
//! them and files: which cells, which genes to compare with, where things lie on the genome, tables and pictures.

mod annotation;
mod measured;
mod null;
mod picture;
mod places;
mod store;
mod table;
mod task;

pub use annotation::{Annotation, Gene, open_text};
pub use measured::{CellCounts, Expressing};
pub use null::{Matched, MatchedNull};
pub use picture::{Locus, SIGNIFICANT, locus_picture};
pub use places::{Place, Places, Strand, place_of_name, signed_distance};
pub use store::write_h5ad;
pub use table::{Link, Links};
pub use task::{GeneTask, Linking};
