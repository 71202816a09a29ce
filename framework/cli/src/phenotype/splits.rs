//! Which cells the network learns from, which tell it when to stop, and which judge it.

use super::question::{Truth, counts};
use anyhow::{Result, ensure};
use framework::data::Subset;
use framework::{Purpose, Seed};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Tells the draws of this command from others of the same purpose.
const ROUNDS: u64 = (1 << 32) + 10;
const POOLS: u64 = (1 << 32) + 11;

/// Which cells may judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// Those that the model itself never learned from, nor was stopped by.
    Unseen,
    /// All.
    All,
}

/// How cells are divided again and again.
#[derive(Debug, Clone)]
pub struct Design<'a> {
    /// What the model itself used each cell of the data set for.
    pub subsets: &'a [Subset],
    /// The group of each cell of the data set, where groups are held out as a whole; cells without one take no part.
    pub groups: Option<&'a [Option<u32>]>,
    /// Which cells may judge.
    pub judged: Judged,
    /// Splits.
    pub n_repeats: usize,
    /// Parts that cells (or groups) which may judge are divided into; each split is judged by one of them, and none judges
    /// again before all have.
    pub n_folds: usize,
    /// Share of the cells learned from that tells when to stop.
    pub stop_share: f64,
    /// Most cells that are learned from and stopped by.
    pub max_cells: Option<usize>,
    /// Seed of all draws.
    pub seed: Seed,
}

/// The cells of one split, as places in the list that was divided, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhenotypeSplit {
    /// Learned from.
    pub learned: Vec<usize>,
    /// Tell when to stop.
    pub stopping: Vec<usize>,
    /// Judge; no one else of their groups is learned from or stopped by.
    pub judged: Vec<usize>,
    /// Groups that were held out.
    pub held: Vec<u32>,
}

impl Design<'_> {
    fn may_judge(&self, cell: usize) -> bool {
        match self.judged {
            Judged::All => true,
            Judged::Unseen => matches!(self.subsets[cell], Subset::Test | Subset::Unused),
        }
    }

    /// What can be held out: each cell that may judge, or each group that has such cells; as places in `cells`.
    fn units(&self, cells: &[usize]) -> Vec<Vec<usize>> {
        let judging = (0..cells.len()).filter(|&place| self.may_judge(cells[place]));
        match self.groups {
            None => judging.map(|place| vec![place]).collect(),
            Some(groups) => {
                let mut units: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
                for place in judging {
                    groups[cells[place]].into_iter().for_each(|group| units.entry(group).or_default().push(place));
                }
                units.into_values().collect()
            }
        }
    }

    /// How many cells, or groups, can be held out of some cells.
    pub fn n_units(&self, cells: &[usize]) -> usize {
        self.units(cells).len()
    }

    /// Divides cells of the data set (with groups: all of which have one) as often as asked.
    ///
    /// # Errors
    /// When fewer than two cells or groups may judge, or too few cells are left to learn from.
    pub fn splits(&self, cells: &[usize], truth: &Truth) -> Result<Vec<PhenotypeSplit>> {
        let units = self.units(cells);
        let what = if self.groups.is_some() { "groups" } else { "cells" };
        ensure!(units.len() >= 2, "{} {what} can be held out; at least 2 are needed", units.len());
        let n_folds = self.n_folds.clamp(2, units.len());
        let split = |repeat: usize| {
            let order = self.order(&units, truth, (repeat / n_folds) as u64);
            let fold = order.iter().skip(repeat % n_folds).step_by(n_folds);
            let mut judged: Vec<usize> = fold.flat_map(|&unit| units[unit].iter().copied()).collect();
            judged.sort_unstable();
            self.split(cells, judged, truth, repeat as u64)
        };
        (0..self.n_repeats).map(split).collect()
    }

    /// A random order of units in which those of a class (of most of their cells) stand together, so that every part has as many of
    /// each class as can be; numbers are in no order.
    fn order(&self, units: &[Vec<usize>], truth: &Truth, round: u64) -> Vec<usize> {
        let mut chance = self.seed.generator(Purpose::Evaluation, ROUNDS, round);
        let mut order: Vec<usize> = (0..units.len()).collect();
        order.shuffle(&mut chance);
        if let Truth::Classes { names, codes } = truth {
            let mut ranks: Vec<usize> = (0..names.len()).collect();
            ranks.shuffle(&mut chance);
            let class = |unit: usize| {
                let counts = counts(codes, &units[unit], names.len());
                (0..names.len()).fold(0, |best, class| if counts[class] > counts[best] { class } else { best })
            };
            order.sort_by_cached_key(|&unit| ranks[class(unit)]);
        }
        order
    }

    fn split(&self, cells: &[usize], judged: Vec<usize>, truth: &Truth, repeat: u64) -> Result<PhenotypeSplit> {
        let group = |place: usize| self.groups.and_then(|groups| groups[cells[place]]);
        let held: BTreeSet<u32> = judged.iter().filter_map(|&place| group(place)).collect();
        let is_out =
            |place: usize| judged.binary_search(&place).is_ok() || group(place).is_some_and(|g| held.contains(&g));
        let mut pool: Vec<usize> = (0..cells.len()).filter(|&place| !is_out(place)).collect();
        pool.shuffle(&mut self.seed.generator(Purpose::Evaluation, POOLS, repeat));
        pool.truncate(self.max_cells.unwrap_or(usize::MAX));
        let n_stopping = ((pool.len() as f64 * self.stop_share).round() as usize).max(1);
        ensure!(
            pool.len() >= n_stopping + 2,
            "{} cells are left to learn from, of which {n_stopping} tell when to stop; at least 2 more are needed",
            pool.len()
        );
        let groups: Vec<Option<u32>> = pool.iter().map(|&place| group(place)).collect();
        let mut stopping = match whole_groups(&pool, &groups, truth, n_stopping) {
            Some(stopping) => stopping,
            None => pool[..n_stopping].to_vec(),
        };
        stopping.sort_unstable();
        let mut learned: Vec<usize> = pool.into_iter().filter(|place| stopping.binary_search(place).is_err()).collect();
        learned.sort_unstable();
        Ok(PhenotypeSplit { learned, stopping, judged, held: held.into_iter().collect() })
    }
}

