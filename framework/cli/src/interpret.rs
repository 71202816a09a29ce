//! What latent spaces know of: features that differ along their principal components, sets of genes that these belong to,
//! and what each space tells of the others, of labels and of how deeply a cell was measured.
//!
//! The procedure is that of Zhang et al. 2026 (Methods); its numbers are computed in the crate `analysis`, here spaces and
//! features of a run are brought to it, and what is found is written.

mod annotation;
mod features;
mod findings;
mod gene_sets;
mod knowledge;
mod picture;
mod spaces;
mod study;
mod tables;
mod two_groups;

pub use annotation::annotate;
pub use features::FeatureTable;
pub use findings::{ComponentFindings, Feature, Interpreted, KnowledgeOf, SpaceFindings, summary};
pub use gene_sets::GeneSets;
pub use knowledge::{ControlRows, NumberColumn, Questions, knowledge};
pub use picture::{curves_picture, shares_picture};
pub use spaces::{SpaceOfCells, spaces_of};
pub use study::{Study, interpret_space};
pub use tables::write;
pub use two_groups::two_groups;
