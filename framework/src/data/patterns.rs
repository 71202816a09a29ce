//! Which modalities measured which cells.

use super::files::{DataFile, data_file, key_of};
use super::presence::measured_rows;
use super::{Dataset, Split, Subset};
use crate::spec::Experiment;
use anyhow::{Context, Result};
use indexmap::IndexMap;
use std::collections::HashMap;

/// Cells that the same modalities measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The modalities, in the order of the spec.
    pub modalities: Vec<String>,
    /// Its cells.
    pub n_cells: usize,
    /// Those of them in training, validation and test.
    pub by_subset: [usize; 3],
}

impl Pattern {
    /// `rna + protein`.
    pub fn name(&self) -> String {
        self.modalities.join(" + ")
    }

    /// `measured by rna + protein: 800 cells (640 train, 40 validation, 120 test)`.
    pub fn sentence(&self) -> String {
        let [training, validation, test] = self.by_subset;
        let Pattern { n_cells, .. } = self;
        format!("measured by {}: {n_cells} cells ({training} train, {validation} validation, {test} test)", self.name())
    }
}

impl Dataset {
    /// Patterns of measured modalities, most frequent first, with the cells of each subset.
    pub fn patterns_by_split(&self, split: &Split) -> Vec<Pattern> {
        let names = self.assays.iter().map(|assay| assay.name.clone()).collect::<Vec<_>>();
        let measured = |cell: usize| (0..self.assays.len()).filter(|&m| self.assays[m].rows[cell].is_some()).collect();
        let subset_of = |cell: usize| split.subsets().get(cell).copied().unwrap_or(Subset::Unused);
        counted(&names, (0..self.cells.len()).map(|cell| (measured(cell), subset_of(cell))))
    }
}

/// Patterns of the cells of an experiment as its files have them, before filters and before they are divided; nothing but names is
/// read.
///
/// # Errors
/// When a file cannot be read or does not hold a modality.
pub fn patterns_of_files(experiment: &Experiment) -> Result<Vec<Pattern>> {
    let mut measured: IndexMap<String, Vec<usize>> = IndexMap::new();
    for (place, (name, entry)) in experiment.modalities.iter().enumerate() {
        let source = data_file(experiment, name)?;
        let cells = cells_of(&source, name, entry.key.as_deref(), entry.measured.as_deref());
        for cell in cells.with_context(|| format!("modality `{name}`"))? {
            measured.entry(cell).or_default().push(place);
        }
    }
    let names: Vec<String> = experiment.modalities.keys().cloned().collect();
    Ok(counted(&names, measured.into_values().map(|pattern| (pattern, Subset::Unused))))
}

/// The cells that a modality measured.
fn cells_of(source: &DataFile, name: &str, key: Option<&str>, measured: Option<&str>) -> Result<Vec<String>> {
    let file = source.open()?;
    let key = match file.kind() {
        anndata::Kind::H5ad => String::new(),
        anndata::Kind::H5mu => key_of(&file, name, key)?.unwrap_or_else(|| key.unwrap_or(name).to_owned()),
    };
    let cells = file.modality(&key)?.cells().to_vec();
    let Some(column) = measured else { return Ok(cells) };
    Ok(measured_rows(&cells, source, column)?.into_iter().map(|row| cells[row].clone()).collect())
}

fn counted(names: &[String], cells: impl Iterator<Item = (Vec<usize>, Subset)>) -> Vec<Pattern> {
    let mut counts: HashMap<Vec<usize>, (usize, [usize; 3])> = HashMap::new();
    for (pattern, subset) in cells {
        let (n_cells, by_subset) = counts.entry(pattern).or_default();
        *n_cells += 1;
        let place = [Subset::Training, Subset::Validation, Subset::Test].iter().position(|other| *other == subset);
        place.into_iter().for_each(|place| by_subset[place] += 1);
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(left, (n, _)), (right, (m, _))| m.cmp(n).then(left.cmp(right)));
    let pattern = |(modalities, (n_cells, by_subset)): (Vec<usize>, _)| Pattern {
        modalities: modalities.into_iter().map(|place| names[place].clone()).collect(),
        n_cells,
        by_subset,
    };
    counts.into_iter().map(pattern).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_counted_by_subset_the_most_frequent_first() {
        let names = ["rna".to_owned(), "atac".to_owned()];
        let cells = [
            (vec![0], Subset::Test),
            (vec![0, 1], Subset::Training),
            (vec![0, 1], Subset::Training),
            (vec![0, 1], Subset::Unused),
        ];
        let found = counted(&names, cells.into_iter());
        assert_eq!(found[0].sentence(), "measured by rna + atac: 3 cells (2 train, 0 validation, 0 test)");
        assert_eq!(found[1].sentence(), "measured by rna: 1 cells (0 train, 0 validation, 1 test)");
        assert_eq!(found.len(), 2);
    }
}
