//! In how many repeats each feature qualifies, at every fold change of a grid, without keeping a table of any repeat.

use super::bins::Direction;

/// No feature met yet.
const NONE: u32 = u32::MAX;

/// Features that qualified at least once, each with the highest fold change it reached in each repeat.
pub(super) struct Levels {
    n_levels: usize,
    /// Place of each feature in the lists below.
    places: Vec<u32>,
    features: Vec<u32>,
    /// For each place, the number of repeats whose highest level is 1, 2, …
    n_highest: Vec<u16>,
    fold_sums: Vec<f64>,
    n_positive: Vec<u16>,
}

/// What qualified in one repeat: feature, number of fold changes exceeded (at least one), log₂ fold change.
pub(super) type Hit = (u32, usize, f64);

impl Levels {
    pub(super) fn new(n_features: usize, n_levels: usize) -> Self {
        Self {
            n_levels,
            places: vec![NONE; n_features],
            features: Vec::new(),
            n_highest: Vec::new(),
            fold_sums: Vec::new(),
            n_positive: Vec::new(),
        }
    }

    fn place(&mut self, feature: u32) -> usize {
        let place = &mut self.places[feature as usize];
        if *place == NONE {
            *place = self.features.len() as u32;
            self.features.push(feature);
            self.n_highest.resize(self.n_highest.len() + self.n_levels, 0);
            self.fold_sums.push(0.0);
            self.n_positive.push(0);
        }
        *place as usize
    }

    pub(super) fn add(&mut self, (feature, level, fold): Hit) {
        let place = self.place(feature);
        self.n_highest[place * self.n_levels + level - 1] += 1;
        self.fold_sums[place] += fold;
        self.n_positive[place] += u16::from(fold > 0.0);
    }

    /// Features met, ascending, each with its place.
    pub(super) fn features(&self) -> Vec<(usize, usize)> {
        let mut met: Vec<(usize, usize)> =
            self.features.iter().enumerate().map(|(place, &feature)| (feature as usize, place)).collect();
        met.sort_unstable();
        met
    }

    /// The place of a feature, if it was met.
    pub(super) fn find(&self, feature: usize) -> Option<usize> {
        self.places.get(feature).filter(|&&place| place != NONE).map(|&place| place as usize)
    }

    /// Numbers of repeats in which the feature at a place exceeds each fold change.
    pub(super) fn repeats(&self, place: usize) -> Vec<u32> {
        let highest = &self.n_highest[place * self.n_levels..(place + 1) * self.n_levels];
        let mut repeats: Vec<u32> = highest.iter().map(|&n| u32::from(n)).collect();
        for level in (1..self.n_levels).rev() {
            repeats[level - 1] += repeats[level];
        }
        repeats
    }

    /// Number of repeats in which the feature at a place exceeds one fold change.
    pub(super) fn repeats_at(&self, place: usize, threshold: usize) -> usize {
        let highest = &self.n_highest[place * self.n_levels..(place + 1) * self.n_levels];
        highest[threshold..].iter().map(|&n| usize::from(n)).sum()
    }

    /// Mean log₂ fold change over the repeats in which the feature at a place qualifies, and how often it is positive.
    pub(super) fn folds(&self, place: usize) -> (f64, usize) {
        let n = self.repeats_at(place, 0);
        (self.fold_sums[place] / n as f64, usize::from(self.n_positive[place]))
    }
}

/// One component over all repeats.
pub(super) struct Tally {
    pub(super) directions: [Levels; 3],
    /// The best direction of each repeat.
    pub(super) any: Levels,
    /// Repeats in which there were cells enough, by direction.
    pub(super) n_tested: [usize; 3],
}

impl Tally {
    pub(super) fn new(n_features: usize, n_levels: usize) -> Self {
        let levels = || Levels::new(n_features, n_levels);
        Self { directions: [levels(), levels(), levels()], any: levels(), n_tested: [0; 3] }
    }

    /// Adds the hits of one repeat, by direction; features ascending.
    pub(super) fn add(&mut self, hits: &[Vec<Hit>; 3]) {
        for direction in Direction::ALL {
            hits[direction as usize].iter().for_each(|&hit| self.directions[direction as usize].add(hit));
        }
        let mut all: Vec<Hit> = hits.concat();
        // the highest level of each feature first
        all.sort_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1)));
        all.dedup_by_key(|hit| hit.0);
        all.into_iter().for_each(|hit| self.any.add(hit));
    }
}

/// What differs in training and in test cells, with one sign, by more than the first fold change.
///
/// Lists ascend by feature; thresholds are log₂ and ascend. The fold change of a hit is the mean of both.
pub(super) fn agreed(train: &[(u32, f64)], test: &[(u32, f64)], thresholds: &[f64]) -> Vec<Hit> {
    let mut rest = test;
    let mut hits = Vec::new();
    for &(feature, fold) in train {
        rest = &rest[rest.partition_point(|(other, _)| *other < feature)..];
        let Some(&(_, other)) = rest.first().filter(|(other, _)| *other == feature) else { continue };
        let smaller = fold.abs().min(other.abs());
        let level = thresholds.partition_point(|&threshold| threshold < smaller);
        if level > 0 && (fold > 0.0) == (other > 0.0) {
            hits.push((feature, level, f64::midpoint(fold, other)));
        }
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_needs_both_parts_one_sign_and_more_than_the_threshold() {
        let train = [(1, 2.0), (2, 2.0), (3, -2.0), (5, 1.0), (7, -3.5), (8, f64::NAN)];
        let test = [(0, 9.0), (2, 2.6), (3, 2.0), (5, 4.0), (7, -2.5), (8, 2.0)];
        assert_eq!(agreed(&train, &test, &[1.0, 2.0, 2.4]), [(2, 1, 2.3), (7, 3, -3.0)]);
    }

    #[test]
    fn repeats_are_counted_down_from_the_highest_level() {
        let mut tally = Tally::new(9, 3);
        tally.add(&[vec![(4, 3, 2.0)], vec![(4, 1, -1.0), (8, 2, 1.0)], vec![]]);
        tally.add(&[vec![(4, 1, 1.0)], vec![], vec![]]);
        let negative = &tally.directions[0];
        assert_eq!(negative.features(), [(4, 0)]);
        assert_eq!((negative.repeats(0), negative.repeats_at(0, 1), negative.folds(0)), (vec![2, 1, 1], 1, (1.5, 2)));
        let centre = &tally.directions[1];
        assert_eq!((centre.repeats(0), centre.folds(0)), (vec![1, 0, 0], (-1.0, 0)));
        assert_eq!(centre.features(), [(4, 0), (8, 1)]);
        // any direction: two repeats of feature 4, not three
        assert_eq!((tally.any.repeats(0), tally.any.repeats(1)), (vec![2, 1, 1], vec![1, 1, 0]));
    }
}
