//! Using a model: rows of cells from their measurements, and what they predict.

mod embed;
mod estimate;
mod mapping;
mod trained;

pub use embed::{Embedding, Embeddings, Predictor, combine, embed};
pub use estimate::{Estimate, encode, predict, reconstruct, reconstruct_shared};
pub use mapping::{best_candidates, infer_rows, map_all, map_cells};
pub use trained::Trained;
