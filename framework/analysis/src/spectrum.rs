//! Leading eigenvectors of large symmetric matrices that are known by their products only.
//!
//! Subspace iteration with a Chebyshev filter (Saad 2011, chapter 7.4): a block of vectors is multiplied by T_d(A / c),
//! which is at most 1 where |λ| ≤ c and grows fast beyond; c is the least |λ| that the block holds. All sums are taken in a
//! fixed order, so that results do not depend on the number of threads.

use rayon::prelude::*;

use crate::graph::NeighbourGraph;
use crate::random::generator;
use rand::Rng;
use rand_distr::StandardNormal;

/// Highest degree of the filter.
const MAX_DEGREE: f64 = 40.0;
/// Logarithm of the most that a filter may enlarge.
const MAX_GROWTH: f64 = 23.0;
/// Passes over the small matrix, at most.
const MAX_SWEEPS: usize = 60;

/// Eigenvalues of largest magnitude, in that order, and their eigenvectors.
pub(crate) struct Leading {
    pub(crate) values: Vec<f64>,
    /// Unit vectors, n numbers each.
    pub(crate) vectors: Vec<Vec<f64>>,
}

/// What to look for.
#[derive(Clone, Copy)]
pub(crate) struct Search {
    pub(crate) n_wanted: usize,
    /// Length of A v − λ v, relative to the largest |λ|, below which v is good enough.
    pub(crate) tolerance: f64,
    pub(crate) max_rounds: usize,
    pub(crate) seed: u64,
}

impl Search {
    /// Eigenvectors of a symmetric n × n matrix with at least `n_wanted` of them; `times` multiplies a vector.
    ///
    /// After `max_rounds` the best vectors found are returned as they are.
    pub(crate) fn leading(self, n: usize, times: &(impl Fn(&[f64]) -> Vec<f64> + Sync)) -> Leading {
        let width = (self.n_wanted + 6 + self.n_wanted / 5).min(n);
        let mut random = generator(self.seed);
        let mut block: Vec<Vec<f64>> =
            (0..width).map(|_| (0..n).map(|_| random.sample(StandardNormal)).collect()).collect();
        let mut round = 0;
        loop {
            orthonormalise(&mut block);
            let (values, mut images) = ritz(&mut block, times);
            let largest = values.first().map_or(0.0, |value| value.abs());
            let limit = self.tolerance * largest.max(f64::MIN_POSITIVE);
            let wanted = block.iter().zip(&images).zip(&values).take(self.n_wanted);
            let settled = wanted.into_iter().all(|((vector, image), value)| residual(vector, image, *value) <= limit);
            round += 1;
            if settled || round >= self.max_rounds || width == n {
                block.truncate(self.n_wanted);
                return Leading { values: values[..self.n_wanted.min(width)].to_vec(), vectors: block };
            }
            filter(&mut block, &mut images, &values, times);
        }
    }
}

/// Turns an orthonormal block into approximate eigenvectors, largest magnitude first: their values and images.
fn ritz(block: &mut Vec<Vec<f64>>, times: &(impl Fn(&[f64]) -> Vec<f64> + Sync)) -> (Vec<f64>, Vec<Vec<f64>>) {
    let images: Vec<Vec<f64>> = block.par_iter().map(|vector| times(vector)).collect();
    let width = block.len();
    let small: Vec<Vec<f64>> =
        block.par_iter().map(|vector| images.iter().map(|image| dot(vector, image)).collect()).collect();
    let mean = |i: usize, j: usize| (small[i][j] + small[j][i]) / 2.0;
    let (values, turns) = jacobi((0..width).map(|i| (0..width).map(|j| mean(i, j)).collect()).collect());
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&a, &b| values[b].abs().total_cmp(&values[a].abs()).then(a.cmp(&b)));
    let turned = |vectors: &[Vec<f64>]| -> Vec<Vec<f64>> {
        order.par_iter().map(|&at| combined(vectors, turns.iter().map(|row| row[at]))).collect()
    };
    let turned_images = turned(&images);
    *block = turned(block);
    (order.iter().map(|&at| values[at]).collect(), turned_images)
}

/// Multiplies each vector by T_d(A / c), given its image under A.
fn filter(
    block: &mut [Vec<f64>],
    images: &mut [Vec<f64>],
    values: &[f64],
    times: &(impl Fn(&[f64]) -> Vec<f64> + Sync),
) {
    let largest = values[0].abs();
    let cut = values[values.len() - 1].abs().max(largest * 1e-9);
    let growth = (largest / cut).max(1.0).acosh();
    let degree = if growth > 0.0 { (MAX_GROWTH / growth).clamp(1.0, MAX_DEGREE) } else { MAX_DEGREE } as usize;
    block.par_iter_mut().zip(images).for_each(|(before, image)| {
        let mut now: Vec<f64> = image.iter().map(|x| x / cut).collect();
        for _ in 1..degree {
            let next = times(&now);
            let next = next.iter().zip(before.iter()).map(|(new, old)| 2.0 * new / cut - old).collect();
            *before = std::mem::replace(&mut now, next);
        }
        *before = now;
    });
}