/// About so many cells in whole groups, in the order in which groups come in a drawn pool, such that every class stays among the
/// others; `None` where there are fewer than three groups, or none can be spared.
fn whole_groups(pool: &[usize], groups: &[Option<u32>], truth: &Truth, n_wanted: usize) -> Option<Vec<usize>> {
    let mut order: Vec<u32> = Vec::new();
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (&place, group) in pool.iter().zip(groups) {
        let group = (*group)?;
        let own = members.entry(group).or_insert_with(|| {
            order.push(group);
            Vec::new()
        });
        own.push(place);
    }
    if order.len() < 3 {
        return None;
    }
    let class = |place: usize| match truth {
        Truth::Classes { codes, .. } => codes[place],
        Truth::Numbers(_) => 0,
    };
    let mut left: BTreeMap<u32, usize> = BTreeMap::new();
    pool.iter().for_each(|&place| *left.entry(class(place)).or_default() += 1);
    let mut chosen = Vec::new();
    for group in order {
        let own = &members[&group];
        let mut after = left.clone();
        own.iter().for_each(|&place| *after.entry(class(place)).or_default() -= 1);
        // a group that is far too large is no better than one too few
        let is_fit =
            chosen.len() + own.len() <= n_wanted.max(1) * 3 / 2 || chosen.is_empty() && own.len() <= pool.len() / 2;
        if is_fit && after.values().all(|&n| n > 0) {
            chosen.extend_from_slice(own);
            left = after;
        }
        if chosen.len() * 5 >= n_wanted * 4 {
            break;
        }
    }
    (!chosen.is_empty()).then_some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 120;

    fn truth() -> Truth {
        let names = vec!["a".to_owned(), "b".to_owned()];
        Truth::Classes { names, codes: (0..N as u32).map(|place| place / 10 % 2).collect() }
    }

    fn design<'a>(subsets: &'a [Subset], groups: Option<&'a [Option<u32>]>, judged: Judged) -> Design<'a> {
        Design { subsets, groups, judged, n_repeats: 8, n_folds: 4, stop_share: 0.2, max_cells: None, seed: Seed(3) }
    }

    fn subsets() -> Vec<Subset> {
        (0..N).map(|cell| [Subset::Training, Subset::Validation, Subset::Test][cell / 40]).collect()
    }

    fn sorted(parts: &[&[usize]]) -> Vec<usize> {
        let mut all: Vec<usize> = parts.concat();
        all.sort_unstable();
        all
    }

    #[test]
    fn each_cell_judges_once_a_round_and_is_never_learned_from_where_it_does() {
        let (subsets, cells): (_, Vec<usize>) = (subsets(), (0..N).collect());
        let splits = design(&subsets, None, Judged::Unseen).splits(&cells, &truth()).unwrap();
        assert_eq!(splits.len(), 8);
        for split in &splits {
            assert_eq!(sorted(&[&split.learned, &split.stopping, &split.judged]), cells);
            assert_eq!((split.stopping.len(), split.judged.len()), (22, 10));
        }
        for round in splits.chunks(4) {
            let judged: Vec<&[usize]> = round.iter().map(|split| split.judged.as_slice()).collect();
            assert_eq!(sorted(&judged), (80..N).collect::<Vec<_>>());
        }
        assert_ne!(splits[0].judged, splits[4].judged);
        assert_eq!(splits, design(&subsets, None, Judged::Unseen).splits(&cells, &truth()).unwrap());
        let other = Design { seed: Seed(4), ..design(&subsets, None, Judged::Unseen) };
        assert_ne!(splits, other.splits(&cells, &truth()).unwrap());
        let few = Design { max_cells: Some(20), ..design(&subsets, None, Judged::All) };
        let split = &few.splits(&cells, &truth()).unwrap()[0];
        assert_eq!((split.learned.len(), split.stopping.len(), split.judged.len()), (16, 4, 30));
    }

    #[test]
    fn groups_are_held_out_whole_and_so_are_those_that_tell_when_to_stop() {
        let (subsets, cells): (_, Vec<usize>) = (subsets(), (0..N).collect());
        let groups: Vec<Option<u32>> = (0..N as u32).map(|cell| Some(cell / 10)).collect();
        let of = |places: &[usize]| places.iter().map(|&place| groups[place]).collect::<BTreeSet<_>>();
        for judged in [Judged::All, Judged::Unseen] {
            let design = design(&subsets, Some(&groups), judged);
            assert_eq!(design.n_units(&cells), if judged == Judged::All { 12 } else { 4 });
            for split in design.splits(&cells, &truth()).unwrap() {
                assert_eq!(sorted(&[&split.learned, &split.stopping, &split.judged]), cells);
                let parts = [&split.learned, &split.stopping, &split.judged].map(|part| of(part));
                assert!(parts[0].is_disjoint(&parts[1]) && parts[0].is_disjoint(&parts[2]), "{parts:?}");
                assert!(parts[1].is_disjoint(&parts[2]), "{parts:?}");
                assert_eq!(split.held.len(), parts[2].len());
                assert_eq!(split.held.len(), if judged == Judged::All { 3 } else { 1 });
                // six groups of each class in four parts
                let n_first = split.held.iter().filter(|group| *group % 2 == 0).count();
                assert!(judged == Judged::Unseen || (1..=2).contains(&n_first), "{split:?}");
                let classes: BTreeSet<usize> = split.learned.iter().map(|place| place / 10 % 2).collect();
                assert_eq!(classes.len(), 2);
            }
        }
    }

    #[test]
    fn cells_of_held_groups_that_may_not_judge_are_left_out() {
        // every group has cells that the model learned from, and others
        let subsets: Vec<Subset> =
            (0..N).map(|cell| if cell % 2 == 0 { Subset::Training } else { Subset::Test }).collect();
        let groups: Vec<Option<u32>> = (0..N as u32).map(|cell| Some(cell / 10)).collect();
        let cells: Vec<usize> = (0..N).collect();
        for split in design(&subsets, Some(&groups), Judged::Unseen).splits(&cells, &truth()).unwrap() {
            assert!(split.judged.iter().all(|place| place % 2 == 1));
            assert_eq!((split.held.len(), split.judged.len()), (3, 15));
            assert_eq!(split.learned.len() + split.stopping.len(), 90);
        }
        let none = design(&[Subset::Training; N], None, Judged::Unseen).splits(&cells, &truth());
        assert!(none.unwrap_err().to_string().starts_with("0 cells can be held out"));
    }
}
