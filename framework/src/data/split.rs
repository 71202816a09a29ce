//! The division of cells into training, validation and test.

use super::Observations;
use crate::seed::{Purpose, Seed};
use crate::spec::SplitSpec;
use anyhow::{Result, bail, ensure};
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// What a cell is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subset {
    /// The model learns from it.
    Training,
    /// It decides when to stop.
    Validation,
    /// It is kept for the evaluation.
    Test,
    /// It takes no part.
    Unused,
}

impl Subset {
    /// The subset as written in tables.
    pub fn name(self) -> &'static str {
        match self {
            Subset::Training => "train",
            Subset::Validation => "validation",
            Subset::Test => "test",
            Subset::Unused => "unused",
        }
    }

    /// The subset of a name; `val` and `valid` are understood.
    pub fn parse(name: &str) -> Option<Subset> {
        match name.to_lowercase().as_str() {
            "train" | "training" => Some(Subset::Training),
            "validation" | "val" | "valid" => Some(Subset::Validation),
            "test" => Some(Subset::Test),
            "unused" => Some(Subset::Unused),
            _ => None,
        }
    }
}

/// The subset of every cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    subsets: Vec<Subset>,
}

impl Split {
    /// A split given cell by cell.
    pub fn new(subsets: Vec<Subset>) -> Split {
        Split { subsets }
    }

    /// Divides `n_cells` cells as the spec says.
    ///
    /// # Errors
    /// When the column it names does not hold splits, or no cell is left to train on.
    pub fn draw(spec: &SplitSpec, seed: u64, n_cells: usize, observations: &Observations) -> Result<Split> {
        let mut split = match (&spec.column, &spec.stratify_by, &spec.group_by) {
            (Some(column), _, _) => read_column(column, observations.column(column)?)?,
            (_, Some(column), _) => {
                let labels = observations.column(column)?;
                shares(spec, seed, n_cells, classes(labels))
            }
            (_, _, Some(column)) => whole_groups(spec, seed, n_cells, classes(observations.column(column)?))?,
            _ => shares(spec, seed, n_cells, vec![(0..n_cells).collect()]),
        };
        split.keep_share(spec, seed);
        let n_training = split.of(Subset::Training).len();
        ensure!(
            n_training >= 2,
            "the split leaves {n_training} cells to train on; lower `test` and `validation`, or raise `training_share`"
        );
        Ok(split)
    }

    /// Leaves out training cells beyond the share that is learned from: the last ones of a seeded order.
    fn keep_share(&mut self, spec: &SplitSpec, seed: u64) {
        let mut training = self.of(Subset::Training);
        training.shuffle(&mut Seed(spec.seed.unwrap_or(seed)).generator(Purpose::Split, 1, 0));
        let n_kept = (training.len() as f64 * spec.training_share).round() as usize;
        for cell in training.split_off(n_kept) {
            self.subsets[cell] = Subset::Unused;
        }
    }

    /// The cells of a subset, ascending.
    pub fn of(&self, subset: Subset) -> Vec<usize> {
        self.subsets.iter().enumerate().filter(|(_, other)| **other == subset).map(|(cell, _)| cell).collect()
    }

    /// The subset of each cell.
    pub fn subsets(&self) -> &[Subset] {
        &self.subsets
    }
}

fn read_column(name: &str, column: &[Option<String>]) -> Result<Split> {
    let mut subsets = Vec::with_capacity(column.len());
    for value in column {
        match value.as_deref().map(|text| (text, Subset::parse(text))) {
            Some((_, Some(subset))) => subsets.push(subset),
            Some((text, None)) => {
                bail!(
                    "the column `{name}` of obs holds `{text}`; a split column says train, validation, test or unused"
                )
            }
            None => bail!(
                "the column `{name}` of obs has empty values; a split column says train, validation, test or unused"
            ),
        }
    }
    Ok(Split { subsets })
}

/// Cells by label, in the order of the labels; cells without one form a class of their own.
fn classes(labels: &[Option<String>]) -> Vec<Vec<usize>> {
    let mut classes: BTreeMap<&Option<String>, Vec<usize>> = BTreeMap::new();
    for (cell, label) in labels.iter().enumerate() {
        classes.entry(label).or_default().push(cell);
    }
    classes.into_values().collect()
}

