//! The fuzzy graph of nearest neighbours: how strongly cells are connected, as UMAP and scanpy take it.

use anyhow::{Result, ensure};
use rayon::prelude::*;

use crate::neighbours::Neighbours;
use crate::tensor::check_rows;

/// A width is found when the weights of a cell sum to the wanted number within this.
const TOLERANCE: f64 = 1e-5;
/// Halvings of a width, at most.
const MAX_HALVINGS: usize = 64;
/// Least width of a cell, as a share of its mean distance to its neighbours.
const MIN_WIDTH: f64 = 1e-3;

/// A symmetric graph of cells, n_cells × n_cells sparse rows; no cell is connected with itself.
///
/// Row `i` holds `weights[indptr[i]..indptr[i + 1]]` at the cells `indices[indptr[i]..indptr[i + 1]]`, ascending.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourGraph {
    indptr: Vec<usize>,
    indices: Vec<u32>,
    weights: Vec<f64>,
}

impl NeighbourGraph {
    /// Connects cells by how near they are, each on its own scale.
    ///
    /// The weight of neighbour j in the eyes of cell i is w = exp(−max(0, d − ρ) / σ), where ρ is the distance to the
    /// nearest neighbour that is not at the same place, and σ makes the weights of a cell sum to log₂(k + 1). Cells i and
    /// j are then connected by w(i, j) + w(j, i) − w(i, j) w(j, i), within 0 … 1. Memory grows with n_cells × k.
    ///
    /// `neighbours` are those of [`crate::NeighbourSearch::nearest_others`]: k other cells. umap-learn and scanpy count
    /// the cell itself as one more, so that their `n_neighbors = 15` is k = 14.
    ///
    /// # Errors
    /// When a neighbour is no cell of the graph or the cell itself, or distances fall or are not finite.
    ///
    /// # Source
    /// McInnes, Healy and Melville 2018, section 3.1; umap-learn 0.5 `fuzzy_simplicial_set`, which scanpy's
    /// `neighbors` calls.
    pub fn fuzzy(neighbours: &Neighbours) -> Result<Self> {
        check(neighbours)?;
        let n_cells = neighbours.n_cells();
        let mean = neighbours.distances.iter().sum::<f64>() / (n_cells * (neighbours.n_neighbours + 1)) as f64;
        let own: Vec<f64> =
            neighbours.distances.par_chunks(neighbours.n_neighbours).flat_map_iter(|row| weights(row, mean)).collect();
        Ok(Self::united(neighbours, &own))
    }

    /// Joins what cells think of each other: a + b − a b.
    fn united(neighbours: &Neighbours, own: &[f64]) -> Self {
        let n_cells = neighbours.n_cells();
        let mut pairs: Vec<Vec<(u32, f64, f64)>> = vec![Vec::new(); n_cells];
        for (at, (&other, &weight)) in neighbours.positions.iter().zip(own).enumerate() {
            let cell = at / neighbours.n_neighbours;
            pairs[cell].push((other, weight, 0.0));
            pairs[other as usize].push((cell as u32, 0.0, weight));
        }
        let rows: Vec<Vec<(u32, f64)>> = pairs.into_par_iter().map(joined).collect();
        Self::from_lists(&rows)
    }

