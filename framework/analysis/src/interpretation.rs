//! Which features a latent space knows of: what differs along its principal components, in repeat after repeat.
//!
//! Each repeat splits the cells. Principal components of the space are found on the training cells and cut into bins
//! ([`ComponentBins`]); near the axis of a component, cells of its negative end, centre and positive end are compared
//! feature by feature ([`group_tests`]). A feature qualifies where training and test cells agree.

mod bins;
mod components;
mod result;
mod spec;
mod sums;
mod tally;
mod welch;

use anyhow::{Result, ensure};
use rayon::prelude::*;
use tch::Tensor;

use crate::matrix::Matrix;
use crate::splits::CellSplit;
use components::{Basis, Scores, cells_of};
use sums::{Entries, GroupSums, check_amounts};
use tally::{Hit, Tally, agreed};
use welch::{Amounts, Comparison, reference_of};

pub use bins::{ComponentBins, Direction};
pub use result::{ComponentSummary, DirectionCount, Explained, FeatureCount, FeatureCurve, Interpretation};
pub use spec::{Alignment, BinSpec, CentreRule, FeatureScale, InterpretationSpec, Reference, Values, fold_changes};
pub use welch::{Against, GroupTests, group_tests};

/// Finds the features that differ along the principal components of a space.
///
/// In a repeat a feature qualifies for a direction of a component if its false discovery rate is below the level and
/// |log₂ fold change| above log₂ of a fold change, in the training *and* in the test cells, with one sign. Bins and centre
/// of the test cells are those of the training cells. Components of the space that do not vary are left out.
///
/// # Shapes
/// space: n_cells × n_dimensions; features: n_cells × n_features, sparse or dense; row `i` of both is one cell. Splits may
/// leave cells out.
///
/// # Errors
/// When the numbers of cells differ, there is no split, a cell does not exist, the space does not vary, entries were not
/// measured, or a value is below 0 and not brought to 0 … 1.
///
/// # Source
/// Zhang et al. 2026, Methods; where the authors' code does something else, that is a choice of the spec. Not followed:
/// cells beyond the training range all in the negative end, and components of repeats added up as they come
/// ([`Alignment::AsFound`] does).
pub fn interpret(
    space: &Tensor,
    features: &Matrix,
    splits: &[CellSplit],
    spec: &InterpretationSpec,
) -> Result<Interpretation> {
    spec.check()?;
    check_cells(space, features, splits)?;
    let entries = Entries::of(features)?;
    if spec.scale != FeatureScale::Range {
        check_amounts(&entries)?;
    }
    let basis = Basis::fit(space, splits, spec)?;
    let task = Task::new(&entries, splits, features.n_rows(), spec);
    let mut tallies: Vec<Tally> =
        (0..basis.n_components()).map(|_| Tally::new(entries.n_features(), spec.thresholds.len())).collect();
    let mut agreement = vec![0.0; basis.n_components()];
    for split in splits {
        let scores = basis.scores(split)?;
        agreement.iter_mut().zip(&scores.agreement).for_each(|(sum, r)| *sum += r / splits.len() as f64);
        let repeat = Repeat::new(&task, split, scores);
        tallies
            .par_iter_mut()
            .enumerate()
            .for_each_init(|| [const { Vec::new() }; 2], |room, (component, tally)| repeat.add(component, tally, room));
    }
    let summary = |at: usize| ComponentSummary {
        explained_variance_ratio: basis.explained_variance_ratio[at],
        agreement: agreement[at],
        n_tested: tallies[at].n_tested,
    };
    Ok(Interpretation {
        n_repeats: splits.len(),
        n_features: entries.n_features(),
        thresholds: spec.thresholds.clone(),
        components: (0..tallies.len()).map(summary).collect(),
        tallies,
    })
}

fn check_cells(space: &Tensor, features: &Matrix, splits: &[CellSplit]) -> Result<()> {
    let (n_cells, _) = crate::tensor::shape(space, "the space")?;
    ensure!(
        n_cells == features.n_rows(),
        "the space has {n_cells} cells and the features {}; expected the same cells in the same order",
        features.n_rows()
    );
    ensure!(features.n_columns() > 0, "there is no feature to test");
    let n = splits.len();
    ensure!((1..=usize::from(u16::MAX)).contains(&n), "{n} splits were given; expected 1 to 65535");
    splits.iter().try_for_each(|split| split.check(n_cells))
}

