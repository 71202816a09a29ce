//! Labels of cells: names to numbers and back.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use serde::Serialize;

/// Labels of cells as numbers into a sorted list of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Labels {
    /// Different names, sorted.
    pub names: Vec<String>,
    /// One per cell: a position in `names`.
    pub codes: Vec<u32>,
}

impl Labels {
    /// Numbers the names found.
    ///
    /// # Errors
    /// When there is no cell.
    pub fn encode<S: AsRef<str>>(labels: &[S]) -> Result<Self> {
        ensure!(!labels.is_empty(), "there are no labels; expected one per cell");
        let names: BTreeSet<&str> = labels.iter().map(AsRef::as_ref).collect();
        let names: Vec<String> = names.into_iter().map(String::from).collect();
        Self::encode_as(labels, &names)
    }

    /// Numbers labels by names that are already known, such as those of the training cells.
    ///
    /// # Errors
    /// When a label is not among the names, or the names are not sorted and different.
    pub fn encode_as<S: AsRef<str>>(labels: &[S], names: &[String]) -> Result<Self> {
        ensure!(names.windows(2).all(|pair| pair[0] < pair[1]), "label names must be sorted and different");
        let mut codes = Vec::with_capacity(labels.len());
        for label in labels {
            match names.binary_search_by(|name| name.as_str().cmp(label.as_ref())) {
                Ok(code) => codes.push(code as u32),
                Err(_) => bail!("label `{}` is not known; known are: {}", label.as_ref(), names.join(", ")),
            }
        }
        Ok(Self { names: names.to_vec(), codes })
    }

    /// The codes of some cells, in the order asked for.
    ///
    /// # Errors
    /// When a cell does not exist.
    pub fn of(&self, cells: &[usize]) -> Result<Vec<u32>> {
        crate::tensor::check_rows(cells, self.codes.len(), "a list of labelled cells")?;
        Ok(cells.iter().map(|&cell| self.codes[cell]).collect())
    }
}

/// Refuses two labellings that do not fit together.
pub(crate) fn check_pair(first: &[u32], second: &[u32]) -> Result<()> {
    ensure!(
        first.len() == second.len() && !first.is_empty(),
        "{} labels are compared with {}; expected the same number, at least one",
        first.len(),
        second.len()
    );
    Ok(())
}

/// Those of some cells that each group has, in the order given; `groups` holds every cell's.
pub(crate) fn cells_by_group(cells: &[usize], groups: &[u32]) -> BTreeMap<u32, Vec<usize>> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    cells.iter().for_each(|&cell| members.entry(groups[cell]).or_default().push(cell));
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_found_again() {
        let labels = Labels::encode(&["T", "B", "T"]).unwrap();
        assert_eq!(labels.names, ["B", "T"]);
        assert_eq!(labels.codes, [1, 0, 1]);
        assert_eq!(labels.of(&[2, 1]).unwrap(), [1, 0]);
        let unknown = Labels::encode_as(&["NK"], &labels.names).unwrap_err().to_string();
        assert_eq!(unknown, "label `NK` is not known; known are: B, T");
        assert!(Labels::encode::<&str>(&[]).is_err());
    }
}
