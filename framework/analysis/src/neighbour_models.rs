//! Predictions from neighbours: the label most of them have, or the mean of what was measured in them.

use anyhow::{Result, ensure};
use rayon::prelude::*;
use std::ops::Range;
use tch::Tensor;

use crate::matrix::Matrix;
use crate::neighbours::Neighbours;
use crate::sparse::SparseRows;
use crate::tensor::check_rows;

/// The label that most neighbours have; of equally frequent labels the lowest (scikit-learn's
/// `KNeighborsClassifier` with uniform weights).
///
/// `labels[i]` belongs to the reference cell at position `i`.
///
/// # Errors
/// When a neighbour has no label.
pub fn majority_labels(neighbours: &Neighbours, labels: &[u32]) -> Result<Vec<u32>> {
    let last = neighbours.positions.iter().copied().max().unwrap_or(0) as usize;
    ensure!(last < labels.len(), "{} labels were given, but a neighbour is at position {last}", labels.len());
    Ok((0..neighbours.n_cells()).map(|cell| majority(neighbours.of(cell), labels)).collect())
}

fn majority(neighbours: &[u32], labels: &[u32]) -> u32 {
    let mut found: Vec<u32> = neighbours.iter().map(|&at| labels[at as usize]).collect();
    found.sort_unstable();
    let mut runs = found.chunk_by(|a, b| a == b);
    let first = runs.next().unwrap_or(&[0]);
    runs.fold(first, |best, run| if run.len() > best.len() { run } else { best })[0]
}

/// Mean of the rows of `target` that belong to the neighbours, for a range of cells; over those of them in which a
/// feature was measured.
///
/// `rows[i]` is the row of `target` that belongs to the reference cell at position `i`.
///
/// # Shapes
/// result: `cells.len()` × n_features, 32-bit; NaN where no neighbour was measured ([`Matrix::filled`]). Ask for at most [`crate::block_rows`] cells at once.
///
/// # Errors
/// When a cell, a neighbour or a row does not exist.
pub fn neighbour_means(
    neighbours: &Neighbours,
    target: &Matrix,
    rows: &[usize],
    cells: Range<usize>,
) -> Result<Tensor> {
    ensure!(
        cells.start < cells.end && cells.end <= neighbours.n_cells(),
        "cells {cells:?} were asked for, but neighbours of {} are known",
        neighbours.n_cells()
    );
    let k = neighbours.n_neighbours;
    let positions = &neighbours.positions[cells.start * k..cells.end * k];
    let last = positions.iter().copied().max().unwrap_or(0) as usize;
    ensure!(last < rows.len(), "{} reference rows were given, but a neighbour is at position {last}", rows.len());
    let targets: Vec<usize> = positions.iter().map(|&at| rows[at as usize]).collect();
    check_rows(&targets, target.n_rows(), "the neighbours' rows")?;
    let size = [cells.len() as i64, target.n_columns() as i64];
    match target {
        Matrix::Sparse(sparse) => Ok(Tensor::from_slice(&sparse_means(sparse, &targets, k)).view(size)),
        Matrix::Measured(sparse) => Ok(Tensor::from_slice(&measured_means(sparse, &targets, k)).view(size)),
        Matrix::Dense(_) | Matrix::Read(_) => {
            let mut parts = Vec::with_capacity(cells.len());
            for rows in targets.chunks(k) {
                parts.push(target.rows(rows)?.mean_dim([0i64].as_slice(), true, tch::Kind::Double));
            }
            Ok(Tensor::f_cat(&parts, 0)?.to_kind(tch::Kind::Float))
        }
    }
}

fn sparse_means(target: &SparseRows, rows: &[usize], k: usize) -> Vec<f32> {
    let mut means = vec![0.0f32; rows.len() / k * target.n_columns()];
    means.par_chunks_mut(target.n_columns().max(1)).zip(rows.par_chunks(k)).for_each(|(out, rows)| {
        let mut sums = vec![0.0f64; out.len()];
        for &row in rows {
            let (columns, values) = target.row(row);
            for (&column, &value) in columns.iter().zip(values) {
                sums[column as usize] += f64::from(value);
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = (sum / k as f64) as f32;
        }
    });
    means
}

/// Means over the rows that store a column; NaN where none does.
fn measured_means(target: &SparseRows, rows: &[usize], k: usize) -> Vec<f32> {
    let mut means = vec![0.0f32; rows.len() / k * target.n_columns()];
    means.par_chunks_mut(target.n_columns().max(1)).zip(rows.par_chunks(k)).for_each(|(out, rows)| {
        let mut sums = vec![(0.0f64, 0.0f64); out.len()];
        for &row in rows {
            let (columns, values) = target.row(row);
            for (&column, &value) in columns.iter().zip(values) {
                let (sum, n) = &mut sums[column as usize];
                *sum += f64::from(value);
                *n += 1.0;
            }
        }
        for (out, (sum, n)) in out.iter_mut().zip(sums) {
            *out = (sum / n) as f32;
        }
    });
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbours() -> Neighbours {
        Neighbours { n_neighbours: 2, positions: vec![0, 1, 2, 1], distances: vec![0.0; 4] }
    }

    #[test]
    fn of_equally_frequent_labels_the_lowest_wins() {
        assert_eq!(majority_labels(&neighbours(), &[7, 3, 3]).unwrap(), [3, 3]);
        assert_eq!(majority_labels(&neighbours(), &[1, 3, 2]).unwrap(), [1, 2]);
        assert!(majority_labels(&neighbours(), &[1, 3]).is_err());
    }

    #[test]
    fn means_of_dense_and_sparse_targets_agree() {
        let sparse = SparseRows::new(&[0, 1, 1, 3], &[0, 0, 1], &[2.0, 4.0, 6.0], 2).unwrap();
        let dense = Matrix::dense(&Tensor::from_slice(&[2f32, 0.0, 0.0, 0.0, 4.0, 6.0]).view([3, 2])).unwrap();
        let rows = [2, 1, 0];
        let expected = Tensor::from_slice(&[2f32, 3.0, 1.0, 0.0]).view([2, 2]);
        assert_eq!(neighbour_means(&neighbours(), &sparse.into(), &rows, 0..2).unwrap(), expected);
        assert_eq!(neighbour_means(&neighbours(), &dense, &rows, 0..2).unwrap(), expected);
        assert!(neighbour_means(&neighbours(), &dense, &rows, 1..3).is_err());
    }

    #[test]
    fn neighbours_that_were_not_measured_do_not_count() {
        // [[2 ·], [0 ·], [4 6]], a zero among what was measured
        let rows = SparseRows::new(&[0, 1, 2, 4], &[0, 0, 0, 1], &[2.0, 0.0, 4.0, 6.0], 2).unwrap();
        let measured = Matrix::Measured(rows);
        let means = neighbour_means(&neighbours(), &measured, &[2, 1, 0], 0..2).unwrap();
        assert_eq!(means.get(0), Tensor::from_slice(&[2f32, 6.0]));
        assert_eq!(means.double_value(&[1, 0]), 1.0);
        assert!(means.double_value(&[1, 1]).is_nan());
        let filled = measured.filled(means, &Tensor::from_slice(&[9.0, 7.0]).view([1, 2])).unwrap();
        assert_eq!(filled, Tensor::from_slice(&[2f32, 6.0, 1.0, 7.0]).view([2, 2]));
    }
}
