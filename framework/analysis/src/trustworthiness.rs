//! Trustworthiness: whether cells that lie together in a picture lie together in the space it was made of.

use anyhow::{Result, ensure};
use rayon::prelude::*;
use tch::Tensor;

use crate::neighbours::{Distance, NeighbourSearch};
use crate::random::subset;
use crate::score::{MAX_PAIRED_CELLS, Score};
use crate::tensor::{host, ids, numbers, sum_over};

/// Distances held at once (32 MiB of 64-bit numbers).
const MAX_BLOCK_DISTANCES: usize = 4 << 20;

/// Trustworthiness of a picture, 0 … 1, higher is better; of at most [`MAX_PAIRED_CELLS`] cells chosen by the seed.
///
/// T = 1 − 2 / (n k (2n − 3k − 1)) Σ over cells i and their k neighbours j in the picture of max(0, r(i, j) − k), where
/// r(i, j) is the rank of j by Euclidean distance from i in the space, the nearest other cell being 1.
///
/// # Shapes
/// space: n_cells × n_dimensions; picture: n_cells × n_axes.
///
/// # Errors
/// When cells disagree, a coordinate is not finite, or k is not below half the number of cells.
///
/// # Source
/// Venna and Kaski 2001; scikit-learn's `trustworthiness`.
pub fn trustworthiness(space: &Tensor, picture: &Tensor, n_neighbours: usize, seed: u64) -> Result<Score> {
    let (space, picture) = (host(space, "the space")?, host(picture, "the picture")?);
    let n_cells = space.size()[0] as usize;
    ensure!(
        picture.size()[0] == n_cells as i64,
        "the picture has {} cells and the space {n_cells}; expected the same",
        picture.size()[0]
    );
    let used = subset(n_cells, MAX_PAIRED_CELLS, seed);
    let n = used.len();
    ensure!(
        n_neighbours > 0 && 2 * n_neighbours < n,
        "{n_neighbours} neighbours of {n} cells were asked for; expected at least one and fewer than half the cells"
    );
    let (space, picture) = (space.index_select(0, &ids(&used)), picture.index_select(0, &ids(&used)));
    let beside = NeighbourSearch::new(&picture, Distance::Euclidean)?.nearest_others(n_neighbours)?;
    let squared = sum_over(&(&space * &space), 1);
    let mut excess = 0.0;
    for start in (0..n).step_by((MAX_BLOCK_DISTANCES / n).max(1)) {
        let height = (MAX_BLOCK_DISTANCES / n).max(1).min(n - start) as i64;
        let rows = space.narrow(0, start as i64, height);
        let distances = numbers(&(squared.tr() - rows.f_matmul(&space.tr())? * 2.0))?;
        let of_row = |(at, row): (usize, &[f64])| ranks_beyond(row, start + at, beside.of(start + at));
        excess += distances.par_chunks(n).enumerate().map(of_row).collect::<Vec<_>>().iter().sum::<usize>() as f64;
    }
    let (n_cells_used, k) = (n, n_neighbours as f64);
    let n = n as f64;
    let value = 1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * excess;
    Ok(Score { value, n_cells_used, n_cells })
}

/// Σ max(0, rank − k) over the neighbours of a cell.
fn ranks_beyond(distances: &[f64], cell: usize, neighbours: &[u32]) -> usize {
    let mut limits: Vec<f64> = neighbours.iter().map(|&other| distances[other as usize]).collect();
    limits.sort_unstable_by(f64::total_cmp);
    // how many cells are nearer than each limit: those counted from it on
    let mut nearer = vec![0usize; limits.len() + 1];
    for (other, distance) in distances.iter().enumerate() {
        if other != cell {
            nearer[limits.partition_point(|limit| limit <= distance)] += 1;
        }
    }
    let mut n_nearer = 0;
    let ranks = nearer[..limits.len()].iter().map(|n| {
        n_nearer += n;
        n_nearer + 1
    });
    ranks.map(|rank| rank.saturating_sub(limits.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_itself_is_trusted_and_noise_is_not() {
        let space = crate::random::normal(200, 3, 1);
        let value = |picture: &Tensor| trustworthiness(&space, picture, 10, 0).unwrap().value;
        assert_eq!(value(&space), 1.0);
        assert!((value(&crate::random::normal(200, 2, 2)) - 0.5).abs() < 0.05);
        assert!(trustworthiness(&space, &space, 100, 0).unwrap_err().to_string().contains("half the cells"));
        assert!(trustworthiness(&space, &space.narrow(0, 0, 9), 2, 0).is_err());
    }
}
