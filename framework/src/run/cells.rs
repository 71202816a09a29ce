//! The cells of a run: what each was used for, and which modalities measured it; `cells.tsv`, written and read.

use crate::data::{Dataset, Split, Subset};
use std::collections::HashMap;
use std::fmt::Write as _;

/// The cells of a run, in the order of its learned rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunCells {
    /// Names.
    pub names: Vec<String>,
    /// What each was used for.
    pub subsets: Vec<Subset>,
    /// The modalities.
    pub modalities: Vec<String>,
    /// By modality, whether each cell was measured.
    pub measured: Vec<Vec<bool>>,
}

impl RunCells {
    /// The cells of data that are about to be learned from.
    pub fn of(dataset: &Dataset, split: &Split) -> RunCells {
        RunCells {
            names: dataset.cells.clone(),
            subsets: split.subsets().to_vec(),
            modalities: dataset.assays.iter().map(|assay| assay.name.clone()).collect(),
            measured: (dataset.assays.iter()).map(|assay| assay.rows.iter().map(Option::is_some).collect()).collect(),
        }
    }

    /// Number of cells.
    pub fn n(&self) -> usize {
        self.names.len()
    }

    /// Place of each cell by its name.
    pub fn places(&self) -> HashMap<&str, usize> {
        self.names.iter().map(String::as_str).zip(0..).collect()
    }

    /// The table: a line per cell, its name, its subset, and 1 or 0 for each modality.
    pub(super) fn table(&self) -> String {
        let mut table = String::from("cell\tsplit");
        for modality in &self.modalities {
            let _ = write!(table, "\t{modality}");
        }
        table.push('\n');
        for (cell, name) in self.names.iter().enumerate() {
            let _ = write!(table, "{name}\t{}", self.subsets[cell].name());
            for measured in &self.measured {
                let _ = write!(table, "\t{}", u8::from(measured[cell]));
            }
            table.push('\n');
        }
        table
    }

    /// Reads the table; `None` where it is damaged.
    pub(super) fn parse(text: &str) -> Option<RunCells> {
        let mut lines = text.lines();
        let modalities: Vec<String> = lines.next()?.split('\t').skip(2).map(str::to_owned).collect();
        let measured = modalities.iter().map(|_| Vec::new()).collect();
        let mut cells = RunCells { modalities, measured, ..RunCells::default() };
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_as_it_was_written_and_damage_is_noticed() {
        let text = "cell\tsplit\trna\tatac\na\ttrain\t1\t1\nb\ttest\t1\t1\nc\ttrain\t0\t1\n";
        let cells = RunCells::parse(text).unwrap();
        assert_eq!((cells.n(), cells.table().as_str(), cells.places()["c"]), (3, text, 2));
        assert!(RunCells::parse("cell\tsplit\trna\na\ttrain\n").is_none());
        assert!(RunCells::parse("cell\tsplit\trna\na\tmaybe\t1\n").is_none());
        assert!(RunCells::parse("").is_none());
    }
}
