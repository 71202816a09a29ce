//! Filtering: features seen in too few cells, cells with too few features (Zhang et al. 2026, Methods).

use super::MatrixModality;
use anyhow::{Result, ensure};

impl MatrixModality {
    /// Drops the features that are above 0 in fewer than `min_cells_per_feature` of the kept cells.
    pub(super) fn drop_rare_features(&mut self, kept: &[bool]) -> Result<()> {
        let least = self.reading.min_cells_per_feature;
        if least == 0 {
            return Ok(());
        }
        let n_cells = self.n_cells_per_feature(kept);
        let columns: Vec<usize> = (0..self.raw.n_columns).filter(|column| n_cells[*column] >= least).collect();
        ensure!(
            !columns.is_empty(),
            "no {} is above 0 in at least {least} of {} cells; lower `min_cells_per_feature`",
            self.reading.feature,
            kept.iter().filter(|kept| **kept).count()
        );
        if columns.len() < self.raw.n_columns {
            self.replace(|matrix| matrix.select_columns(&columns))?;
            self.features = columns.iter().map(|column| self.features[*column].clone()).collect();
        }
        Ok(())
    }

    fn n_cells_per_feature(&self, kept: &[bool]) -> Vec<usize> {
        let mut n_cells = vec![0; self.raw.n_columns];
        for row in (0..self.raw.n_rows).filter(|row| kept[*row]) {
            let (columns, values) = self.raw.row(row);
            for (column, value) in columns.iter().zip(values) {
                n_cells[*column as usize] += usize::from(*value > 0.0);
            }
        }
        n_cells
    }

    /// The kept cells that have at least `min_features_per_cell` features above 0.
    pub(super) fn cells_with_enough_features(&self, kept: &[bool]) -> Result<Vec<bool>> {
        let least = self.reading.min_features_per_cell;
        let enough = |row: usize| self.raw.row(row).1.iter().filter(|value| **value > 0.0).count() >= least;
        let left: Vec<bool> = (0..self.raw.n_rows).map(|row| kept[row] && enough(row)).collect();
        ensure!(
            left.contains(&true) || !kept.contains(&true),
            "no cell has at least {least} of {} {}s above 0; lower `min_features_per_cell`",
            self.raw.n_columns,
            self.reading.feature
        );
        Ok(left)
    }
}
