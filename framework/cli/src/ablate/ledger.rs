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
    /// What each finished run took, read once.
    taken: Vec<Taken>,
}

/// Seconds and bytes of memory, where they are known.
type Taken = [Option<f64>; 2];

impl<'a> Ledger<'a> {
    /// Reads the state of every run from its files.
    ///
    /// # Errors
    /// When a run was made from another spec.
    pub fn read(folder: &'a Folder) -> Result<Ledger<'a>> {
        let state = |cell: Cell| Ok((cell, folder.state(cell)?));
        let entries: Vec<(Cell, RunState)> = folder.study.cells().into_iter().map(state).collect::<Result<_>>()?;
        let taken = entries.iter().map(|(cell, state)| taken(folder, *cell, *state)).collect();
        Ok(Ledger { folder, entries, taken })
    }

    /// Changes the state of a cell and writes the ledger.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set(&mut self, cell: Cell, state: RunState) -> Result<()> {
        if let Some(place) = self.entries.iter().position(|(other, _)| *other == cell) {
            self.entries[place].1 = state;
            self.taken[place] = taken(self.folder, cell, state);
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
        for ((cell, state), taken) in self.entries.iter().zip(&self.taken) {
            let (name, seed) = (&self.folder.study.variants[cell.variant].name, cell.seed);
            let [secs, bytes] = taken.map(|number| number.map(|number| number.to_string()).unwrap_or_default());
            let run = self.folder.run(*cell);
            let _ = writeln!(table, "{name}\t{seed}\t{}\t{secs}\t{bytes}\t{}", state.name(), run.display());
        }
        write_atomically(&self.folder.path().join("ledger.tsv"), table.as_bytes())
    }
}

/// What a run took; nothing unless it has finished.
fn taken(folder: &Folder, cell: Cell, state: RunState) -> Taken {
    if state != RunState::Done {
        return [None; 2];
    }
    let provenance = RunDirectory::open(&folder.path().join(folder.run(cell))).and_then(|run| run.read_provenance());
    provenance.map_or([None; 2], |found| [found.total_secs, found.peak_memory_bytes.map(|bytes| bytes as f64)])
}