    pub(crate) fn from_lists(rows: &[Vec<(u32, f64)>]) -> Self {
        let mut graph = Self { indptr: vec![0], indices: Vec::new(), weights: Vec::new() };
        for row in rows {
            graph.indices.extend(row.iter().map(|pair| pair.0));
            graph.weights.extend(row.iter().map(|pair| pair.1));
            graph.indptr.push(graph.indices.len());
        }
        graph
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of connections, each pair of cells counted once.
    pub fn n_connections(&self) -> usize {
        self.indices.len() / 2
    }

    /// Cells connected with a cell, which must exist, and how strongly.
    pub fn row(&self, cell: usize) -> (&[u32], &[f64]) {
        let range = self.indptr[cell]..self.indptr[cell + 1];
        (&self.indices[range.clone()], &self.weights[range])
    }

    /// Where rows start, n_cells + 1 numbers (CSR).
    pub fn indptr(&self) -> &[usize] {
        &self.indptr
    }

    /// Connected cells, row by row (CSR); every pair stands twice.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// Strengths of the connections, in the order of [`Self::indices`].
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The part of the graph among some cells, numbered in the order given.
    ///
    /// # Errors
    /// When there is no cell, or one does not exist or stands twice.
    pub fn among(&self, cells: &[usize]) -> Result<Self> {
        check_rows(cells, self.n_cells(), "the part of a graph")?;
        let mut position = vec![u32::MAX; self.n_cells()];
        for (at, &cell) in cells.iter().enumerate() {
            ensure!(position[cell] == u32::MAX, "the part of a graph names cell {cell} twice; expected it once");
            position[cell] = at as u32;
        }
        let row = |&cell: &usize| {
            let (others, weights) = self.row(cell);
            let pairs = others.iter().zip(weights).map(|(&other, &weight)| (position[other as usize], weight));
            let mut row: Vec<(u32, f64)> = pairs.filter(|pair| pair.0 != u32::MAX).collect();
            row.sort_unstable_by_key(|pair| pair.0);
            row
        };
        Ok(Self::from_lists(&cells.iter().map(row).collect::<Vec<_>>()))
    }

    /// For each cell, the number of the connected component it lies in, counted from 0 by first cells.
    pub fn components(&self) -> Vec<u32> {
        let mut component = vec![u32::MAX; self.n_cells()];
        let mut n_components = 0;
        for start in 0..self.n_cells() {
            if component[start] != u32::MAX {
                continue;
            }
            component[start] = n_components;
            let mut waiting = vec![start];
            while let Some(cell) = waiting.pop() {
                for &other in self.row(cell).0 {
                    if component[other as usize] == u32::MAX {
                        component[other as usize] = n_components;
                        waiting.push(other as usize);
                    }
                }
            }
            n_components += 1;
        }
        component
    }

    /// Sum of the weights of each cell.
    pub(crate) fn strengths(&self) -> Vec<f64> {
        (0..self.n_cells()).map(|cell| self.row(cell).1.iter().sum()).collect()
    }

    /// The same graph with each weight w(i, j) times f(i) f(j).
    pub(crate) fn scaled(&self, factor: &[f64]) -> Self {
        let mut scaled = self.clone();
        for cell in 0..self.n_cells() {
            for at in self.indptr[cell]..self.indptr[cell + 1] {
                scaled.weights[at] *= factor[cell] * factor[self.indices[at] as usize];
            }
        }
        scaled
    }
}

fn check(neighbours: &Neighbours) -> Result<()> {
    let n = neighbours.n_neighbours;
    ensure!(
        n > 0
            && neighbours.positions.len().is_multiple_of(n)
            && neighbours.positions.len() == neighbours.distances.len(),
        "{} neighbours and {} distances do not make rows of {n}; expected as many of both for every cell",
        neighbours.positions.len(),
        neighbours.distances.len()
    );
    let n_cells = neighbours.n_cells();
    for cell in 0..n_cells {
        let wrong = neighbours.of(cell).iter().find(|&&other| other as usize >= n_cells || other as usize == cell);
        ensure!(
            wrong.is_none(),
            "a neighbour of cell {cell} is cell {}; expected other cells, below {n_cells}",
            wrong.copied().unwrap_or_default()
        );
        let distances = &neighbours.distances[cell * n..(cell + 1) * n];
        ensure!(
            distances.is_sorted() && distances[0] >= 0.0 && distances[n - 1].is_finite(),
            "the distances of cell {cell} to its neighbours fall, or are not finite; expected the nearest first"
        );
    }
    Ok(())
}

/// Weights of the neighbours of a cell in its own eyes; `mean` is the mean distance over all cells, themselves included.
fn weights(distances: &[f64], mean: f64) -> Vec<f64> {
    let nearest = distances.iter().copied().find(|&distance| distance > 0.0).unwrap_or(0.0);
    let beyond: Vec<f64> = distances.iter().map(|distance| (distance - nearest).max(0.0)).collect();
    let wanted = ((distances.len() + 1) as f64).log2();
    let least = if nearest > 0.0 { distances.iter().sum::<f64>() / (distances.len() + 1) as f64 } else { mean };
    let width = width(&beyond, wanted).max(MIN_WIDTH * least);
    beyond.iter().map(|&beyond| if beyond > 0.0 { (-beyond / width).exp() } else { 1.0 }).collect()
}

/// The width σ for which Σ exp(−beyond / σ) is the wanted number, by doubling and halving.
fn width(beyond: &[f64], wanted: f64) -> f64 {
    let (mut below, mut above, mut width) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..MAX_HALVINGS {
        let sum: f64 = beyond.iter().map(|beyond| (-beyond / width).exp()).sum();
        if (sum - wanted).abs() < TOLERANCE {
            break;
        }
        if sum > wanted {
            above = width;
        } else {
            below = width;
        }
        width = if above.is_finite() { (below + above) / 2.0 } else { width * 2.0 };
    }
    width
}

/// One row from pairs seen from either side, without weights of 0.
fn joined(mut pairs: Vec<(u32, f64, f64)>) -> Vec<(u32, f64)> {
    pairs.sort_unstable_by_key(|pair| pair.0);
    pairs.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            (kept.1, kept.2) = (kept.1 + later.1, kept.2 + later.2);
        }
        same
    });
    let rows = pairs.into_iter().map(|(other, own, theirs)| (other, own + theirs - own * theirs));
    rows.filter(|pair| pair.1 > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Neighbours {
        // cells at 0, 1, 3 and far away 100, 101, 103
        let positions = vec![1, 2, 0, 2, 1, 0, 4, 5, 3, 5, 4, 3];
        let distances = vec![1.0, 3.0, 1.0, 2.0, 2.0, 3.0, 1.0, 3.0, 1.0, 2.0, 2.0, 3.0];
        Neighbours { n_neighbours: 2, positions, distances }
    }

    #[test]
    fn weights_sum_to_the_logarithm_and_are_joined() {
        let own = weights(&[1.0, 3.0], 1.0);
        assert!((own.iter().sum::<f64>() - 3f64.log2()).abs() < 1e-4 && own[0] == 1.0);
        let graph = NeighbourGraph::fuzzy(&line()).unwrap();
        assert_eq!((graph.n_cells(), graph.n_connections()), (6, 6));
        assert_eq!(graph.row(0).0, [1, 2]);
        assert_eq!(graph.row(0).1[0], 1.0);
        assert_eq!(graph.row(0).1[1], graph.row(2).1[0]);
        assert_eq!(graph.components(), [0, 0, 0, 1, 1, 1]);
        let part = graph.among(&[2, 3, 0]).unwrap();
        assert_eq!((part.row(0), part.row(1).0.len()), ((&[2u32][..], &graph.row(0).1[1..]), 0));
        assert!(graph.among(&[0, 0]).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn cells_at_one_place_are_fully_connected() {
        let neighbours = Neighbours { n_neighbours: 1, positions: vec![1, 0], distances: vec![0.0, 0.0] };
        assert_eq!(NeighbourGraph::fuzzy(&neighbours).unwrap().weights(), [1.0, 1.0]);
    }

    #[test]
    fn what_is_no_neighbour_is_refused() {
        let wrong = Neighbours { positions: vec![0, 1, 0, 2, 1, 0, 4, 5, 3, 5, 4, 3], ..line() };
        assert!(NeighbourGraph::fuzzy(&wrong).unwrap_err().to_string().contains("neighbour of cell 0 is cell 0"));
        let mut falling = line();
        falling.distances.swap(0, 1);
        assert!(NeighbourGraph::fuzzy(&falling).unwrap_err().to_string().contains("nearest first"));
    }
}
