//! One space explained by one table of features.

use super::features::FeatureTable;
use super::findings::{ComponentFindings, Curve, Feature, GroupFindings, RankedFeature, SetFindings, SpaceFindings};
use super::set_tests::PlacedSets;
use super::spaces::SpaceOfCells;
use super::splits::splits;
use crate::evaluate::{ids, select};
use analysis::{
    Against, CellSplit, ComponentBins, Direction, DirectionCount, Explained, FeatureScale, GroupTests, Interpretation,
    InterpretationSpec, Matrix, Pca, PcaSpec, Solver, group_tests, interpret,
};
use anyhow::{Context, Result};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// Curves that are kept of each component.
const N_CURVES: usize = 15;
/// Features that are kept of each group for files that scanpy reads.
const N_RANKED: usize = 100;

/// How spaces are interpreted.
#[derive(Debug)]
pub struct Study<'a> {
    /// The procedure; `values` and `scale` are those of each table of features.
    pub spec: InterpretationSpec,
    /// What is done to features first, where it is not the table's own.
    pub scale: Option<FeatureScale>,
    /// How curves are counted.
    pub count: DirectionCount,
    /// Number of splits.
    pub n_repeats: usize,
    /// Splits that must agree before a feature is listed.
    pub min_repeats: usize,
    /// Fold change that must be exceeded, at least the first of `spec.thresholds`.
    pub fold_change: f64,
    /// The group of each cell of the data set that is held out as a whole; `None` for cells that are left out.
    pub groups: Option<&'a [Option<u32>]>,
}

/// Explains a space by features, and by sets of them; `None` where too few cells have both.
///
/// # Errors
/// When numbers are not finite, or the space does not vary.
pub fn interpret_space(
    study: &Study<'_>,
    space: &SpaceOfCells,
    table: &FeatureTable,
    sets: &[PlacedSets],
) -> Result<Option<SpaceFindings>> {
    let Some(joined) = Joined::of(space, table, study.groups)? else { return Ok(None) };
    let matrix = table.matrix()?;
    let splits = joined.splits(study)?;
    let spec =
        InterpretationSpec { values: table.values, scale: study.scale.unwrap_or(table.scale), ..study.spec.clone() };
    let found = interpret(&joined.rows, &matrix, &splits, &spec)?;
    let part = Part { study, table, matrix: &matrix, joined: &joined, spec: &spec, found: &found };
    let (components, t) = part.components(sets)?;
    let counts = found.n_directions_by_feature(part.threshold()?, study.min_repeats);
    let mut explained: Vec<(String, u32)> =
        table.names.iter().cloned().zip(counts.iter().copied()).filter(|(_, n)| *n > 0).collect();
    explained.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(&right.0)));
    let listed: Vec<usize> = (0..counts.len()).filter(|&feature| counts[feature] > 0).collect();
    Ok(Some(SpaceFindings {
        space: space.name.clone(),
        latent: space.space.clone(),
        is_shared: space.modalities.len() > 1,
        features: table.name.clone(),
        n_cells: joined.known.len(),
        n_features: table.names.len(),
        dim: space.dim(),
        thresholds: found.thresholds.clone(),
        curve_maximum: found.curve_maximum(study.count),
        components,
        explained,
        sets: each_kind(sets, |sets| sets.over_represented(&listed, &table.names))?,
        names: table.names.clone(),
        t,
    }))
}

/// What was found of each kind of sets, one after the other.
fn each_kind(sets: &[PlacedSets], test: impl Fn(&PlacedSets) -> Result<Vec<SetFindings>>) -> Result<Vec<SetFindings>> {
    Ok(sets.iter().map(test).collect::<Result<Vec<_>>>()?.concat())
}

/// Rows of a space in the order of a table's rows; zeros where a cell has none, and then no split names it.
struct Joined {
    rows: Tensor,
    known: Vec<usize>,
    groups: Option<Vec<u32>>,
}

impl Joined {
    fn of(space: &SpaceOfCells, table: &FeatureTable, groups: Option<&[Option<u32>]>) -> Result<Option<Joined>> {
        let row_of: HashMap<usize, usize> = table.row_of();
        let is_grouped = |cell: usize| groups.is_none_or(|groups| groups[cell].is_some());
        let both: Vec<(usize, usize)> = (space.cells.iter().enumerate())
            .filter(|(_, cell)| is_grouped(**cell))
            .filter_map(|(place, cell)| Some((place, *row_of.get(cell)?)))
            .collect();
        if both.len() < 2 {
            return Ok(None);
        }
        let (own, known): (Vec<usize>, Vec<usize>) = both.into_iter().unzip();
        let of_cell: HashMap<usize, usize> = row_of.into_iter().map(|(cell, row)| (row, cell)).collect();
        let groups = groups.map(|groups| known.iter().filter_map(|row| groups[of_cell[row]]).collect());
        let dim = space.rows.size()[1];
        let mut rows = Tensor::zeros([table.cells.len() as i64, dim], (Kind::Double, space.rows.device()));
        let _ = rows.f_index_copy_(0, &ids(&known), &select(&space.rows, &own))?;
        Ok(Some(Joined { rows, known, groups }))
    }

    fn splits(&self, study: &Study<'_>) -> Result<Vec<CellSplit>> {
        let of_rows = |split: CellSplit| CellSplit {
            train: split.train.iter().map(|&place| self.known[place]).collect(),
            test: split.test.iter().map(|&place| self.known[place]).collect(),
        };
        let splits = splits(self.known.len(), self.groups.as_deref(), study.n_repeats)?;
        Ok(splits.into_iter().map(of_rows).collect())
    }
}

struct Part<'a> {
    study: &'a Study<'a>,
    table: &'a FeatureTable,
    matrix: &'a Matrix<'a>,
    joined: &'a Joined,
    spec: &'a InterpretationSpec,
    found: &'a Interpretation,
}

