//! What images tell of a phenotype: a network learns it from real images, from reconstructed ones, from those of the shared spaces
//! alone, and from those predicted from other modalities, and is judged by cells that it was never shown.
//!
//! The procedure is that of Zhang et al. 2026 (Methods; Fig. 3d), with one difference that has no flag: in the authors' code
//! the judged cells are those of the patients that were learned from. Here they are held out, whole groups of them where groups are
//! named, and it is told which of them the model itself has seen.

mod answers;
mod classifier;
mod comparisons;
mod findings;
mod pace;
mod picture;
mod question;
mod splits;
mod store;
mod study;
mod summary;
mod tables;

pub use classifier::ClassifierSpec;
pub use findings::{Comparison, InputFindings, ModalityFindings, Phenotyped};
pub use picture::scores_picture;
pub use question::Question;
pub use splits::{Design, Judged};
pub use study::{Study, StudyOutcome, study};
pub use summary::{judged_words, mean_words, summary};
pub use tables::write;
