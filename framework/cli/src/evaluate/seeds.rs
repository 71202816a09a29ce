//! What the evaluation draws at random; each draw has a seed of its own.

use framework::{Purpose, Seed};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Draw {
    /// Resamples of the judged cells.
    Resamples,
    /// The features whose predictions are kept whole.
    Panel,
    /// A training cell for each judged cell.
    RandomCell,
    /// The start of randomised principal components.
    Components,
    /// Labels in another order.
    Permutation,
    /// The cells that a linear probe learns from where there are many.
    ProbeCells,
    /// The cells of a silhouette where there are many.
    Silhouette,
    /// The training cells held back to judge learned rows.
    HeldBack,
    /// The starts of k-means.
    Groups,
    /// A training cell for each judged cell, whose image is compared.
    RandomImage,
    /// Rows that know nothing of the cells.
    RandomRows,
}

/// The key of one draw; `place` tells draws of a kind apart.
pub(super) fn key(seed: Seed, draw: Draw, place: usize) -> u64 {
    seed.key(Purpose::Evaluation, draw as u64, place as u64)
}

/// A generator for one draw.
pub(super) fn generator(seed: Seed, draw: Draw, place: usize) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(key(seed, draw, place))
}

/// `n_chosen` different places below `n`, ascending; all of them where there are no more.
pub(super) fn subset(n: usize, n_chosen: usize, generator: &mut ChaCha8Rng) -> Vec<usize> {
    let mut places: Vec<usize> = (0..n).collect();
    if n_chosen < n {
        let (chosen, _) = places.partial_shuffle(generator, n_chosen);
        let mut chosen = chosen.to_vec();
        chosen.sort_unstable();
        return chosen;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_seeded_ascending_and_of_the_size_asked_for() {
        let draw = |seed| subset(100, 10, &mut generator(Seed(seed), Draw::Panel, 0));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).len() == 10 && draw(1).windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(subset(3, 10, &mut generator(Seed(1), Draw::Panel, 0)), [0, 1, 2]);
    }
}
