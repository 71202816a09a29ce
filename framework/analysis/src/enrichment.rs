//! Sets of features, such as pathways, that are over-represented among chosen features or at one end of a ranking.
//!
//! Sets are lists of places among the features that were tested, which are the background: what was not tested could not
//! have been chosen.

mod over_representation;
mod preranked;
mod rank_sum;
mod stratified;

use anyhow::{Result, ensure};

pub use over_representation::{OverRepresentation, over_representation};
pub use preranked::{Enriched, PrerankedSpec, preranked};
pub use rank_sum::{RankSum, rank_sum};
pub use stratified::over_representation_within;

/// Which of so many features are in a list.
///
/// # Errors
/// When a feature does not exist or is listed twice.
fn members(list: &[usize], n_features: usize, what: &str) -> Result<Vec<bool>> {
    let mut within = vec![false; n_features];
    for &feature in list {
        ensure!(
            feature < n_features,
            "{what} names feature {feature}, but {n_features} were tested, counted from 0; leave out what was not tested"
        );
        ensure!(!within[feature], "{what} names feature {feature} twice; expected each feature once");
        within[feature] = true;
    }
    Ok(within)
}
