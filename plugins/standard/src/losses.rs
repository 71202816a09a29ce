//! Losses: how far predictions are from what was measured, as the mean over the features of each cell.

mod bce;
mod bernoulli;
mod by_row;
mod logistic;
mod mse;
mod negative_binomial;
mod number;
mod poisson;
mod shares;
mod stored;
mod zinb;

pub use bce::{Bce, BceSpec, PosWeight, PosWeightRule};
pub use bernoulli::{Bernoulli, BernoulliSpec};
pub use mse::{Mse, MseSpec};
pub use negative_binomial::{Dispersion, NegativeBinomial, NegativeBinomialSpec};
pub use poisson::{Likelihood, Poisson, PoissonSpec};
pub use zinb::{Zinb, ZinbSpec};

#[cfg(test)]
mod testing;