/// Divides every class in the shares of the spec.
fn shares(spec: &SplitSpec, seed: u64, n_cells: usize, classes: Vec<Vec<usize>>) -> Split {
    let mut subsets = vec![Subset::Training; n_cells];
    let mut generator = Seed(spec.seed.unwrap_or(seed)).generator(Purpose::Split, 0, 0);
    for mut class in classes {
        class.shuffle(&mut generator);
        let n_validation = (class.len() as f64 * spec.validation).round() as usize;
        let n_test = (class.len() as f64 * spec.test).round() as usize;
        for (place, cell) in class.into_iter().enumerate() {
            if place < n_validation {
                subsets[cell] = Subset::Validation;
            } else if place < n_validation + n_test {
                subsets[cell] = Subset::Test;
            }
        }
    }
    Split { subsets }
}

/// Gives whole groups to the subset that lacks most cells of its share.
fn whole_groups(spec: &SplitSpec, seed: u64, n_cells: usize, mut groups: Vec<Vec<usize>>) -> Result<Split> {
    let wanted = [(Subset::Test, spec.test), (Subset::Validation, spec.validation)];
    let n_subsets = 1 + wanted.iter().filter(|(_, share)| *share > 0.0).count();
    ensure!(
        groups.len() >= n_subsets,
        "`group_by` finds {} groups, fewer than the {n_subsets} subsets to be filled",
        groups.len()
    );
    groups.shuffle(&mut Seed(spec.seed.unwrap_or(seed)).generator(Purpose::Split, 0, 0));
    let mut subsets = vec![Subset::Training; n_cells];
    let mut next = groups.into_iter();
    for (subset, share) in wanted {
        let mut n_filled = 0;
        while share > 0.0 && (n_filled as f64) < share * n_cells as f64 * 0.8 {
            let Some(group) = next.next() else { break };
            n_filled += group.len();
            for cell in group {
                subsets[cell] = subset;
            }
        }
    }
    Ok(Split { subsets })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> SplitSpec {
        SplitSpec { test: 0.2, validation: 0.1, ..SplitSpec::default() }
    }

    #[test]
    fn shares_are_kept_and_seeded() {
        let draw = |seed| Split::draw(&spec(), seed, 1000, &Observations::default()).unwrap();
        let split = draw(1);
        assert_eq!(split.of(Subset::Test).len(), 200);
        assert_eq!(split.of(Subset::Validation).len(), 100);
        assert_eq!(split, draw(1));
        assert_ne!(split, draw(2));
    }

    #[test]
    fn smaller_shares_are_among_larger_ones_and_change_no_other_subset() {
        let draw = |training_share| {
            let spec = SplitSpec { training_share, ..spec() };
            Split::draw(&spec, 3, 1000, &Observations::default()).unwrap()
        };
        let (whole, half, tenth) = (draw(1.0), draw(0.5), draw(0.1));
        let sizes = [&whole, &half, &tenth].map(|split| split.of(Subset::Training).len());
        assert_eq!(sizes, [700, 350, 70]);
        let is_among = |few: &Split, many: &Split| {
            few.of(Subset::Training).iter().all(|&cell| many.subsets()[cell] == Subset::Training)
        };
        assert!(is_among(&half, &whole) && is_among(&tenth, &half));
        for subset in [Subset::Validation, Subset::Test] {
            assert_eq!((whole.of(subset), whole.of(subset)), (half.of(subset), tenth.of(subset)));
        }
        let none = SplitSpec { training_share: 0.001, ..spec() };
        let message = Split::draw(&none, 3, 1000, &Observations::default()).unwrap_err().to_string();
        assert!(message.contains("leaves 1 cells") && message.contains("training_share"), "{message}");
    }

    #[test]
    fn every_class_is_divided_alike() {
        let labels: Vec<Option<String>> = (0..100).map(|cell| Some((cell % 5 / 4).to_string())).collect();
        let split = shares(&spec(), 0, 100, classes(&labels));
        let n_test = |label: &str| {
            split.of(Subset::Test).into_iter().filter(|&cell| labels[cell].as_deref() == Some(label)).count()
        };
        assert_eq!((n_test("0"), n_test("1")), (16, 4));
    }

    #[test]
    fn groups_stay_whole() {
        let labels: Vec<Option<String>> = (0..100).map(|cell| Some((cell / 10).to_string())).collect();
        let split = whole_groups(&spec(), 0, 100, classes(&labels)).unwrap();
        for group in 0..10 {
            let subsets: Vec<_> = split.subsets()[group * 10..group * 10 + 10].to_vec();
            assert!(subsets.iter().all(|subset| *subset == subsets[0]));
        }
        assert_eq!(split.of(Subset::Test).len(), 20);
    }

    #[test]
    fn a_column_of_other_words_is_refused() {
        let column = vec![Some("train".to_owned()), Some("maybe".to_owned())];
        let message = read_column("fold", &column).unwrap_err().to_string();
        assert!(message.contains("`maybe`") && message.contains("`fold`"), "{message}");
    }
}
