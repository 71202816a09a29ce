//! The state of every run, and `ledger.tsv`, which shows it to people while runs go on.

use super::comparison::RunState;
use super::study::{Cell, Folder};
use anyhow::Result;
use framework::run::{RunDirectory, write_atomically};
use std::fmt::Write as _;

/// The state of every run of a study.
#[derive(Debug)]
pub struct Ledger<'a> {
    folder: &'a Folder,
    /// Cells and their states, in the order in which they are run.
    pub entries: Vec<(Cell, RunState)>,
}

impl<'a> Ledger<'a> {
    /// Reads the state of every run from its files.
    ///
    /// # Errors
    /// When a run was made from another spec.
    pub fn read(folder: &'a Folder) -> Result<Ledger<'a>> {
        let state = |cell: Cell| Ok((cell, folder.state(cell)?));
        let entries = folder.study.cells().into_iter().map(state).collect::<Result<_>>()?;
        Ok(Ledger { folder, entries })
    }

    /// Changes the state of a cell and writes the ledger.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set(&mut self, cell: Cell, state: RunState) -> Result<()> {
        for entry in self.entries.iter_mut().filter(|(other, _)| *other == cell) {
            entry.1 = state;
        }
        self.write()
    }

    /// Runs of a state.
    pub fn n(&self, state: RunState) -> usize {
        self.entries.iter().filter(|(_, other)| *other == state).count()
    }

    /// Writes `ledger.tsv`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self) -> Result<()> {
        let mut table = "variant\tseed\tstate\ttotal_secs\tpeak_memory_bytes\tdirectory\n".to_owned();
        for (cell, state) in &self.entries {
            let run = self.folder.run(*cell);
            let numbers = match state {
                RunState::Done => numbers(&self.folder.path().join(&run)),
                _ => Default::default(),
            };
            let (name, seed) = (&self.folder.study.variants[cell.variant].name, cell.seed);
            let [secs, bytes] = numbers.map(|number| number.map(|number| number.to_string()).unwrap_or_default());
            let _ = writeln!(table, "{name}\t{seed}\t{}\t{secs}\t{bytes}\t{}", state.name(), run.display());
        }
        write_atomically(&self.folder.path().join("ledger.tsv"), table.as_bytes())
    }
}

/// Seconds and memory of a finished run.
fn numbers(run: &std::path::Path) -> [Option<f64>; 2] {
    let provenance = RunDirectory::open(run).and_then(|run| run.read_provenance());
    provenance.map_or([None; 2], |found| [found.total_secs, found.peak_memory_bytes.map(|bytes| bytes as f64)])
}
