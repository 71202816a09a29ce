//! Where the values of a matrix are: in memory, or on disk.

use super::{MatrixModality, OnDisk};
use crate::step::Step;
use anndata::Csr;
use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use std::ops::ControlFlow;

/// The columns that a step kept, if it selects.
pub(super) type Selected = Option<Vec<usize>>;

/// The values of a matrix.
pub(super) enum Held {
    Memory(InMemory),
    Disk(OnDisk),
}

/// Some rows of a matrix in memory.
pub(super) struct InMemory {
    /// Structure and raw values.
    pub raw: Csr,
    /// Values after the steps, one per stored entry of `raw`; `None` where those are the raw ones.
    pub values: Option<Vec<f32>>,
}

/// Steps that have learnt, and the columns that each selected.
#[derive(Clone, Copy)]
pub(super) struct Applied<'a> {
    pub steps: &'a [Box<dyn Step>],
    pub selected: &'a [Selected],
    /// How many steps there are in all, for messages.
    pub n_steps: usize,
}

/// Some consecutive rows of a matrix.
pub(super) struct Block<'a> {
    /// The number of the first row.
    pub first: usize,
    /// Structure and raw values.
    pub raw: &'a Csr,
    /// Values after the steps, one per stored entry.
    pub processed: &'a [f32],
}

/// What is done with each block; it may ask for no more.
pub(super) type Each<'a> = dyn FnMut(&Block<'_>) -> Result<ControlFlow<()>> + 'a;

impl MatrixModality {
    /// Hands out all rows, in order: all at once from memory, some at a time from disk.
    pub(super) fn each_block(&self, each: &mut Each<'_>) -> Result<()> {
        match &self.held {
            Held::Memory(memory) => each(&memory.block(0)).map(drop),
            Held::Disk(disk) => disk.each_block(self.applied(), each),
        }
    }

    /// The steps, as far as they have learnt.
    pub(super) fn applied(&self) -> Applied<'_> {
        let n_steps = self.steps.len();
        match self.prepared {
            true => Applied { steps: &self.steps, selected: &self.selected, n_steps },
            false => Applied { steps: &[], selected: &[], n_steps },
        }
    }

    /// Keeps these columns only.
    pub(super) fn select_columns(&mut self, columns: &[usize]) -> Result<()> {
        match &mut self.held {
            Held::Memory(memory) => memory.replace(|matrix| matrix.select_columns(columns))?,
            Held::Disk(disk) => disk.select_columns(columns)?,
        }
        self.features = columns.iter().map(|column| self.features[*column].clone()).collect();
        Ok(())
    }
}

impl InMemory {
    /// A matrix before any step.
    pub(super) fn new(raw: Csr) -> InMemory {
        InMemory { raw, values: None }
    }

    /// Values after the steps, one per stored entry.
    pub(super) fn processed(&self) -> &[f32] {
        self.values.as_deref().unwrap_or(&self.raw.values)
    }

    /// All rows, which are those from `first` on.
    pub(super) fn block(&self, first: usize) -> Block<'_> {
        Block { first, raw: &self.raw, processed: self.processed() }
    }

    /// Replaces the matrix by rows or columns of it, with the processed values where there are any.
    pub(super) fn replace(&mut self, choose: impl Fn(&Csr) -> Result<Csr>) -> Result<()> {
        if self.values.is_some() {
            let processed = self.with_processed(|matrix| choose(matrix))?.values;
            self.values = Some(processed);
        }
        self.raw = choose(&self.raw)?;
        Ok(())
    }

    /// Lets `work` see and change the matrix with the processed values in place of the raw ones.
    fn with_processed<T>(&mut self, work: impl FnOnce(&mut Csr) -> T) -> T {
        let Some(values) = &mut self.values else { return work(&mut self.raw) };
        std::mem::swap(&mut self.raw.values, values);
        let result = work(&mut self.raw);
        if let Some(values) = &mut self.values {
            std::mem::swap(&mut self.raw.values, values);
        }
        result
    }

    /// Runs `work` with each step on the processed values, and keeps the columns that it returns.
    pub(super) fn each_step(
        &mut self,
        steps: &mut [Box<dyn Step>],
        work: impl Fn(usize, &mut dyn Step, &mut Csr) -> Result<Selected>,
    ) -> Result<Vec<Selected>> {
        self.start(steps.len());
        let n_steps = steps.len();
        let each = |(place, step): (usize, &mut Box<dyn Step>)| {
            let selected = self.with_processed(|matrix| work(place, step.as_mut(), matrix));
            let selected = selected.with_context(|| nth(place, n_steps))?;
            self.select(&selected)?;
            Ok(selected)
        };
        steps.iter_mut().enumerate().map(each).collect()
    }

    /// Applies steps to a matrix before any.
    pub(super) fn apply(&mut self, applied: Applied<'_>) -> Result<()> {
        self.start(applied.steps.len());
        for (place, (step, selected)) in applied.steps.iter().zip(applied.selected).enumerate() {
            let done = self.with_processed(|matrix| apply(step.as_ref(), matrix));
            done.with_context(|| nth(place, applied.n_steps))?;
            self.select(selected)?;
        }
        Ok(())
    }

    fn start(&mut self, n_steps: usize) {
        self.values = (n_steps > 0).then(|| self.raw.values.clone());
    }

    fn select(&mut self, selected: &Selected) -> Result<()> {
        match selected {
            Some(columns) => self.replace(|matrix| matrix.select_columns(columns)),
            None => Ok(()),
        }
    }

    pub(super) fn n_bytes(&self) -> u64 {
        let values = self.values.as_ref().map_or(0, Vec::len);
        (self.raw.indptr.len() * 8 + (self.raw.indices.len() + self.raw.values.len() + values) * 4) as u64
    }
}

/// A step as messages name it.
pub(super) fn nth(place: usize, n_steps: usize) -> String {
    format!("step {} of {n_steps}", place + 1)
}

/// Applies a step and refuses what no step may do: change which entries are stored, or leave values that are not
/// finite.
pub(super) fn apply(step: &dyn Step, matrix: &mut Csr) -> Result<()> {
    let (n_rows, n_columns, n_stored) = (matrix.n_rows, matrix.n_columns, matrix.n_stored());
    step.apply(matrix)?;
    let unchanged = (matrix.n_rows, matrix.n_columns) == (n_rows, n_columns)
        && (matrix.values.len(), matrix.indices.len()) == (n_stored, n_stored);
    ensure!(unchanged, "the step changed which entries are stored, which no step may do");
    let wrong = matrix.values.par_iter().position_first(|value| !value.is_finite());
    ensure!(wrong.is_none(), "the step leaves values that are not finite");
    Ok(())
}
