//! What is known of a matrix of which only some entries were measured ([`crate::Matrix::Measured`]).

use anyhow::{Result, ensure};

use crate::sparse::SparseRows;

/// Mean of each column over the given rows in which it is stored, and the sum of squares about those means over all
/// stored entries. A column that none of the rows stores gets the mean of all their entries.
pub(crate) fn means_of_measured(stored: &SparseRows, rows: &[usize]) -> Result<(Vec<f64>, f64)> {
    let (sums, counts) = sums_and_counts(stored, rows);
    let n_entries: f64 = counts.iter().sum();
    ensure!(n_entries > 0.0, "nothing was measured of the {} cells to average; expected one entry or more", rows.len());
    let mean_of_all = sums.iter().sum::<f64>() / n_entries;
    let mean = |(sum, n): (&f64, &f64)| if *n > 0.0 { sum / n } else { mean_of_all };
    let means: Vec<f64> = sums.iter().zip(&counts).map(mean).collect();
    let entries = rows.iter().flat_map(|&row| {
        let (columns, values) = stored.row(row);
        columns.iter().zip(values)
    });
    let about_mean = entries.map(|(&column, &value)| (f64::from(value) - means[column as usize]).powi(2)).sum();
    Ok((means, about_mean))
}

fn sums_and_counts(stored: &SparseRows, rows: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let (mut sums, mut counts) = (vec![0.0; stored.n_columns()], vec![0.0; stored.n_columns()]);
    for &row in rows {
        let (columns, values) = stored.row(row);
        for (&column, &value) in columns.iter().zip(values) {
            sums[column as usize] += f64::from(value);
            counts[column as usize] += 1.0;
        }
    }
    (sums, counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use crate::pca::{Pca, PcaSpec, Solver};
    use crate::ridge::{Penalty, Ridge};
    use crate::tensor::numbers;
    use tch::Tensor;

    // [[1 · 0 ·], [· · 4 ·], [3 0 · ·]], the last column never measured
    fn rows() -> SparseRows<'static> {
        SparseRows::new(&[0, 2, 3, 5], &[0, 2, 2, 0, 1], &[1.0, 0.0, 4.0, 3.0, 0.0], 4).unwrap()
    }

    #[test]
    fn means_are_those_of_what_was_measured() {
        let (means, about_mean) = means_of_measured(&rows(), &[0, 1, 2]).unwrap();
        assert_eq!((means, about_mean), (vec![2.0, 0.0, 2.0, 1.6], 10.0));
        let (means, _) = means_of_measured(&rows(), &[1]).unwrap();
        assert_eq!(means, [4.0; 4]);
        let nothing = SparseRows::new(&[0, 0], &[], &[], 4).unwrap();
        assert!(
            means_of_measured(&nothing, &[0]).unwrap_err().to_string().contains("nothing was measured of the 1 cell")
        );
    }

    #[test]
    fn blocks_say_where_nothing_was_measured() {
        let block = Matrix::Measured(rows()).block(&[2, 0], &(0..3)).unwrap();
        let measured = block.isnan().logical_not().to_kind(tch::Kind::Double);
        assert_eq!(numbers(&measured).unwrap(), [1.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
        assert_eq!(numbers(&block.nan_to_num(-1.0, None, None)).unwrap(), [3.0, 0.0, -1.0, 1.0, -1.0, 0.0]);
    }

    #[test]
    fn ridge_sees_the_mean_where_nothing_was_measured() {
        let inputs = Tensor::from_slice(&[0.0, 1.0, 2.0, -1.0, 5.0, 0.5]).view([3, 2]);
        let filled = [1f32, 0.0, 0.0, 1.6, 2.0, 0.0, 4.0, 1.6, 3.0, 0.0, 2.0, 1.6];
        let filled = Matrix::dense(&Tensor::from_slice(&filled).view([3, 4])).unwrap();
        for penalty in [Penalty::Fixed(0.7), Penalty::Fixed(0.0)] {
            let predicted = |target: &Matrix| {
                let ridge = Ridge::fit(&inputs, target, &[0, 1, 2], penalty).unwrap();
                numbers(&ridge.predict(&inputs).unwrap()).unwrap()
            };
            let (found, expected) = (predicted(&Matrix::Measured(rows())), predicted(&filled));
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {expected:?}");
        }
    }

    #[test]
    fn principal_components_want_complete_matrices() {
        let spec = PcaSpec { n_components: 1, seed: 0, solver: Solver::Exact };
        let error = Pca::fit(&Matrix::Measured(rows()), &[0, 1, 2], spec).unwrap_err().to_string();
        assert!(error.contains("entries that were not measured"), "{error}");
    }
}
