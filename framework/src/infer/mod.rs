//! Using a model: rows of cells from their measurements, and what they predict.

mod block;
mod embed;
mod estimate;
mod mapping;
mod new_classes;
mod perturb;
mod trained;

pub use embed::{Embedding, Embeddings, Predictor, combine, embed};
pub use estimate::{Estimate, encode, predict, reconstruct, reconstruct_shared};
pub use mapping::{best_candidates, candidate_costs, infer_rows, map_all, map_cells};
pub use new_classes::{NewClasses, learn_new_classes, starting_rows, unseen_classes, with_classes};
pub use perturb::{Effects, Perturbation, Silenced, Silencing, shares};
pub use trained::Trained;
