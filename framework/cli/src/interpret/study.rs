//! One space explained by one table of features.

use super::features::FeatureTable;
use super::findings::{ComponentFindings, Curve, Feature, GroupFindings, RankedFeature, SetFindings, SpaceFindings};
use super::gene_sets::PlacedSets;
use super::spaces::SpaceOfCells;
use crate::evaluate::{ids, select};
use analysis::{
    Against, CellSplit, ComponentBins, Direction, DirectionCount, Explained, FeatureScale, GroupTests, Interpretation,
    InterpretationSpec, Matrix, Pca, PcaSpec, Solver, group_tests, interpret,
};
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// Curves that are kept of each component.
const N_CURVES: usize = 15;
/// Features that are kept of each group for files that scanpy reads.
const N_RANKED: usize = 100;
/// Share of the cells, or of the groups of cells, that each split holds out.
const TEST_SHARE: f64 = 0.2;

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
    sets: Option<&PlacedSets>,
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
        sets: sets.map_or(Ok(Vec::new()), |sets| over_represented(&listed, sets, &table.names))?,
        names: table.names.clone(),
        t,
    }))
}

/// Sets over-represented among features.
fn over_represented(listed: &[usize], sets: &PlacedSets, names: &[String]) -> Result<Vec<SetFindings>> {
    if listed.is_empty() {
        return Ok(Vec::new());
    }
    let found = analysis::over_representation(listed, &sets.members, names.len())?
        .into_iter()
        .filter(|one| !one.overlap.is_empty())
        .map(|one| SetFindings {
            set: sets.names[one.set].clone(),
            n_set: one.n_set,
            overlap: one.overlap.iter().map(|&feature| names[feature].clone()).collect(),
            enrichment: one.fold_enrichment,
            p: one.p,
            q: one.q,
        });
    Ok(most_significant_first(found))
}

fn most_significant_first(found: impl Iterator<Item = SetFindings>) -> Vec<SetFindings> {
    let mut found: Vec<SetFindings> = found.collect();
    found.sort_by(|left, right| left.p.total_cmp(&right.p).then(left.set.cmp(&right.set)));
    found
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
        let draw = |repeat: usize| match &self.groups {
            None => CellSplit::random(self.known.len(), TEST_SHARE, repeat as u64),
            Some(groups) => {
                let n_groups = groups.iter().collect::<std::collections::BTreeSet<_>>().len();
                let n_held_out = ((n_groups as f64 * TEST_SHARE).round() as usize).max(1);
                CellSplit::by_group(groups, n_held_out, repeat as u64)
            }
        };
        (0..study.n_repeats).map(|repeat| draw(repeat).map(of_rows)).collect()
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

    fn components(&self, sets: Option<&PlacedSets>) -> Result<(Vec<ComponentFindings>, Vec<Vec<f64>>)> {
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
            if let (Some(sets), Some(tests)) = (sets, &tests) {
                findings.ranked_sets = self.ranked_sets(&tests[Direction::PositiveEnd as usize].t, sets)?;
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

    fn ranked_sets(&self, t: &[f64], sets: &PlacedSets) -> Result<Vec<SetFindings>> {
        ensure!(t.iter().all(|t| t.is_finite()), "a t is not finite");
        let found = analysis::preranked(t, &sets.members, &analysis::PrerankedSpec::default())?;
        let named = |one: analysis::Enriched| SetFindings {
            set: sets.names[one.set].clone(),
            n_set: one.size,
            overlap: one.leading_edge.iter().map(|&feature| self.table.names[feature].clone()).collect(),
            enrichment: one.nes.unwrap_or(one.es),
            p: one.p,
            q: one.q,
        };
        Ok(most_significant_first(found.into_iter().map(named)))
    }
}
