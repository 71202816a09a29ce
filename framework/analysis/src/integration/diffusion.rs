//! Cells that are near by diffusion in a graph.

use anyhow::Result;
use tch::Tensor;

use crate::graph::NeighbourGraph;
use crate::neighbours::{Distance, NeighbourSearch, Neighbours};
use crate::spectrum::{Search, normalised, product};
use crate::tensor::{from_rows, numbers};

/// Components of a diffusion map.
const N_COMPONENTS: usize = 100;
/// Up to this many cells the matrix is decomposed as a whole.
const MAX_EXACT_CELLS: usize = 1000;
/// An eigenvalue this near to 1 is 1: there is one for each connected part.
const NEAR_ONE: f64 = 1e-6;

/// The nearest other cells of each cell of a graph in its diffusion map.
///
/// With W′ = q⁻¹ W q⁻¹ (q the strengths: the density of cells taken out) and T = D^−½ W′ D^−½, coordinates are the
/// eigenvectors of T of largest |λ|, times λ / (1 − λ): time is summed over. Where λ is 1 the factor is 1; scib-metrics
/// means that too, but rounding of 32-bit numbers decides there whether it is 1 or about 10⁷.
///
/// # Source
/// Coifman et al. 2005; Haghverdi et al. 2016; scib-metrics 0.5.10 `diffusion_nn`.
pub(super) fn diffusion_neighbours(graph: &NeighbourGraph, n_neighbours: usize) -> Result<Neighbours> {
    let inverse: Vec<f64> =
        graph.strengths().iter().map(|&strength| if strength > 0.0 { 1.0 / strength } else { 0.0 }).collect();
    let transitions = normalised(&graph.scaled(&inverse));
    let n_cells = graph.n_cells();
    let n_components = N_COMPONENTS.min(n_cells - 1);
    let (values, vectors) = if n_cells <= MAX_EXACT_CELLS {
        exact(&transitions, n_components)?
    } else {
        leading(&transitions, n_components)
    };
    let mut places = vec![0.0; n_cells * n_components];
    for (at, (value, vector)) in values.iter().zip(&vectors).enumerate() {
        let scale = if *value > 1.0 - NEAR_ONE { 1.0 } else { value / (1.0 - value) };
        for (cell, x) in vector.iter().enumerate() {
            places[cell * n_components + at] = x * scale;
        }
    }
    NeighbourSearch::new(&from_rows(&places, n_components), Distance::Euclidean)?.nearest_others(n_neighbours)
}

fn exact(matrix: &NeighbourGraph, n_wanted: usize) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
    let n = matrix.n_cells();
    let mut dense = vec![0.0; n * n];
    for cell in 0..n {
        let (others, weights) = matrix.row(cell);
        others.iter().zip(weights).for_each(|(&other, &weight)| dense[cell * n + other as usize] = weight);
    }
    let (values, vectors) = Tensor::from_slice(&dense).view([n as i64, n as i64]).f_linalg_eigh("L")?;
    let (values, vectors) = (numbers(&values)?, numbers(&vectors.tr())?);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| values[b].abs().total_cmp(&values[a].abs()).then(a.cmp(&b)));
    order.truncate(n_wanted);
    let vector = |&at: &usize| vectors[at * n..(at + 1) * n].to_vec();
    Ok((order.iter().map(|&at| values[at]).collect(), order.iter().map(vector).collect()))
}

fn leading(matrix: &NeighbourGraph, n_wanted: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let search = Search { n_wanted, tolerance: 1e-6, max_rounds: 30, seed: 0 };
    let found = search.leading(matrix.n_cells(), &|vector| product(matrix, vector));
    (found.values, found.vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_the_same_map() {
        let space = crate::random::normal(400, 3, 2);
        let search = NeighbourSearch::new(&space, Distance::Euclidean).unwrap();
        let graph = NeighbourGraph::fuzzy(&search.nearest_others(20).unwrap()).unwrap();
        let matrix = normalised(&graph);
        let ((values, vectors), (found, also)) = (exact(&matrix, 100).unwrap(), leading(&matrix, 100));
        for at in 0..100 {
            assert!((values[at] - found[at]).abs() < 1e-10, "{at}: {} and {}", values[at], found[at]);
            let along: f64 = vectors[at].iter().zip(&also[at]).map(|(a, b)| a * b).sum();
            assert!((along.abs() - 1.0).abs() < 1e-6, "{at}: {along}");
        }
    }
}
