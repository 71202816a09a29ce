//! Seeded random numbers: the only source of chance in this crate.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::Tensor;

/// A generator whose numbers depend on the seed alone, not on the machine.
pub(crate) fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// An n × m tensor of independent standard normal numbers (64-bit, host).
pub(crate) fn normal(n_rows: usize, n_columns: usize, seed: u64) -> Tensor {
    let mut generator = generator(seed);
    let numbers: Vec<f64> = (0..n_rows * n_columns).map(|_| generator.sample(StandardNormal)).collect();
    Tensor::from_slice(&numbers).view([n_rows as i64, n_columns as i64])
}

/// `n_chosen` different numbers below `n`, in ascending order (all of them when `n_chosen >= n`).
pub(crate) fn subset(n: usize, n_chosen: usize, seed: u64) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    if n_chosen >= n {
        return all;
    }
    let mut generator = generator(seed);
    for place in 0..n_chosen {
        let other = generator.random_range(place as u64..n as u64) as usize;
        all.swap(place, other);
    }
    all.truncate(n_chosen);
    all.sort_unstable();
    all
}

/// `n_draws` elements of a non-empty list, drawn with replacement.
pub(crate) fn draws(from: &[usize], n_draws: usize, seed: u64) -> Vec<usize> {
    let mut generator = generator(seed);
    (0..n_draws).map(|_| from[generator.random_range(0..from.len() as u64) as usize]).collect()
}
