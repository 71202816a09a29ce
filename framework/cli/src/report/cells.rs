//! The cells of a run: what each was used for, and which modalities measured it.

use anyhow::{Context, Result};
use framework::data::Subset;
use framework::run::RunDirectory;
use serde::Serialize;
use std::collections::HashMap;

/// The subsets that are told apart, in the order of all tables.
pub const SUBSETS: [Subset; 4] = [Subset::Training, Subset::Validation, Subset::Test, Subset::Unused];

/// What `cells.tsv` says.
#[derive(Debug, Default)]
pub struct Cells {
    /// Names.
    pub names: Vec<String>,
    /// What each was used for.
    pub subsets: Vec<Subset>,
    /// The modalities.
    pub modalities: Vec<String>,
    /// By modality, whether each cell was measured.
    pub measured: Vec<Vec<bool>>,
}

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

impl Cells {
    /// Reads the table of a run; no cells where there is none yet.
    ///
    /// # Errors
    /// When the table is damaged.
    pub fn read(run: &RunDirectory) -> Result<Cells> {
        let path = run.file("cells.tsv");
        if !path.is_file() {
            return Ok(Cells::default());
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        Cells::parse(&text).with_context(|| format!("`{}` is damaged", path.display()))
    }

    fn parse(text: &str) -> Option<Cells> {
        let mut lines = text.lines();
        let modalities: Vec<String> = lines.next()?.split('\t').skip(2).map(str::to_owned).collect();
        let measured = modalities.iter().map(|_| Vec::new()).collect();
        let mut cells = Cells { modalities, measured, ..Cells::default() };
        for line in lines {
            let mut fields = line.split('\t');
            cells.names.push(fields.next()?.to_owned());
            cells.subsets.push(Subset::parse(fields.next()?)?);
            for measured in &mut cells.measured {
                measured.push(fields.next()? == "1");
            }
        }
        Some(cells)
    }

    /// Number of cells.
    pub fn n(&self) -> usize {
        self.names.len()
    }

    /// Number of cells in each of [`SUBSETS`] that `which` holds for.
    pub fn count(&self, which: impl Fn(usize) -> bool) -> [usize; 4] {
        let mut counts = [0; 4];
        for (_, subset) in self.subsets.iter().enumerate().filter(|(cell, _)| which(*cell)) {
            counts[place_of(*subset)] += 1;
        }
        counts
    }

    /// Patterns of measured modalities, the most frequent first.
    pub fn patterns(&self) -> Vec<Pattern> {
        let mut found: HashMap<Vec<bool>, [usize; 4]> = HashMap::new();
        for cell in 0..self.n() {
            let pattern = self.measured.iter().map(|measured| measured[cell]).collect();
            found.entry(pattern).or_default()[place_of(self.subsets[cell])] += 1;
        }
        let mut found: Vec<(Vec<bool>, [usize; 4])> = found.into_iter().collect();
        found.sort_by(|(left, n), (right, m)| m.iter().sum::<usize>().cmp(&n.iter().sum()).then(right.cmp(left)));
        found.into_iter().map(|(pattern, n_cells)| Pattern { modalities: self.named(&pattern), n_cells }).collect()
    }

    fn named(&self, pattern: &[bool]) -> Vec<String> {
        self.modalities.iter().zip(pattern).filter(|(_, there)| **there).map(|(name, _)| name.clone()).collect()
    }

    /// The pattern of one cell, such as `rna + protein`.
    pub fn pattern_of(&self, cell: usize) -> String {
        let pattern: Vec<bool> = self.measured.iter().map(|measured| measured[cell]).collect();
        match self.named(&pattern) {
            names if names.is_empty() => "none".to_owned(),
            names => names.join(" + "),
        }
    }
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
        let text = "cell\tsplit\trna\tatac\na\ttrain\t1\t1\nb\ttest\t1\t1\nc\ttrain\t0\t1\n";
        let cells = Cells::parse(text).unwrap();
        let patterns = cells.patterns();
        assert_eq!(patterns.len(), 2);
        assert_eq!((patterns[0].modalities.len(), patterns[0].n_cells), (2, [1, 0, 1, 0]));
        assert_eq!((cells.pattern_of(2).as_str(), cells.count(|cell| cell > 0)), ("atac", [1, 0, 1, 0]));
        assert!(Cells::parse("cell\tsplit\trna\na\ttrain\n").is_none());
        assert!(Cells::parse("cell\tsplit\trna\na\tmaybe\t1\n").is_none());
    }
}
