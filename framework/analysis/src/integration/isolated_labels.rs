//! Isolated labels: whether what few batches hold stays together.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use tch::Tensor;

use crate::labels::cells_by_group;
use crate::random::subset;
use crate::score::{MAX_PAIRED_CELLS, Score, check_codes};
use crate::silhouette::silhouette_of_cells;
use crate::tensor::{host, ids};

/// Mean over isolated labels of the mean over their cells of (s + 1) / 2, with s the silhouette of all labels: 0 … 1,
/// higher is better.
///
/// Isolated are the labels found in the fewest batches; where all labels are in all batches, all are. Above
/// [`MAX_PAIRED_CELLS`] cells, silhouettes are of a seeded random subset, and an isolated label of which no cell is in it
/// does not count.
///
/// # Shapes
/// space: n_cells × n_dimensions; labels, batches: one per cell.
///
/// # Errors
/// When lengths disagree, a coordinate is not finite, or there are not 2 … n − 1 labels.
///
/// # Source
/// Luecken et al. 2022; scib-metrics 0.5.10 `isolated_labels` (silhouette, not the F1 of a clustering).
pub fn isolated_labels(space: &Tensor, labels: &[u32], batches: &[u32], seed: u64) -> Result<Score> {
    let space = host(space, "the space")?;
    let n_cells = space.size()[0] as usize;
    check_codes(n_cells, &[labels, batches])?;
    let all: Vec<usize> = (0..n_cells).collect();
    let n_batches: BTreeMap<u32, usize> = cells_by_group(&all, labels)
        .into_iter()
        .map(|(label, cells)| (label, cells_by_group(&cells, batches).len()))
        .collect();
    let fewest = n_batches.values().min().copied().unwrap_or_default();
    let used = subset(n_cells, MAX_PAIRED_CELLS, seed);
    let of_used: Vec<u32> = used.iter().map(|&cell| labels[cell]).collect();
    let values = silhouette_of_cells(&space.index_select(0, &ids(&used)), &of_used)?;
    let places: Vec<usize> = (0..used.len()).collect();
    let means: Vec<f64> = cells_by_group(&places, &of_used)
        .into_iter()
        .filter(|(label, _)| n_batches[label] == fewest)
        .map(|(_, at)| at.iter().map(|&at| (values[at] + 1.0) / 2.0).sum::<f64>() / at.len() as f64)
        .collect();
    ensure!(!means.is_empty(), "no isolated label has a cell among the {} that were used", used.len());
    let value = means.iter().sum::<f64>() / means.len() as f64;
    Ok(Score { value, n_cells_used: used.len(), n_cells })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_of_the_fewest_batches_count() {
        // labels 0 and 1 lie in each other and are in both batches, label 2 is in one, far away
        let space = Tensor::from_slice(&[0.0, 1.0, 0.0, 1.0, 100.0, 100.0]).view([6, 1]);
        let labels = [0, 0, 1, 1, 2, 2];
        assert_eq!(isolated_labels(&space, &labels, &[0, 1, 0, 1, 1, 1], 0).unwrap().value, 1.0);
        let all = isolated_labels(&space, &labels, &[0, 1, 0, 1, 0, 1], 0).unwrap().value;
        assert!((all - (0.25 + 0.25 + 1.0) / 3.0).abs() < 1e-12, "{all}");
    }
}
