//! The cells of a run, counted by what they were used for and by the modalities that measured them.

use framework::data::Subset;
use framework::run::RunCells;
use serde::Serialize;
use std::collections::HashMap;

/// The subsets that are told apart, in the order of all tables.
pub const SUBSETS: [Subset; 4] = [Subset::Training, Subset::Validation, Subset::Test, Subset::Unused];

/// Cells that the same modalities measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pattern {
    /// The modalities.
    pub modalities: Vec<String>,
    /// Training, validation, test and unused cells.
    pub n_cells: [usize; 4],
}

impl Pattern {
    /// All cells of the pattern.
    pub fn total(&self) -> usize {
        self.n_cells.iter().sum()
    }
}

/// Number of cells in each of [`SUBSETS`] that `which` holds for.
pub fn count(cells: &RunCells, which: impl Fn(usize) -> bool) -> [usize; 4] {
    let mut counts = [0; 4];
    for (_, subset) in cells.subsets.iter().enumerate().filter(|(cell, _)| which(*cell)) {
        counts[place_of(*subset)] += 1;
    }
    counts
}

/// Patterns of measured modalities, the most frequent first.
pub fn patterns(cells: &RunCells) -> Vec<Pattern> {
    let mut found: HashMap<Vec<bool>, [usize; 4]> = HashMap::new();
    for cell in 0..cells.n() {
        found.entry(measured(cells, cell)).or_default()[place_of(cells.subsets[cell])] += 1;
    }
    let mut found: Vec<(Vec<bool>, [usize; 4])> = found.into_iter().collect();
    found.sort_by(|(left, n), (right, m)| m.iter().sum::<usize>().cmp(&n.iter().sum()).then(right.cmp(left)));
    found.into_iter().map(|(pattern, n_cells)| Pattern { modalities: named(cells, &pattern), n_cells }).collect()
}

/// The pattern of one cell, such as `rna + protein`.
pub fn pattern_of(cells: &RunCells, cell: usize) -> String {
    match named(cells, &measured(cells, cell)) {
        names if names.is_empty() => "none".to_owned(),
        names => names.join(" + "),
    }
}

fn measured(cells: &RunCells, cell: usize) -> Vec<bool> {
    cells.measured.iter().map(|measured| measured[cell]).collect()
}

fn named(cells: &RunCells, pattern: &[bool]) -> Vec<String> {
    cells.modalities.iter().zip(pattern).filter(|(_, there)| **there).map(|(name, _)| name.clone()).collect()
}

/// Place of a subset in [`SUBSETS`].
pub fn place_of(subset: Subset) -> usize {
    SUBSETS.iter().position(|other| *other == subset).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_counted_by_subset() {
        let cells = RunCells {
            names: ["a", "b", "c"].map(str::to_owned).to_vec(),
            subsets: vec![Subset::Training, Subset::Test, Subset::Training],
            modalities: ["rna", "atac"].map(str::to_owned).to_vec(),
            measured: vec![vec![true, true, false], vec![true; 3]],
        };
        let patterns = patterns(&cells);
        assert_eq!(patterns.len(), 2);
        assert_eq!((patterns[0].modalities.len(), patterns[0].n_cells), (2, [1, 0, 1, 0]));
        assert_eq!((pattern_of(&cells, 2).as_str(), count(&cells, |cell| cell > 0)), ("atac", [1, 0, 1, 0]));
    }
}
