//! Using a model: rows of cells from their measurements, and what they predict.

mod embed;
mod estimate;
mod trained;

pub use embed::{Embedding, Predictor, combine, embed};
pub use estimate::{Estimate, encode, predict, reconstruct, reconstruct_shared};
pub use trained::Trained;
