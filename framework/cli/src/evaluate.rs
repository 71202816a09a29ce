//! How good a trained model is, beside what something simple would reach.
//!
//! Everything is judged on cells that the model did not learn from, in one table with its controls, and said again in
//! plain sentences. Two methods are compared by a paired bootstrap over cells: 400 seeded resamples of the judged cells,
//! the same for both; a difference counts when its 95 % interval leaves out 0. Predictions are met a block of
//! cells at a time; the measurements that controls learn from stay as sparse as they came. Of targets that are successes
//! among trials the share is judged, and entries without trials count nowhere.
//!
//! | part | question | controls |
//! |---|---|---|
//! | reconstruction | does a modality's encoder keep what its decoder needs? | mean per feature, principal components |
//! | cross-prediction | does one modality tell another? | mean per feature, random cell, depth, neighbours, ridge |
//! | images | do predicted images look like the real ones, cell by cell? | mean image, nearest cell, random cell |
//! | probes | what do the spaces know of a label? | principal components, permuted labels |

mod clustering;
mod controls;
mod evaluation;
mod factor;
mod images;
mod judge;
mod measured;
mod numbers;
mod predictions;
mod principal;
mod probe;
mod resamples;
mod seeds;
mod spaces;
mod task;
mod text;
mod tsv;
mod verdict;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use evaluation::{
    ClassScores, CorrelationSummary, Evaluation, JudgedCells, LabelProbe, MeasuredEntries, Method, MethodScores,
    Precision, PredictionScores, Section, SpaceScores,
};
pub use images::{ImageMethodScores, ImageScores, PredictImages, TaughtCells, images_beside};
pub(crate) use measured::{Input, Measured, Reading};
pub(crate) use numbers::{ids, random_rows, select};
pub(crate) use principal::{Components, principal_components};
pub use resamples::Interval;
pub use task::{EvaluationTask, evaluate};
pub(crate) use text::{Part, WrittenRow, WrittenTable};
pub use verdict::{Outcome, Verdict};
