//! A matrix whose values stay on disk: rows are read when they are asked for, steps applied to those alone.
//!
//! What is held follows the number of rows and of columns. Whatever asks something of all values gets them a few megabytes
//! at a time; what losses ask of rows is found once, when the steps have learnt.

mod cache;
mod counts;
#[cfg(test)]
mod tests;

pub(super) use cache::open_on_disk;

use super::held::{Applied, Each, InMemory, Selected, nth};
use crate::loss::Statistics;
use crate::step::{Step, TrainingBlocks};
use anndata::{ColumnPlaces, Csr, RowFile};
use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use std::ops::Range;

/// Bytes on disk of the rows that are read at a time; in memory they take about ten times as much, with their steps.
const BYTES_AT_A_TIME: u64 = 4 << 20;

/// A matrix on disk.
pub(super) struct OnDisk {
    file: RowFile,
    /// The row of the file of each row.
    rows: Vec<u32>,
    /// The columns that the first step sees.
    columns: ColumnPlaces,
    /// What is known of each row; empty until the steps have learnt.
    known: Vec<KnownRow>,
    /// Number of entries that are stored of all rows, once the steps have learnt.
    n_stored: u64,
    /// Whether all values after the steps are known to be in [0, 1].
    is_unit_interval: bool,
}

/// What losses and statistics ask of a row.
#[derive(Debug, Clone, Copy)]
struct KnownRow {
    n_stored: u32,
    n_nonzero: u32,
    raw_sum: f64,
    processed_sum: f64,
}

impl OnDisk {
    /// All of a file.
    pub(super) fn new(file: RowFile) -> OnDisk {
        OnDisk {
            rows: (0..file.n_rows() as u32).collect(),
            columns: ColumnPlaces::all(file.n_columns()),
            known: Vec::new(),
            n_stored: file.n_stored(),
            is_unit_interval: false,
            file,
        }
    }

    pub(super) fn keep_rows(&mut self, rows: &[usize]) -> Result<()> {
        self.rows = self.in_file(rows)?;
        if !self.known.is_empty() {
            self.known = rows.iter().map(|row| self.known[*row]).collect();
            self.n_stored = self.known.iter().map(|row| u64::from(row.n_stored)).sum();
        }
        Ok(())
    }

    /// Keeps these of the columns that the first step sees.
    pub(super) fn select_columns(&mut self, columns: &[usize]) -> Result<()> {
        self.columns = self.columns.select(columns)?;
        Ok(())
    }

    /// Takes these columns of the file, in this order.
    pub(super) fn place_columns(&mut self, columns: &[Option<usize>]) -> Result<()> {
        ensure!(self.columns.are_all(), "the columns of the matrix were chosen before");
        self.columns = ColumnPlaces::of(self.file.n_columns(), columns)?;
        Ok(())
    }

    /// Lets steps learn from the training rows, one after the other, each seeing what those before it leave.
    pub(super) fn fit(&mut self, steps: &mut [Box<dyn Step>], training: &[usize]) -> Result<Vec<Selected>> {
        let n_steps = steps.len();
        let mut selected: Vec<Selected> = Vec::new();
        for place in 0..n_steps {
            let (before, from) = steps.split_at_mut(place);
            let applied = Applied { steps: before, selected: &selected, n_steps };
            let kept = selected.iter().rev().flatten().next();
            let n_columns = kept.map_or(self.columns.n_columns(), Vec::len);
            let ranges = self.ranges(training)?;
            let blocks = ranges.into_iter().map(|range| {
                let InMemory { raw, values } = self.read(&training[range], applied)?;
                Ok(match values {
                    Some(values) => Csr { values, ..raw },
                    None => raw,
                })
            });
            let step = &mut from[0];
            let mut blocks = TrainingBlocks::new(n_columns, training.len(), blocks);
            step.fit_blocks(&mut blocks).with_context(|| nth(place, n_steps))?;
            drop(blocks);
            selected.push(step.selected().map(<[usize]>::to_vec));
        }
        Ok(selected)
    }