/// What is the same in all repeats.
struct Task<'a> {
    entries: &'a Entries<'a>,
    spec: &'a InterpretationSpec,
    /// log₂ of the fold changes to exceed.
    thresholds: Vec<f64>,
    /// Scaled by all cells, unless each part is by itself.
    amounts: Amounts,
}

impl<'a> Task<'a> {
    fn new(entries: &'a Entries<'a>, splits: &[CellSplit], n_cells: usize, spec: &'a InterpretationSpec) -> Self {
        let amounts = match spec.scale {
            FeatureScale::AsIs | FeatureScale::Range => Amounts::as_they_are(spec.values),
            FeatureScale::UnitVariance => Amounts::scaled(spec.values, spec.scale, entries, &cells_of(splits, n_cells)),
        };
        Self { entries, spec, thresholds: spec.thresholds.iter().map(|fold| fold.log2()).collect(), amounts }
    }
}

/// One split: its scores, and its training and test cells.
struct Repeat<'a> {
    task: &'a Task<'a>,
    scores: Scores,
    parts: [Part<'a>; 2],
}

/// The training or the test cells of a split.
struct Part<'a> {
    cells: &'a [usize],
    /// Of all cells of the part, where groups are compared with the rest.
    all: Option<GroupSums>,
    /// Scaled by the cells of the part, where each part is by itself.
    amounts: Option<Amounts>,
}

/// Sums of the three groups of a part, kept from component to component.
type Room = [Vec<GroupSums>; 2];

impl<'a> Repeat<'a> {
    fn new(task: &'a Task<'a>, split: &'a CellSplit, scores: Scores) -> Self {
        let (entries, spec) = (task.entries, task.spec);
        let part = |cells: &'a [usize]| Part {
            cells,
            all: (spec.reference == Reference::Rest).then(|| GroupSums::of(entries, cells)),
            amounts: (spec.scale == FeatureScale::Range)
                .then(|| Amounts::scaled(spec.values, spec.scale, entries, cells)),
        };
        Self { task, scores, parts: [part(&split.train), part(&split.test)] }
    }

    /// Adds what qualifies along one component.
    fn add(&self, component: usize, tally: &mut Tally, room: &mut Room) {
        let n_components = self.scores.agreement.len();
        let bins = ComponentBins::of(&self.scores.train, n_components, component, self.task.spec.bins);
        for ((part, sums), scores) in
            self.parts.iter().zip(room.iter_mut()).zip([&self.scores.train, &self.scores.test])
        {
            let groups = bins.groups(scores, n_components);
            sums.resize_with(3, GroupSums::default);
            for (sums, places) in sums.iter_mut().zip(groups) {
                let cells: Vec<usize> = places.into_iter().map(|place| part.cells[place]).collect();
                sums.fill(self.task.entries, &cells);
            }
        }
        let hits = Direction::ALL.map(|direction| self.hits(direction, room, &mut tally.n_tested));
        tally.add(&hits);
    }

    /// What qualifies in one direction.
    fn hits(&self, direction: Direction, room: &Room, n_tested: &mut [usize; 3]) -> Vec<Hit> {
        let group = direction as usize;
        let [train, test] = [0, 1].map(|at| Comparison {
            entries: self.task.entries,
            group: &room[at][group],
            reference: reference_of(&room[at], group, self.parts[at].all.as_ref()),
            amounts: self.parts[at].amounts.as_ref().unwrap_or(&self.task.amounts),
        });
        if !(train.is_possible() && test.is_possible()) {
            return Vec::new();
        }
        n_tested[group] += 1;
        let differing = train.differing(self.task.spec.level);
        if differing.is_empty() {
            return Vec::new();
        }
        agreed(&differing, &test.differing(self.task.spec.level), &self.task.thresholds)
    }
}
