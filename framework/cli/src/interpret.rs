//! What latent spaces know of: features that differ along their principal components, sets of genes that these belong to,
//! and what each space tells of the others, of labels and of how deeply a cell was measured.
//!
//! The procedure is that of Zhang et al. 2026 (Methods); its numbers are computed in the crate `analysis`, here spaces and
//! features of a run are brought to it, and what is found is written.

mod agreed;
mod along;
mod annotation;
mod cell_cycle;
mod classified;
mod feature_sets;
mod features;
mod findings;
mod gene_sets;
mod knowledge;
mod motifs;
mod picture;
mod set_tests;
mod spaces;
mod splits;
mod study;
mod tables;
mod two_groups;

pub use agreed::{agreed, agreements_picture};
pub use along::{Along, along};
pub use annotation::{annotate, annotate_rows};
pub use cell_cycle::cell_cycle_scores;
pub use classified::{Classified, Classify, Loss};
pub use feature_sets::FeatureSets;
pub use features::FeatureTable;
pub use findings::{ComponentFindings, Feature, Interpreted, KnowledgeOf, SpaceFindings, summary};
pub use gene_sets::GeneSets;
pub use knowledge::{ControlRows, LabelColumn, NumberColumn, Questions, knowledge};
pub use motifs::MotifSets;
pub use picture::{curves_picture, shares_picture, two_groups_picture};
pub use spaces::{SpaceOfCells, spaces_of, whole_spaces};
pub use splits::HeldOut;
pub use study::{Study, interpret_space};
pub use tables::write;
pub use two_groups::two_groups;
