//! Filtering: features seen in too few cells, cells with too few features (Zhang et al. 2026, Methods).

use super::MatrixModality;
use anndata::Csr;
use anyhow::{Result, ensure};

/// The columns that are above 0 in at least `least` of the kept cells, ascending; `feature` is what one is called.
///
/// # Errors
/// When there is none.
pub fn features_of_enough_cells(matrix: &Csr, kept: &[bool], least: usize, feature: &str) -> Result<Vec<usize>> {
    let mut n_cells = vec![0; matrix.n_columns];
    for row in (0..matrix.n_rows).filter(|row| kept[*row]) {
        let (columns, values) = matrix.row(row);
        for (column, value) in columns.iter().zip(values) {
            n_cells[*column as usize] += usize::from(*value > 0.0);
        }
    }
    let columns: Vec<usize> = (0..matrix.n_columns).filter(|column| n_cells[*column] >= least).collect();
    ensure!(
        !columns.is_empty(),
        "no {feature} is above 0 in at least {least} of {} cells; lower `min_cells_per_feature`",
        kept.iter().filter(|kept| **kept).count()
    );
    Ok(columns)
}

/// Which cells are kept and have at least `least` columns above 0; `feature` is what one is called.
///
/// # Errors
/// When none of the kept cells has.
pub fn cells_of_enough_features(matrix: &Csr, kept: &[bool], least: usize, feature: &str) -> Result<Vec<bool>> {
    let enough = |row: usize| matrix.row(row).1.iter().filter(|value| **value > 0.0).count() >= least;
    let left: Vec<bool> = (0..matrix.n_rows).map(|row| kept[row] && enough(row)).collect();
    ensure!(
        left.contains(&true) || !kept.contains(&true),
        "no cell has at least {least} of {} {feature}s above 0; lower `min_features_per_cell`",
        matrix.n_columns
    );
    Ok(left)
}

impl MatrixModality {
    /// Refuses a matrix of nothing but zeros in the kept cells.
    pub(super) fn ensure_any_value(&self, kept: &[bool]) -> Result<()> {
        let is_zero = |row: usize| self.raw.row(row).1.iter().all(|value| *value == 0.0);
        let n_kept = kept.iter().filter(|kept| **kept).count();
        ensure!(
            n_kept == 0 || (0..self.raw.n_rows).any(|row| kept[row] && !is_zero(row)),
            "all values of {n_kept} cells and {} {}s are 0; is this the right matrix? `layer` names another",
            self.raw.n_columns,
            self.reading.feature
        );
        Ok(())
    }

    /// Drops the features that are above 0 in fewer than `min_cells_per_feature` of the kept cells.
    pub(super) fn drop_rare_features(&mut self, kept: &[bool]) -> Result<()> {
        let least = self.reading.min_cells_per_feature;
        if least == 0 {
            return Ok(());
        }
        let columns = features_of_enough_cells(&self.raw, kept, least, self.reading.feature)?;
        if columns.len() < self.raw.n_columns {
            self.replace(|matrix| matrix.select_columns(&columns))?;
            self.features = columns.iter().map(|column| self.features[*column].clone()).collect();
        }
        Ok(())
    }
}