impl Part<'_> {
    /// Place of the fold change that must be exceeded.
    fn threshold(&self) -> Result<usize> {
        let wanted = self.study.fold_change - 1e-9;
        let place = self.found.thresholds.iter().position(|fold| *fold >= wanted);
        place.context("the fold change is beyond the last one of the curves")
    }

    fn components(&self, sets: &[PlacedSets]) -> Result<(Vec<ComponentFindings>, Vec<Vec<f64>>)> {
        let n = self.found.n_components();
        let space = Matrix::dense(&self.joined.rows)?;
        let pca = Pca::fit(&space, &self.joined.known, PcaSpec { n_components: n, seed: 0, solver: Solver::Exact })?;
        let scores = pca.transform(&space, &self.joined.known)?;
        let flat = Vec::<f64>::try_from(scores.to_kind(Kind::Double).contiguous().view(-1))?;
        let listed = self.found.explained(self.threshold()?, self.study.min_repeats);
        let (mut all, mut t) = (Vec::new(), Vec::new());
        for component in 0..n {
            let bins = ComponentBins::fit(&scores, component, self.spec.bins)?;
            let groups = self.groups(&bins, &flat, n, component);
            let tests = self.tests(&groups)?;
            let mut findings = ComponentFindings::new(component, self.found.components[component]);
            findings.groups = (Direction::ALL.into_iter().zip(&groups))
                .map(|(direction, cells)| {
                    let test = tests.as_ref().map(|tests| &tests[direction as usize]);
                    let is_it = |one: &&Explained| one.component == component && one.direction == direction;
                    GroupFindings {
                        direction: direction.name().to_owned(),
                        n_cells: cells.len(),
                        n_tested: self.found.components[component].n_tested[direction as usize],
                        features: self.features(listed.iter().filter(is_it), test),
                        ranked: test.map_or_else(Vec::new, |test| self.ranked(test)),
                    }
                })
                .collect();
            findings.curves = self.curves(component);
            if let Some(tests) = &tests {
                let t = &tests[Direction::PositiveEnd as usize].t;
                findings.ranked_sets = each_kind(sets, |sets| sets.ranked(t, &self.table.names))?;
            }
            let positive = |tests: Vec<GroupTests>| tests.into_iter().nth(Direction::PositiveEnd as usize);
            t.push(tests.and_then(positive).map_or_else(Vec::new, |test| test.t));
            all.push(findings);
        }
        Ok((all, t))
    }

    /// Listed features by name: those that most splits agree on first, then those of the largest fold change.
    fn features<'e>(&self, listed: impl Iterator<Item = &'e Explained>, test: Option<&GroupTests>) -> Vec<Feature> {
        let named = |one: &Explained| Feature {
            feature: self.table.names[one.feature].clone(),
            n_repeats: one.n_repeats,
            log2_fold_change: one.mean_log2_fold_change,
            q: test.map(|test| test.q[one.feature]),
        };
        let mut features: Vec<Feature> = listed.map(named).collect();
        let size = |feature: &Feature| feature.log2_fold_change.abs();
        features.sort_by(|left, right| right.n_repeats.cmp(&left.n_repeats).then(size(right).total_cmp(&size(left))));
        features
    }

    /// Rows of the table in each direction of a component, over all cells.
    fn groups(&self, bins: &ComponentBins, scores: &[f64], n: usize, component: usize) -> Vec<Vec<usize>> {
        let mut groups = vec![Vec::new(); Direction::ALL.len()];
        for (&row, cell) in self.joined.known.iter().zip(scores.chunks_exact(n)) {
            let direction = bins.direction(bins.bin(cell[component]));
            if let Some(direction) = direction.filter(|_| bins.is_centre(cell)) {
                groups[direction as usize].push(row);
            }
        }
        groups
    }

    /// The tests of the three groups over all cells; `None` where one is too small, or values may be below 0.
    fn tests(&self, groups: &[Vec<usize>]) -> Result<Option<Vec<GroupTests>>> {
        if groups.iter().any(|group| group.len() < 2) || self.spec.scale == FeatureScale::Range {
            return Ok(None);
        }
        group_tests(self.matrix, groups, Against::OtherGroups, self.table.values).map(Some)
    }

    /// The curves with the largest areas; of equal ones those of features with the largest fold change.
    fn curves(&self, component: usize) -> Vec<Curve> {
        let counts = Direction::ALL.map(|direction| self.found.counts(component, direction));
        let mut folds: HashMap<usize, f64> = HashMap::new();
        for count in counts.iter().flatten() {
            let largest = folds.entry(count.feature).or_default();
            *largest = largest.max(count.mean_log2_fold_change.abs());
        }
        let fold = |feature: usize| folds.get(&feature).copied().unwrap_or_default();
        let mut curves = self.found.curves(component, self.study.count);
        curves.sort_by(|left, right| {
            right.area.total_cmp(&left.area).then(fold(right.feature).total_cmp(&fold(left.feature)))
        });
        curves.into_iter().take(N_CURVES).map(|curve| Curve::of(curve, &self.table.names)).collect()
    }

    fn ranked(&self, test: &GroupTests) -> Vec<RankedFeature> {
        let mut order: Vec<usize> = (0..test.t.len()).collect();
        order.sort_by(|&left, &right| test.t[right].total_cmp(&test.t[left]).then(left.cmp(&right)));
        let of = |&feature: &usize| RankedFeature {
            feature: self.table.names[feature].clone(),
            t: test.t[feature],
            p: test.p[feature],
            q: test.q[feature],
            log2_fold_change: test.log2_fold_change[feature],
        };
        order.iter().take(N_RANKED).map(of).collect()
    }
}
