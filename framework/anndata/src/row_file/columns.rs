//! Which columns of a file are read, and where they are put.

use anyhow::{Result, ensure};

/// Stands for columns that are not read.
const NOWHERE: u32 = u32::MAX;

/// Which columns of a file are read, and which column each becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPlaces {
    /// The column that each column of the file becomes; `None` where all stay.
    places: Option<Vec<u32>>,
    n_in_file: usize,
    n_columns: usize,
    are_ascending: bool,
}

impl ColumnPlaces {
    /// All columns as they are.
    pub fn all(n_columns: usize) -> ColumnPlaces {
        ColumnPlaces { places: None, n_in_file: n_columns, n_columns, are_ascending: true }
    }

    /// Of a file of `n_in_file` columns these, in this order; `None` is a column in which nothing is stored.
    ///
    /// # Errors
    /// If a column does not exist or is asked for twice.
    pub fn of(n_in_file: usize, columns: &[Option<usize>]) -> Result<ColumnPlaces> {
        let mut places = vec![NOWHERE; n_in_file];
        for (place, column) in (0u32..).zip(columns) {
            let Some(column) = column else { continue };
            ensure!(*column < n_in_file, "column {column} was asked for, but there are {n_in_file} columns");
            ensure!(
                places[*column] == NOWHERE,
                "column {column} was asked for twice; each column can be selected once"
            );
            places[*column] = place;
        }
        let are_ascending = columns.iter().flatten().is_sorted();
        Ok(ColumnPlaces { places: Some(places), n_in_file, n_columns: columns.len(), are_ascending })
    }

    /// Of the columns that are read these, in ascending order.
    ///
    /// # Errors
    /// If a column does not exist or is asked for twice.
    pub fn select(&self, columns: &[usize]) -> Result<ColumnPlaces> {
        let mut kept = ColumnPlaces::of(self.n_columns, &columns.iter().copied().map(Some).collect::<Vec<_>>())?;
        ensure!(kept.are_ascending, "columns are selected in ascending order");
        if let (Some(places), Some(of_kept)) = (&self.places, &kept.places) {
            let through = |place: &u32| of_kept.get(*place as usize).copied().unwrap_or(NOWHERE);
            kept.places = Some(places.iter().map(through).collect());
        }
        Ok(ColumnPlaces { n_in_file: self.n_in_file, are_ascending: self.are_ascending, ..kept })
    }

    /// Number of columns that rows have once they are read.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Number of columns of the file.
    pub fn n_in_file(&self) -> usize {
        self.n_in_file
    }

    /// Whether all columns are read as they are.
    pub fn are_all(&self) -> bool {
        self.places.is_none()
    }

    /// Numbers of the columns of a file as those of the columns that are read; 0 where nothing is read.
    pub fn through<T: Copy + Default>(&self, of_file: &[T]) -> Vec<T> {
        let Some(places) = &self.places else { return of_file.to_vec() };
        let mut read = vec![T::default(); self.n_columns];
        for (place, number) in places.iter().zip(of_file).filter(|(place, _)| **place != NOWHERE) {
            read[*place as usize] = *number;
        }
        read
    }

    /// Whether the columns that are read stand in the order of the file.
    pub(super) fn are_ascending(&self) -> bool {
        self.are_ascending
    }

    /// What a column of the file becomes, if it is read; the outer `None` where there is no such column.
    #[inline]
    pub(super) fn place(&self, column: u64) -> Option<Option<u32>> {
        if column >= self.n_in_file as u64 {
            return None;
        }
        match &self.places {
            None => Some(Some(column as u32)),
            Some(places) => places.get(column as usize).map(|place| (*place != NOWHERE).then_some(*place)),
        }
    }
}
