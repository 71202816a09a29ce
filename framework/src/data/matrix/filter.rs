//! Filtering: features seen in too few cells, cells with too few features (Zhang et al. 2026, Methods).

use super::held::Held;
use super::{MatrixModality, MatrixReading};
use anndata::Csr;
use anyhow::{Result, ensure};
use std::ops::ControlFlow;

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
    enough_cells(&n_cells, kept, least, feature)
}

/// The columns of at least `least` cells, given how many each has of the kept ones.
fn enough_cells(n_cells: &[usize], kept: &[bool], least: usize, feature: &str) -> Result<Vec<usize>> {
    let columns: Vec<usize> = (0..n_cells.len()).filter(|column| n_cells[*column] >= least).collect();
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
    ensure_any_left(&left, kept, least, (matrix.n_columns, feature))?;
    Ok(left)
}

fn ensure_any_left(left: &[bool], kept: &[bool], least: usize, (n_features, feature): (usize, &str)) -> Result<()> {
    ensure!(
        left.contains(&true) || !kept.contains(&true),
        "no cell has at least {least} of {n_features} {feature}s above 0; lower `min_features_per_cell`"
    );
    Ok(())
}

impl MatrixModality {
    /// Refuses a matrix of nothing but zeros in the kept cells.
    pub(super) fn ensure_any_value(&self, kept: &[bool]) -> Result<()> {
        let n_kept = kept.iter().filter(|kept| **kept).count();
        let mut is_any = n_kept == 0;
        self.each_block(&mut |block| {
            let is_zero = |row: usize| block.raw.row(row).1.iter().all(|value| *value == 0.0);
            is_any |= (0..block.raw.n_rows).any(|row| kept[block.first + row] && !is_zero(row));
            Ok(if is_any { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        ensure!(
            is_any,
            "all values of {n_kept} cells and {} {}s are 0; is this the right matrix? `layer` names another",
            self.features.len(),
            self.reading.feature
        );
        Ok(())
    }

    /// Drops the features that are above 0 in fewer than `min_cells_per_feature` of the kept cells.
    pub(super) fn drop_rare_features(&mut self, kept: &[bool]) -> Result<()> {
        let (least, feature) = (self.reading.min_cells_per_feature, self.reading.feature);
        if least == 0 {
            return Ok(());
        }
        let columns = match &self.held {
            Held::Memory(memory) => features_of_enough_cells(&memory.raw, kept, least, feature)?,
            Held::Disk(disk) => enough_cells(&disk.cells_per_feature(kept)?, kept, least, feature)?,
        };
        if columns.len() < self.features.len() {
            self.select_columns(&columns)?;
        }
        Ok(())
    }

    /// Which of the kept cells have `min_features_per_cell` features above 0.
    pub(super) fn rich_cells(&self, kept: &[bool]) -> Result<Vec<bool>> {
        let MatrixReading { min_features_per_cell: least, feature, .. } = self.reading;
        match &self.held {
            Held::Memory(memory) => cells_of_enough_features(&memory.raw, kept, least, feature),
            Held::Disk(disk) => {
                let left = disk.enough_features(kept, least)?;
                ensure_any_left(&left, kept, least, (self.features.len(), feature))?;
                Ok(left)
            }
        }
    }
}
