//! What filtering asks: most of it is known without reading a row.

use super::OnDisk;
use anyhow::Result;

impl OnDisk {
    /// In how many of the `kept` rows each column is above 0.
    ///
    /// Of the kept rows and those left out, the fewer are read.
    pub(in super::super) fn cells_per_feature(&self, kept: &[bool]) -> Result<Vec<usize>> {
        let mut is_kept = vec![false; self.file.n_rows()];
        self.rows.iter().zip(kept).for_each(|(row, kept)| is_kept[*row as usize] = *kept);
        let n_kept = is_kept.iter().filter(|kept| **kept).count();
        let from_all = n_kept > is_kept.len() / 2;
        let rows: Vec<u32> =
            (0u32..).zip(&is_kept).filter(|(_, kept)| **kept != from_all).map(|(row, _)| row).collect();
        let read = self.above_zero_per_column(&rows)?;
        if !from_all {
            return Ok(read);
        }
        let all = self.columns.through(self.file.cells_per_feature());
        Ok(all.into_iter().zip(read).map(|(all, left_out)| all as usize - left_out).collect())
    }

    /// Which of the `kept` rows have at least `least` columns above 0.
    ///
    /// A row is read only where the columns that were dropped may decide.
    pub(in super::super) fn enough_features(&self, kept: &[bool], least: usize) -> Result<Vec<bool>> {
        let n_dropped = self.columns.n_in_file() - self.columns.n_columns().min(self.columns.n_in_file());
        let n_above = |row: usize| self.file.features_per_cell()[self.rows[row] as usize] as usize;
        let mut enough: Vec<bool> = (0..self.rows.len()).map(|row| kept[row] && n_above(row) >= least).collect();
        let undecided = |row: &usize| enough[*row] && n_above(*row) < least + n_dropped;
        let undecided: Vec<usize> = (0..self.rows.len()).filter(undecided).collect();
        for range in self.ranges(&undecided)? {
            let rows = &undecided[range];
            let raw = self.file.read(&self.in_file(rows)?, &self.columns)?;
            for (place, row) in rows.iter().enumerate() {
                enough[*row] = raw.row(place).1.iter().filter(|value| **value > 0.0).count() >= least;
            }
        }
        Ok(enough)
    }

    fn above_zero_per_column(&self, in_file: &[u32]) -> Result<Vec<usize>> {
        let mut n_cells = vec![0; self.columns.n_columns()];
        for some in in_file.chunks(ROWS_AT_A_TIME) {
            let raw = self.file.read(some, &self.columns)?;
            for (column, _) in raw.indices.iter().zip(&raw.values).filter(|(_, value)| **value > 0.0) {
                n_cells[*column as usize] += 1;
            }
        }
        Ok(n_cells)
    }
}

/// Rows whose entries are counted at a time.
const ROWS_AT_A_TIME: usize = 512;
