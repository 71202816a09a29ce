//! Exact nearest neighbours, in blocks: torch multiplies, then ties are settled by exact distances and cell order.

use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::Serialize;
use tch::Tensor;

use crate::tensor::{host, numbers, row_mean, shape, sum_over};

/// Distances held at once (32 MiB of 64-bit numbers).
const MAX_BLOCK_DISTANCES: usize = 4 << 20;
/// Rounding allowed for in multiplied-out squared distances, relative to the squared norms.
const ROUNDING: f64 = 1e-12;

/// How far apart two cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// ‖a − b‖.
    Euclidean,
    /// 1 − a·b / (‖a‖ ‖b‖); 1 when either is zero.
    Cosine,
}

/// The nearest reference cells of some cells, nearest first, equally near ones by ascending position.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Neighbours {
    /// Neighbours of each cell.
    pub n_neighbours: usize,
    /// Positions among the reference cells, `n_neighbours` for each cell in turn.
    pub positions: Vec<u32>,
    /// Distances, in the same order.
    pub distances: Vec<f64>,
}

impl Neighbours {
    fn none(n_neighbours: usize) -> Self {
        Self { n_neighbours, positions: Vec::new(), distances: Vec::new() }
    }

    fn add(&mut self, nearest: &[(f64, u32)], distance: Distance) {
        let distances = nearest.iter().map(|pair| distance.finished(pair.0));
        self.distances.extend(distances);
        self.positions.extend(nearest.iter().map(|pair| pair.1));
    }

    /// Number of cells whose neighbours are held.
    pub fn n_cells(&self) -> usize {
        self.positions.len() / self.n_neighbours
    }

    /// Positions of the neighbours of one cell, which must exist.
    pub fn of(&self, cell: usize) -> &[u32] {
        &self.positions[cell * self.n_neighbours..(cell + 1) * self.n_neighbours]
    }

    /// The nearest `n_neighbours` of those held, or all of them when fewer are held.
    pub fn first(&self, n_neighbours: usize) -> Self {
        let n = n_neighbours.clamp(1, self.n_neighbours);
        let positions = self.positions.chunks_exact(self.n_neighbours).flat_map(|row| &row[..n]).copied().collect();
        let distances = self.distances.chunks_exact(self.n_neighbours).flat_map(|row| &row[..n]).copied().collect();
        Self { n_neighbours: n, positions, distances }
    }
}

/// Reference cells to find neighbours among.
#[derive(Debug)]
pub struct NeighbourSearch {
    distance: Distance,
    offset: Tensor,
    reference: Prepared,
}

/// Cells for torch (centred or normalised) and as plain numbers.
#[derive(Debug)]
struct Prepared {
    tensor: Tensor,
    points: Points,
}

/// Coordinates row by row (as given or normalised), and squared norms of what torch multiplies.
#[derive(Debug)]
struct Points {
    numbers: Vec<f64>,
    squared: Vec<f64>,
    largest_squared: f64,
    n_dimensions: usize,
}

impl NeighbourSearch {
    /// Keeps the reference cells.
    ///
    /// # Shapes
    /// reference: n_cells × n_dimensions.
    ///
    /// # Errors
    /// When there is no cell or a coordinate is not finite.
    pub fn new(reference: &Tensor, distance: Distance) -> Result<Self> {
        let reference = host(reference, "the reference space")?;
        ensure!(reference.numel() > 0, "the reference space is empty; expected cells × dimensions");
        let offset = match distance {
            Distance::Euclidean => row_mean(&reference),
            Distance::Cosine => row_mean(&reference).zeros_like(),
        };
        let reference = Prepared::new(&reference, &offset, distance)?;
        Ok(Self { distance, offset, reference })
    }

    /// The `n_neighbours` nearest reference cells of each cell.
    ///
    /// # Shapes
    /// cells: n × n_dimensions.
    ///
    /// # Errors
    /// When dimensions disagree, a coordinate is not finite, or more neighbours are asked for than there are cells.
    pub fn nearest(&self, cells: &Tensor, n_neighbours: usize) -> Result<Neighbours> {
        let (_, n_dimensions) = shape(cells, "the cells")?;
        ensure!(
            n_dimensions == self.reference.points.n_dimensions,
            "the cells have {n_dimensions} dimensions, the reference {}; expected the same",
            self.reference.points.n_dimensions
        );
        let cells = Prepared::new(&host(cells, "the cells")?, &self.offset, self.distance)?;
        self.search(&cells, n_neighbours, false)
    }

    /// The nearest other cells of each reference cell, itself left out.
    ///
    /// # Errors
    /// When as many neighbours are asked for as there are cells.
    pub fn nearest_others(&self, n_neighbours: usize) -> Result<Neighbours> {
        self.search(&self.reference, n_neighbours, true)
    }

