//! Silhouette of batches within labels: whether the batches of a label lie apart.

use anyhow::{Result, ensure};
use tch::Tensor;

use crate::labels::cells_by_group;
use crate::random::subset;
use crate::score::{MAX_PAIRED_CELLS, Score, check_codes};
use crate::silhouette::silhouette_of_cells;
use crate::tensor::{host, ids};

/// Mean over labels of the mean over their cells of 1 − |s|, with s the silhouette of batches among the cells of the
/// label: 0 … 1, higher is better mixed.
///
/// Labels within one batch, and those with as many batches as cells, are left out. Rautenstrauch and Ohler (2025) show
/// that it can be high though batches lie apart in several places: prefer [`crate::bras`]. Above [`MAX_PAIRED_CELLS`]
/// cells, of a seeded random subset.
///
/// # Shapes
/// space: n_cells × n_dimensions; labels, batches: one per cell.
///
/// # Errors
/// When lengths disagree, a coordinate is not finite, or no label has cells of several batches.
///
/// # Source
/// Luecken et al. 2022; scib-metrics 0.5.10 `silhouette_batch`.
pub fn silhouette_batch(space: &Tensor, labels: &[u32], batches: &[u32], seed: u64) -> Result<Score> {
    let space = host(space, "the space")?;
    let n_cells = space.size()[0] as usize;
    check_codes(n_cells, &[labels, batches])?;
    let used = subset(n_cells, MAX_PAIRED_CELLS, seed);
    let mut means = Vec::new();
    for cells in cells_by_group(&used, labels).values() {
        let n_batches = cells_by_group(cells, batches).len();
        if n_batches == 1 || n_batches == cells.len() {
            continue;
        }
        let of_label: Vec<u32> = cells.iter().map(|&cell| batches[cell]).collect();
        let values = silhouette_of_cells(&space.index_select(0, &ids(cells)), &of_label)?;
        means.push(values.iter().map(|value| 1.0 - value.abs()).sum::<f64>() / values.len() as f64);
    }
    ensure!(!means.is_empty(), "no label has cells of several batches; there is no mixing to judge");
    let value = means.iter().sum::<f64>() / means.len() as f64;
    Ok(Score { value, n_cells_used: used.len(), n_cells })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_at_one_place_are_mixed_and_labels_of_one_batch_do_not_count() {
        let space = Tensor::from_slice(&[0.0, 0.0, 1.0, 1.0, 50.0, 60.0]).view([6, 1]);
        let score = silhouette_batch(&space, &[0, 0, 0, 0, 1, 1], &[0, 1, 0, 1, 2, 2], 0).unwrap();
        assert_eq!((score.value, score.n_cells_used), (0.5, 6));
        let error = silhouette_batch(&space, &[0, 0, 1, 1, 2, 2], &[0, 0, 1, 1, 2, 2], 0).unwrap_err();
        assert!(error.to_string().contains("several batches"));
    }

    #[test]
    fn many_cells_are_thinned_out() {
        let n = MAX_PAIRED_CELLS + 1;
        let space = crate::random::normal(n, 2, 1);
        let codes = |by: u32| (0..n as u32).map(|cell| cell / by).collect::<Vec<u32>>();
        let batches: Vec<u32> = (0..n as u32).map(|cell| cell % 2).collect();
        let score = silhouette_batch(&space, &codes(100), &batches, 3).unwrap();
        assert_eq!((score.n_cells_used, score.n_cells), (MAX_PAIRED_CELLS, n));
        assert!(score.value > 0.9, "{}", score.value);
    }
}
