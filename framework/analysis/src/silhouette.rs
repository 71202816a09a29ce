//! Silhouette: whether cells are nearer to their own group than to the nearest other one.

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::random::subset;
use crate::tensor::{from_rows, host, ids, numbers, row_mean, sum_over};

/// Distances held at once (32 MiB of 64-bit numbers).
const MAX_BLOCK_DISTANCES: usize = 4 << 20;

/// Above this many cells a seeded random subset of this size is used.
pub const MAX_SILHOUETTE_CELLS: usize = 20_000;

/// Mean silhouette of cells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Silhouette {
    /// Mean over the cells used, −1 … 1.
    pub mean: f64,
    /// Cells used.
    pub n_cells_used: usize,
    /// Cells given.
    pub n_cells: usize,
}

/// Mean silhouette of cells in a space, by group; of at most [`MAX_SILHOUETTE_CELLS`] cells chosen by the seed.
///
/// For each cell s = (b − a) / max(a, b), where a is its mean Euclidean distance to the other cells of its group and b
/// the least mean distance to the cells of another group; 0 for a group of one (Rousseeuw 1987; scikit-learn's
/// `silhouette_score`). APOLLO's simulations are judged by it (Zhang et al. 2026).
///
/// # Shapes
/// space: n_cells × n_dimensions; groups: one per cell.
///
/// # Errors
/// When lengths disagree, a coordinate is not finite, or there are not 2 … n − 1 groups.
pub fn silhouette(space: &Tensor, groups: &[u32], seed: u64) -> Result<Silhouette> {
    let n_cells = groups.len();
    let used = subset(n_cells, MAX_SILHOUETTE_CELLS, seed);
    ensure!(
        space.size().first() == Some(&(n_cells as i64)) && n_cells > 0,
        "{n_cells} groups for a space of shape {:?}; expected one per cell",
        space.size()
    );
    let space = space.f_index_select(0, &ids(&used).to_device(space.device()))?;
    let groups: Vec<u32> = used.iter().map(|&cell| groups[cell]).collect();
    let values = silhouette_of_cells(&space, &groups)?;
    Ok(Silhouette { mean: values.iter().sum::<f64>() / values.len() as f64, n_cells_used: used.len(), n_cells })
}

/// Silhouette of every cell; exact, a block of distances at a time.
///
/// # Shapes
/// space: n_cells × n_dimensions; groups: one per cell.
///
/// # Errors
/// As [`silhouette`].
pub fn silhouette_of_cells(space: &Tensor, groups: &[u32]) -> Result<Vec<f64>> {
    let space = host(space, "the space")?;
    let n_cells = space.size()[0] as usize;
    ensure!(groups.len() == n_cells, "{} groups for {n_cells} cells; expected one per cell", groups.len());
    let mut names = groups.to_vec();
    names.sort_unstable();
    names.dedup();
    let n_groups = names.len();
    ensure!(
        n_groups > 1 && n_groups < n_cells,
        "there are {n_groups} groups of {n_cells} cells; expected at least two, and fewer than cells"
    );
    let groups: Vec<usize> = groups.iter().map(|group| names.partition_point(|name| name < group)).collect();
    let mut members = vec![0.0; n_cells * n_groups];
    let mut sizes = vec![0.0; n_groups];
    for (row, &group) in members.chunks_exact_mut(n_groups).zip(&groups) {
        row[group] = 1.0;
        sizes[group] += 1.0;
    }
    let sums = distances_to_groups(&(&space - row_mean(&space)), &from_rows(&members, n_groups))?;
    let cells = sums.chunks_exact(n_groups).zip(&groups);
    Ok(cells.map(|(sums, &group)| of_one_cell(sums, &sizes, group)).collect())
}

/// Sum of distances from each cell to the cells of each group, n_cells × n_groups row by row.
fn distances_to_groups(space: &Tensor, members: &Tensor) -> Result<Vec<f64>> {
    let n_cells = space.size()[0];
    let squared = sum_over(&(space * space), 1);
    let height = (MAX_BLOCK_DISTANCES as i64 / n_cells).max(1);
    let mut sums = Vec::new();
    for start in (0..n_cells).step_by(height as usize) {
        let n_rows = height.min(n_cells - start);
        let products = space.narrow(0, start, n_rows).f_matmul(&space.tr())? * -2.0;
        let distances = (products + squared.narrow(0, start, n_rows) + squared.tr()).clamp_min(0.0).sqrt();
        // a cell is at no distance from itself, whatever rounding says
        let _ = distances.diagonal(start, 0, 1).zero_();
        sums.extend(numbers(&distances.f_matmul(members)?.to_kind(Kind::Double))?);
    }
    Ok(sums)
}

fn of_one_cell(sums: &[f64], sizes: &[f64], group: usize) -> f64 {
    if sizes[group] <= 1.0 {
        return 0.0;
    }
    let within = sums[group] / (sizes[group] - 1.0);
    let others = sums.iter().zip(sizes).enumerate().filter(|(other, _)| *other != group);
    let nearest = others.map(|(_, (sum, size))| sum / size).fold(f64::INFINITY, f64::min);
    let largest = within.max(nearest);
    if largest > 0.0 { (nearest - within) / largest } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_groups_score_high_and_single_cells_score_zero() {
        let space = Tensor::from_slice(&[0f32, 1.0, 100.0, 101.0, 500.0]).view([5, 1]);
        let values = silhouette_of_cells(&space, &[3, 3, 8, 8, 9]).unwrap();
        assert!((values[0] - (100.5 - 1.0) / 100.5).abs() < 1e-9);
        assert_eq!(values[4], 0.0);
        assert!(silhouette_of_cells(&space, &[1; 5]).unwrap_err().to_string().contains("at least two"));
        assert!(silhouette(&space, &[1, 2], 0).is_err());
    }

    #[test]
    fn many_cells_are_thinned_out() {
        let n = MAX_SILHOUETTE_CELLS + 1;
        let space = crate::random::normal(n, 1, 1);
        let groups: Vec<u32> = (0..n as u32).map(|cell| cell % 2).collect();
        let result = silhouette(&space, &groups, 0).unwrap();
        assert_eq!((result.n_cells_used, result.n_cells), (MAX_SILHOUETTE_CELLS, n));
        assert!(result.mean.abs() < 0.01, "{}", result.mean);
    }
}
