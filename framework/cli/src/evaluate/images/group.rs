//! Cells of one category of each condition: controls learn and minibatches are judged within them.

use std::collections::BTreeMap;

/// Cells of one category of each condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// The category of each of the conditions that groups are made by.
    pub codes: Vec<i64>,
    /// Training cells, ascending; at least 2.
    pub train: Vec<usize>,
    /// Judged cells, ascending; at least 1.
    pub judged: Vec<usize>,
}

impl Group {
    /// All groups that have a judged cell and enough training cells, and the number of judged cells of the others; the
    /// functions tell the categories of a cell.
    pub fn all(
        train: &[usize],
        judged: &[usize],
        of_train: impl Fn(usize) -> Vec<i64>,
        of_judged: impl Fn(usize) -> Vec<i64>,
    ) -> (Vec<Group>, usize) {
        let mut groups: BTreeMap<Vec<i64>, [Vec<usize>; 2]> = BTreeMap::new();
        for &cell in judged {
            groups.entry(of_judged(cell)).or_default()[1].push(cell);
        }
        for &cell in train {
            if let Some(group) = groups.get_mut(&of_train(cell)) {
                group[0].push(cell);
            }
        }
        let (kept, lost): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(_, [train, _])| train.len() >= 2);
        let n_lost = lost.iter().map(|(_, [_, judged])| judged.len()).sum();
        let group = |(codes, [train, judged]): (Vec<i64>, [Vec<usize>; 2])| Group { codes, train, judged };
        (kept.into_iter().map(group).collect(), n_lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_cells_of_one_category_and_something_to_learn_from() {
        let code = |cell: usize| vec![(cell % 3) as i64];
        // category 2 has a single training cell, category 1 no judged one
        let (groups, n_lost) = Group::all(&[0, 3, 1, 4, 2], &[6, 8, 9, 11], code, code);
        assert_eq!(groups, [Group { codes: vec![0], train: vec![0, 3], judged: vec![6, 9] }]);
        assert_eq!(n_lost, 2);
        let (groups, n_lost) = Group::all(&[0, 1], &[2], |_| Vec::new(), |_| Vec::new());
        assert_eq!((groups.len(), groups[0].train.len(), n_lost), (1, 2, 0));
    }
}