fn residual(vector: &[f64], image: &[f64], value: f64) -> f64 {
    vector.iter().zip(image).map(|(v, a)| (a - value * v).powi(2)).sum::<f64>().sqrt()
}

fn dot(first: &[f64], second: &[f64]) -> f64 {
    first.iter().zip(second).map(|(a, b)| a * b).sum()
}

fn combined(vectors: &[Vec<f64>], shares: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = vec![0.0; vectors[0].len()];
    for (vector, share) in vectors.iter().zip(shares) {
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += share * x);
    }
    sum
}

/// Gram and Schmidt, twice; a vector that lies within those before becomes 0.
fn orthonormalise(block: &mut [Vec<f64>]) {
    for at in 0..block.len() {
        let (done, rest) = block.split_at_mut(at);
        let vector = &mut rest[0];
        let length = dot(vector, vector).sqrt();
        for _ in 0..2 {
            let shares: Vec<f64> = done.par_iter().map(|other| dot(other, vector)).collect();
            if !done.is_empty() {
                let within = combined(done, shares.into_iter());
                vector.iter_mut().zip(&within).for_each(|(x, y)| *x -= y);
            }
        }
        let left = dot(vector, vector).sqrt();
        let scale = if left > 1e-12 * length { 1.0 / left } else { 0.0 };
        vector.iter_mut().for_each(|x| *x *= scale);
    }
}

/// All eigenvalues of a small symmetric matrix, and their eigenvectors as columns (Jacobi 1846).
fn jacobi(mut matrix: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = matrix.len();
    let mut vectors: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let total: f64 = matrix.iter().flatten().map(|x| x * x).sum();
    for _ in 0..MAX_SWEEPS {
        let off: f64 = (0..n).map(|i| matrix[i][..i].iter().map(|x| x * x).sum::<f64>()).sum();
        if off <= 1e-30 * total {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                if matrix[p][q] != 0.0 {
                    rotate(&mut matrix, &mut vectors, p, q);
                }
            }
        }
    }
    ((0..n).map(|i| matrix[i][i]).collect(), vectors)
}

/// The rotation of two axes that makes their common entry 0.
fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for row in matrix.iter_mut().chain(vectors.iter_mut()) {
        let (a, b) = (row[p], row[q]);
        (row[p], row[q]) = (cosine * a - sine * b, sine * a + cosine * b);
    }
    let (upper, lower) = matrix.split_at_mut(q);
    for (x, y) in upper[p].iter_mut().zip(&mut lower[0]) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
}

/// D^−½ W D^−½ of a graph, with D its strengths: eigenvalues −1 … 1, 1 once for every connected component.
pub(crate) fn normalised(graph: &NeighbourGraph) -> NeighbourGraph {
    let scale: Vec<f64> =
        graph.strengths().iter().map(|&strength| if strength > 0.0 { 1.0 / strength.sqrt() } else { 0.0 }).collect();
    graph.scaled(&scale)
}

/// The product of a graph's matrix with a vector.
pub(crate) fn product(graph: &NeighbourGraph, vector: &[f64]) -> Vec<f64> {
    let row = |cell| {
        let (others, weights) = graph.row(cell);
        others.iter().zip(weights).map(|(&other, weight)| weight * vector[other as usize]).sum()
    };
    (0..graph.n_cells()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path of n cells, whose normalised matrix has eigenvalues cos(π k / (n − 1)).
    fn path(n: usize) -> NeighbourGraph {
        let row = |i: usize| [i.checked_sub(1), (i + 1 < n).then_some(i + 1)].into_iter().flatten();
        NeighbourGraph::from_lists(&(0..n).map(|i| row(i).map(|j| (j as u32, 2.5)).collect()).collect::<Vec<_>>())
    }

    fn expected(n: usize, k: usize) -> f64 {
        (std::f64::consts::PI * k as f64 / (n - 1) as f64).cos()
    }

    #[test]
    fn a_path_has_cosines() {
        let graph = normalised(&path(120));
        let search = Search { n_wanted: 6, tolerance: 1e-9, max_rounds: 200, seed: 1 };
        let found = search.leading(120, &|vector| product(&graph, vector));
        // in pairs, one of either sign
        for (at, value) in found.values.iter().enumerate() {
            assert!((value.abs() - expected(120, at / 2)).abs() < 1e-12, "{:?}", found.values);
        }
        for (vector, value) in found.vectors.iter().zip(&found.values) {
            assert!(residual(vector, &product(&graph, vector), *value) < 1e-8);
            assert!((dot(vector, vector) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_small_matrix_is_solved_at_once() {
        let graph = normalised(&path(9));
        let search = Search { n_wanted: 8, tolerance: 1e-12, max_rounds: 1, seed: 1 };
        let found = search.leading(9, &|vector| product(&graph, vector));
        assert!((found.values[7].abs() - expected(9, 3)).abs() < 1e-12, "{:?}", found.values);
    }
}