    /// Goes through all rows once the steps have learnt: refuses what a step refuses, and notes what is asked of rows.
    pub(super) fn survey(&mut self, applied: Applied<'_>) -> Result<()> {
        let mut known = Vec::with_capacity(self.rows.len());
        let mut is_unit_interval = true;
        self.each_block(applied, &mut |block| {
            let of_row = |row: usize| KnownRow::of(block.raw, block.processed, row);
            known.par_extend((0..block.raw.n_rows).into_par_iter().map(of_row));
            is_unit_interval &= block.processed.iter().all(|value| (0.0..=1.0).contains(value));
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        self.n_stored = known.iter().map(|row| u64::from(row.n_stored)).sum();
        (self.known, self.is_unit_interval) = (known, is_unit_interval);
        Ok(())
    }

    /// Hands out all rows in order, with steps applied, a few megabytes at a time.
    pub(super) fn each_block(&self, applied: Applied<'_>, each: &mut Each<'_>) -> Result<()> {
        self.each_of(&(0..self.rows.len()).collect::<Vec<_>>(), applied, each)
    }

    /// The same, of some rows in their order; the number of a block's first row is its place among them.
    pub(super) fn each_of(&self, rows: &[usize], applied: Applied<'_>, each: &mut Each<'_>) -> Result<()> {
        for range in self.ranges(rows)? {
            let block = self.read(&rows[range.clone()], applied)?;
            if each(&block.block(range.start))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Reads some rows and applies steps to them.
    pub(super) fn read(&self, rows: &[usize], applied: Applied<'_>) -> Result<InMemory> {
        let mut some = InMemory::new(self.file.read(&self.in_file(rows)?, &self.columns)?);
        some.apply(applied)?;
        Ok(some)
    }

    pub(super) fn read_ahead(&self, rows: &[usize]) {
        let rows: Vec<u32> = rows.iter().filter_map(|row| self.rows.get(*row).copied()).collect();
        self.file.read_ahead(&rows);
    }

    pub(super) fn statistics(&self, rows: &[usize], n_columns: usize) -> Result<Statistics> {
        let mut total = Statistics { n_entries: rows.len() as f64 * n_columns as f64, ..Statistics::default() };
        let mut add = |row: KnownRow| {
            total.n_nonzero += f64::from(row.n_nonzero);
            total.raw_sum += row.raw_sum;
            total.processed_sum += row.processed_sum;
        };
        self.in_file(rows)?;
        if !self.known.is_empty() {
            rows.iter().for_each(|row| add(self.known[*row]));
            return Ok(total);
        }
        for range in self.ranges(rows)? {
            let raw = self.file.read(&self.in_file(&rows[range])?, &self.columns)?;
            (0..raw.n_rows).for_each(|row| add(KnownRow::of(&raw, &[], row)));
        }
        Ok(total)
    }

    /// Entries that are stored of all rows.
    pub(super) fn n_stored(&self) -> u64 {
        self.n_stored
    }

    /// Whether all raw values are known to be integers of at least 0.
    pub(super) fn are_counts(&self) -> bool {
        self.file.are_counts()
    }

    /// Whether all values after the steps are known to be in [0, 1].
    pub(super) fn is_unit_interval(&self) -> bool {
        self.is_unit_interval
    }

    pub(super) fn n_bytes(&self) -> u64 {
        let columns = if self.columns.are_all() { 0 } else { self.columns.n_in_file() * 4 };
        self.file.n_bytes() + (self.rows.len() * 4 + size_of_val(&*self.known) + columns) as u64
    }

    fn in_file(&self, rows: &[usize]) -> Result<Vec<u32>> {
        let place = |row: &usize| {
            let there = || format!("row {row} was asked for, but there are {} cells", self.rows.len());
            self.rows.get(*row).copied().with_context(there)
        };
        rows.iter().map(place).collect()
    }

    /// Cuts rows into ranges of a few megabytes each.
    fn ranges(&self, rows: &[usize]) -> Result<Vec<Range<usize>>> {
        let (mut ranges, mut start, mut n_bytes) = (Vec::new(), 0, 0);
        for (place, row) in self.in_file(rows)?.into_iter().enumerate() {
            let of_row = self.file.row_bytes(row);
            if n_bytes + of_row > BYTES_AT_A_TIME && place > start {
                ranges.push(start..place);
                (start, n_bytes) = (place, 0);
            }
            n_bytes += of_row;
        }
        if start < rows.len() {
            ranges.push(start..rows.len());
        }
        Ok(ranges)
    }
}

impl KnownRow {
    /// `processed` is empty where the steps have not learnt.
    fn of(raw: &Csr, processed: &[f32], row: usize) -> KnownRow {
        let sum = |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>();
        let values = raw.row(row).1;
        let entries = super::gather::entries(raw, row);
        KnownRow {
            n_stored: values.len() as u32,
            n_nonzero: values.iter().filter(|value| **value != 0.0).count() as u32,
            raw_sum: sum(values),
            processed_sum: processed.get(entries).map_or(0.0, sum),
        }
    }
}