    fn search(&self, cells: &Prepared, n_neighbours: usize, leave_self_out: bool) -> Result<Neighbours> {
        let n_reference = self.reference.points.squared.len();
        let n_available = n_reference - usize::from(leave_self_out);
        ensure!(
            (1..=n_available).contains(&n_neighbours),
            "{n_neighbours} neighbours were asked for, but there are {n_available} cells to choose from"
        );
        let n_cells = cells.points.squared.len();
        let mut found = Neighbours::none(n_neighbours);
        let height = (MAX_BLOCK_DISTANCES / n_reference).max(1);
        let (distance, points, reference) = (self.distance, &cells.points, &self.reference.points);
        for start in (0..n_cells).step_by(height) {
            let block = cells.tensor.narrow(0, start as i64, height.min(n_cells - start) as i64);
            let products = numbers(&block.f_matmul(&self.reference.tensor.tr())?)?;
            let rows = products.par_chunks(n_reference).enumerate().map(|(row, products)| {
                let at = start + row;
                let left_out = leave_self_out.then_some(at);
                Query { distance, own: points.row(at), squared: points.squared[at], left_out }.nearest(
                    reference,
                    products,
                    n_neighbours,
                )
            });
            for nearest in rows.collect::<Vec<_>>() {
                found.add(&nearest, distance);
            }
        }
        Ok(found)
    }
}

/// One cell whose neighbours are wanted.
struct Query<'a> {
    distance: Distance,
    own: &'a [f64],
    squared: f64,
    left_out: Option<usize>,
}

impl Query<'_> {
    /// Keeps all cells that rounding could place among the nearest, then orders them by exact distance and position.
    fn nearest(&self, reference: &Points, products: &[f64], n_neighbours: usize) -> Vec<(f64, u32)> {
        let pairs = products.iter().zip(&reference.squared);
        let mut rough: Vec<f64> = pairs.map(|(p, s)| self.distance.rough(self.squared, *s, *p)).collect();
        if let Some(position) = self.left_out {
            rough[position] = f64::INFINITY;
        }
        let mut scratch = rough.clone();
        let (_, kth, _) = scratch.select_nth_unstable_by(n_neighbours - 1, f64::total_cmp);
        let limit = *kth + ROUNDING * (self.squared + reference.largest_squared + 1.0);
        let close = rough.iter().enumerate().filter(|pair| *pair.1 <= limit).map(|pair| pair.0);
        let mut nearest: Vec<(f64, u32)> =
            close.map(|at| (self.distance.exact(self.own, reference.row(at)), at as u32)).collect();
        nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        nearest.truncate(n_neighbours);
        nearest
    }
}

impl Prepared {
    fn new(cells: &Tensor, offset: &Tensor, distance: Distance) -> Result<Self> {
        let tensor = match distance {
            Distance::Euclidean => cells - offset,
            Distance::Cosine => {
                let norms = sum_over(&(cells * cells), 1).sqrt();
                cells / norms.where_self(&norms.gt(0.0), &norms.ones_like())
            }
        };
        // exact distances are taken between the coordinates as given, which centring would round
        let coordinates = numbers(if distance == Distance::Euclidean { cells } else { &tensor })?;
        let squared = numbers(&sum_over(&(&tensor * &tensor), 1))?;
        let largest_squared = squared.iter().copied().fold(0.0, f64::max);
        let n_dimensions = tensor.size()[1] as usize;
        Ok(Self { tensor, points: Points { numbers: coordinates, squared, largest_squared, n_dimensions } })
    }
}

impl Points {
    fn row(&self, at: usize) -> &[f64] {
        &self.numbers[at * self.n_dimensions..(at + 1) * self.n_dimensions]
    }
}

impl Distance {
    /// What neighbours are ordered by, from squared norms and the inner product.
    fn rough(self, first: f64, second: f64, product: f64) -> f64 {
        match self {
            Self::Euclidean => first + second - 2.0 * product,
            Self::Cosine => 1.0 - product,
        }
    }

    /// The same from coordinates, added in a fixed order: equal cells get equal numbers.
    fn exact(self, first: &[f64], second: &[f64]) -> f64 {
        let pairs = first.iter().zip(second);
        match self {
            Self::Euclidean => pairs.map(|(a, b)| (a - b) * (a - b)).sum(),
            Self::Cosine => 1.0 - pairs.map(|(a, b)| a * b).sum::<f64>(),
        }
    }

    /// The distance itself.
    fn finished(self, ordered_by: f64) -> f64 {
        match self {
            Self::Euclidean => ordered_by.sqrt(),
            Self::Cosine => ordered_by.clamp(0.0, 2.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equally_near_cells_come_in_order_of_position() {
        let reference = Tensor::from_slice(&[1f32, 0.0, -1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.1, 0.0]).view([5, 2]);
        let search = NeighbourSearch::new(&reference, Distance::Euclidean).unwrap();
        let found = search.nearest(&Tensor::from_slice(&[0f32, 0.0]).view([1, 2]), 3).unwrap();
        assert_eq!(found.positions, [4, 0, 1]);
        assert_eq!(search.nearest_others(1).unwrap().positions, [3, 4, 4, 0, 0]);
        assert_eq!(search.nearest_others(3).unwrap().first(1), search.nearest_others(1).unwrap());
        assert!(search.nearest_others(5).unwrap_err().to_string().contains("4 cells"));
        assert!(search.nearest(&reference, 6).is_err());
    }

    #[test]
    fn cells_at_zero_are_far_from_all_in_cosine_distance() {
        let reference = Tensor::from_slice(&[0f32, 0.0, 2.0, 2.0]).view([2, 2]);
        let search = NeighbourSearch::new(&reference, Distance::Cosine).unwrap();
        let found = search.nearest(&reference, 2).unwrap();
        assert_eq!(found.positions, [0, 1, 1, 0]);
        assert_eq!(found.distances[..2], [1.0, 1.0]);
        assert!(found.distances[2].abs() < 1e-12);
    }
}
