//! What an interpretation found, and the ways to look at it.

use serde::Serialize;

use super::bins::Direction;
use super::tally::{Levels, Tally};

/// How repeats of the three directions of a component become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectionCount {
    /// Repeats in which a feature qualifies in any direction, at most all repeats (Zhang et al. 2026, Methods).
    #[default]
    Any,
    /// Repeats of all directions added up, at most three times all repeats (the authors' code: 108 of 36).
    Summed,
}

/// One principal component of the space.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ComponentSummary {
    /// Share of the variance of the space, over all cells of the splits.
    pub explained_variance_ratio: f64,
    /// Mean |r| over repeats of its loadings with those over all cells: 1 for a component that every repeat finds.
    pub agreement: f64,
    /// Repeats with two or more cells in the group and in its reference, in training and test cells, by
    /// [`Direction::ALL`]; in the others nothing could qualify.
    pub n_tested: [usize; 3],
}

/// A feature that qualifies in at least one repeat, in one direction of one component.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureCount {
    /// Column of the feature.
    pub feature: usize,
    /// Repeats in which it qualifies, one number for each fold change to exceed.
    pub repeats: Vec<u32>,
    /// Mean log₂ fold change, over training and test cells of those repeats in which it exceeds the first fold change.
    pub mean_log2_fold_change: f64,
    /// In how many of these the fold change is up.
    pub n_positive: usize,
}

/// A feature's curve of repeats over fold changes, of one component.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureCurve {
    /// Column of the feature.
    pub feature: usize,
    /// Repeats in which it qualifies, one number for each fold change to exceed.
    pub repeats: Vec<u32>,
    /// Sum of `repeats` times the step between fold changes (their mean step; 1 where there is one only).
    pub area: f64,
}

/// A feature that enough repeats agree on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The principal component, counted from 0.
    pub component: usize,
    /// The group along it.
    pub direction: Direction,
    /// Column of the feature.
    pub feature: usize,
    /// Repeats in which it qualifies.
    pub n_repeats: usize,
    /// As of [`FeatureCount::mean_log2_fold_change`].
    pub mean_log2_fold_change: f64,
}

/// Which features differ along the principal components of a space, and in how many repeats.
pub struct Interpretation {
    /// Random splits of the cells.
    pub n_repeats: usize,
    /// Features tested.
    pub n_features: usize,
    /// Fold changes to exceed, ascending.
    pub thresholds: Vec<f64>,
    /// One per component, most variance first.
    pub components: Vec<ComponentSummary>,
    pub(super) tallies: Vec<Tally>,
}

impl std::fmt::Debug for Interpretation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Interpretation of {} components × {} features", self.n_components(), self.n_features)
    }
}

impl Interpretation {
    /// Number of principal components.
    pub fn n_components(&self) -> usize {
        self.components.len()
    }

    /// Features that qualify at least once, ascending, in one direction of a component; none of a component that there is
    /// not.
    pub fn counts(&self, component: usize, direction: Direction) -> Vec<FeatureCount> {
        let Some(levels) = self.tallies.get(component).map(|tally| &tally.directions[direction as usize]) else {
            return Vec::new();
        };
        let count = |(feature, place)| {
            let (mean_log2_fold_change, n_positive) = levels.folds(place);
            FeatureCount { feature, repeats: levels.repeats(place), mean_log2_fold_change, n_positive }
        };
        levels.features().into_iter().map(count).collect()
    }

    /// Curves of the features that qualify at least once along a component, largest area first.
    pub fn curves(&self, component: usize, how: DirectionCount) -> Vec<FeatureCurve> {
        let Some(tally) = self.tallies.get(component) else { return Vec::new() };
        let summed = |feature: usize| {
            let mut repeats = vec![0; self.thresholds.len()];
            for levels in &tally.directions {
                if let Some(place) = levels.find(feature) {
                    repeats.iter_mut().zip(levels.repeats(place)).for_each(|(sum, n)| *sum += n);
                }
            }
            repeats
        };
        let curve = |(feature, place): (usize, usize)| {
            let repeats = match how {
                DirectionCount::Any => tally.any.repeats(place),
                DirectionCount::Summed => summed(feature),
            };
            let area = self.step() * repeats.iter().map(|&n| f64::from(n)).sum::<f64>();
            FeatureCurve { feature, repeats, area }
        };
        let mut curves: Vec<FeatureCurve> = tally.any.features().into_iter().map(curve).collect();
        curves.sort_by(|left, right| right.area.total_cmp(&left.area).then(left.feature.cmp(&right.feature)));
        curves
    }

    /// The most repeats that a curve can show.
    pub fn curve_maximum(&self, how: DirectionCount) -> usize {
        match how {
            DirectionCount::Any => self.n_repeats,
            DirectionCount::Summed => 3 * self.n_repeats,
        }
    }

    fn step(&self) -> f64 {
        match self.thresholds[..] {
            [first, .., last] => (last - first) / (self.thresholds.len() - 1) as f64,
            _ => 1.0,
        }
    }

    /// Features that exceed a fold change, given by its place, in at least so many repeats (published: 8 of 12 for images,
    /// 30 of 36 for peaks), by component, direction and feature. None for a place that there is not.
    pub fn explained(&self, threshold: usize, min_repeats: usize) -> Vec<Explained> {
        let mut found = Vec::new();
        for (component, tally) in self.tallies.iter().enumerate() {
            for direction in Direction::ALL {
                let levels = &tally.directions[direction as usize];
                found.extend(self.agreed(levels, threshold, min_repeats).map(|(feature, place)| Explained {
                    component,
                    direction,
                    feature,
                    n_repeats: levels.repeats_at(place, threshold),
                    mean_log2_fold_change: levels.folds(place).0,
                }));
            }
        }
        found
    }

    /// For each feature the number of (component, direction) pairs in which at least so many repeats agree: the numbers of
    /// the shared-versus-specific heat map.
    pub fn n_directions_by_feature(&self, threshold: usize, min_repeats: usize) -> Vec<u32> {
        let mut n = vec![0; self.n_features];
        let all = self.tallies.iter().flat_map(|tally| &tally.directions);
        all.flat_map(|levels| self.agreed(levels, threshold, min_repeats)).for_each(|(feature, _)| n[feature] += 1);
        n
    }

    /// Features, with their places, that enough repeats agree on.
    fn agreed<'a>(
        &self,
        levels: &'a Levels,
        threshold: usize,
        min_repeats: usize,
    ) -> impl Iterator<Item = (usize, usize)> + 'a {
        let met = if threshold < self.thresholds.len() { levels.features() } else { Vec::new() };
        met.into_iter().filter(move |(_, place)| levels.repeats_at(*place, threshold) >= min_repeats.max(1))
    }
}
