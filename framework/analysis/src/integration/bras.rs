//! BRAS: a silhouette of batches that several places of one batch do not deceive.

use anyhow::{Result, ensure};
use tch::Tensor;

use crate::labels::cells_by_group;
use crate::score::{Score, check_codes};
use crate::tensor::{host, numbers, sum_over};

/// Batch removal adapted silhouette: mean over labels of the mean over their cells of 1 − |s|, 0 … 1, higher is better
/// mixed.
///
/// Among the cells of a label s = (b − a) / max(a, b), where a is the mean cosine distance to the other cells of the same
/// batch and b the mean cosine distance to all cells of other batches; 0 for the only cell of a batch. Labels within one
/// batch, and those with as many batches as cells, are left out. Sums of cosine distances are products with sums of unit
/// vectors, so all cells are used and time grows with n_cells × n_dimensions. A cell at zero is at distance 1 from others.
///
/// # Shapes
/// space: n_cells × n_dimensions; labels, batches: one per cell.
///
/// # Errors
/// When lengths disagree, a coordinate is not finite, or no label has cells of several batches.
///
/// # Source
/// Rautenstrauch and Ohler 2025; scib-metrics 0.5.10 `bras` (`metric="cosine"`, `between_cluster_distances="mean_other"`).
pub fn bras(space: &Tensor, labels: &[u32], batches: &[u32]) -> Result<Score> {
    let space = host(space, "the space")?;
    let (n_cells, n_dimensions) = (space.size()[0] as usize, space.size()[1] as usize);
    check_codes(n_cells, &[labels, batches])?;
    let lengths = sum_over(&(&space * &space), 1).sqrt();
    let units = numbers(&(&space / lengths.where_self(&lengths.gt(0.0), &lengths.ones_like())))?;
    let unit = |cell: usize| &units[cell * n_dimensions..(cell + 1) * n_dimensions];
    let all: Vec<usize> = (0..n_cells).collect();
    let mut means = Vec::new();
    for cells in cells_by_group(&all, labels).values() {
        let of_batches = cells_by_group(cells, batches);
        if of_batches.len() == 1 || of_batches.len() == cells.len() {
            continue;
        }
        let total = sum(cells, n_dimensions, unit);
        let mut mixed = 0.0;
        for own in of_batches.values() {
            let of_own = sum(own, n_dimensions, unit);
            let others = Others { n_own: own.len() as f64, n_others: (cells.len() - own.len()) as f64 };
            mixed += own.iter().map(|&cell| 1.0 - others.silhouette(unit(cell), &of_own, &total).abs()).sum::<f64>();
        }
        means.push(mixed / cells.len() as f64);
    }
    ensure!(!means.is_empty(), "no label has cells of several batches; there is no mixing to judge");
    let value = means.iter().sum::<f64>() / means.len() as f64;
    Ok(Score { value, n_cells_used: n_cells, n_cells })
}

/// How many cells of a label lie in one batch, and in others.
struct Others {
    n_own: f64,
    n_others: f64,
}

impl Others {
    /// From sums of unit vectors over the batch and over the label.
    fn silhouette(&self, unit: &[f64], of_own: &[f64], total: &[f64]) -> f64 {
        if self.n_own <= 1.0 {
            return 0.0;
        }
        let along = |sum: &[f64]| unit.iter().zip(sum).map(|(a, b)| a * b).sum::<f64>();
        let (own, all, itself) = (along(of_own), along(total), along(unit));
        let within = ((self.n_own - 1.0) - (own - itself)) / (self.n_own - 1.0);
        let between = (self.n_others - (all - own)) / self.n_others;
        let largest = within.max(between);
        if largest > 0.0 { (between - within) / largest } else { 0.0 }
    }
}

fn sum<'a>(cells: &[usize], n_dimensions: usize, unit: impl Fn(usize) -> &'a [f64]) -> Vec<f64> {
    let mut sum = vec![0.0; n_dimensions];
    for &cell in cells {
        sum.iter_mut().zip(unit(cell)).for_each(|(sum, x)| *sum += x);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_that_batches_share_are_mixed() {
        let space = [1.0, 0.0, 3.0, 0.0, 0.0, 1.0, 0.0, 2.0].map(|x: f64| x);
        let space = Tensor::from_slice(&space).view([4, 2]);
        // each batch at one direction of its own: a = 0, b = 1
        assert_eq!(bras(&space, &[0; 4], &[0, 0, 1, 1]).unwrap().value, 0.0);
        // each batch at both: a = 1, b = 1/2
        assert_eq!(bras(&space, &[0; 4], &[0, 1, 0, 1]).unwrap().value, 0.5);
        assert!(bras(&space, &[0, 0, 1, 1], &[0, 0, 1, 1]).is_err());
        assert!(bras(&space, &[0; 3], &[0; 4]).unwrap_err().to_string().contains("3 labels for 4 cells"));
    }
}
