//! Welch's t-test of each feature of a group of cells against a reference, and fold changes.

use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::Serialize;

use super::spec::{FeatureScale, Values};
use super::sums::{Entries, GroupSums, Moments, ReferenceSums, check_amounts, check_cells};
use crate::distributions::{normal_quantile, t_both_tails};
use crate::matrix::Matrix;
use crate::multiple_testing::benjamini_hochberg;

/// What is added to amounts before their ratio is taken; scanpy's.
const SMALL_AMOUNT: f64 = 1e-9;
/// Critical values are good to this part.
const ROUNDING: f64 = 1e-12;

/// Every feature of one group against its reference; one entry per feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupTests {
    /// Welch's t: (mean − reference mean) / √(s² / n + s₀² / n₀); 0 where neither side varies and the means are equal.
    pub t: Vec<f64>,
    /// Two-sided p-value, Welch–Satterthwaite degrees of freedom; 1 where t is 0 for want of variation.
    pub p: Vec<f64>,
    /// False discovery rates ([`benjamini_hochberg`]) over the features of this group.
    pub q: Vec<f64>,
    /// Fold change of the means as [`Values`] has it, log₂.
    pub log2_fold_change: Vec<f64>,
    /// Mean of the group.
    pub mean: Vec<f64>,
    /// Mean of the reference.
    pub reference_mean: Vec<f64>,
}

/// What groups of cells are compared with.
#[derive(Clone, Copy, Debug)]
pub enum Against<'a> {
    /// The cells of the other groups.
    OtherGroups,
    /// Those of these cells that are not in the group; all cells of the groups must be among them.
    Rest(&'a [usize]),
}

/// Tests every feature of each group of cells, in one pass over the entries of the cells named.
///
/// Values, p-values and fold changes are those of scanpy 1.11 `tl.rank_genes_groups` with `method="t-test"`; with
/// [`Against::Rest`] of all cells those of its `reference="rest"`.
///
/// # Errors
/// When a group or its reference has fewer than two cells, a cell does not exist or is in two groups, entries were not
/// measured, or a value is below 0.
pub fn group_tests(
    features: &Matrix,
    groups: &[Vec<usize>],
    against: Against,
    values: Values,
) -> Result<Vec<GroupTests>> {
    check_groups(groups, against, features.n_rows())?;
    let entries = Entries::of(features)?;
    check_amounts(&entries)?;
    let sums: Vec<GroupSums> = groups.par_iter().map(|cells| GroupSums::of(&entries, cells)).collect();
    let all = match against {
        Against::OtherGroups => None,
        Against::Rest(cells) => Some(GroupSums::of(&entries, cells)),
    };
    let amounts = Amounts::as_they_are(values);
    let table = |group| {
        let reference = reference_of(&sums, group, all.as_ref());
        ensure!(
            sums[group].n > 1 && reference.n() > 1,
            "group {group} has {} cells and its reference {}; a t-test needs two or more of each",
            sums[group].n,
            reference.n()
        );
        Ok(Comparison { entries: &entries, group: &sums[group], reference, amounts: &amounts }.table())
    };
    // all, so that of several errors the first is told
    let tables: Vec<Result<GroupTests>> = (0..groups.len()).into_par_iter().map(table).collect();
    tables.into_iter().collect()
}

fn check_groups(groups: &[Vec<usize>], against: Against, n_cells: usize) -> Result<()> {
    let mut owner = vec![None; n_cells];
    for (group, cells) in groups.iter().enumerate() {
        check_cells(cells, n_cells, "a group")?;
        for &cell in cells {
            ensure!(owner[cell].is_none(), "cell {cell} is named twice; expected each cell in one group, once");
            owner[cell] = Some(group);
        }
    }
    if let Against::Rest(all) = against {
        check_cells(all, n_cells, "the rest")?;
        let mut n_met = vec![0usize; n_cells];
        all.iter().for_each(|&cell| n_met[cell] += 1);
        let wrong = (0..n_cells).find(|&cell| n_met[cell] > 1 || n_met[cell] == 0 && owner[cell].is_some());
        ensure!(
            wrong.is_none(),
            "cell {} is in the rest twice, or in a group and not among the cells of the rest; expected each cell once",
            wrong.unwrap_or_default()
        );
    }
    Ok(())
}

/// The cells that a group is compared with: those of all others, or all that there are less its own.
pub(super) fn reference_of<'a>(groups: &'a [GroupSums], group: usize, all: Option<&'a GroupSums>) -> ReferenceSums<'a> {
    match all {
        Some(all) => ReferenceSums { plus: vec![all], minus: Some(&groups[group]) },
        None => {
            let others = groups.iter().enumerate().filter(|(other, _)| *other != group);
            ReferenceSums { plus: others.map(|(_, sums)| sums).collect(), minus: None }
        }
    }
}

/// What fold changes are of.
pub(super) struct Amounts {
    values: Values,
    /// What is taken off each feature and what it is multiplied by then.
    affine: Option<Vec<(f64, f64)>>,
}

impl Amounts {
    /// Amounts of the means as they are.
    pub(super) fn as_they_are(values: Values) -> Self {
        Self { values, affine: None }
    }

    /// Amounts after a scale that is found on some cells.
    pub(super) fn scaled(values: Values, scale: FeatureScale, entries: &Entries, cells: &[usize]) -> Self {
        let inverse = |spread: f64| if spread > 0.0 { 1.0 / spread } else { 1.0 };
        let affine = match scale {
            FeatureScale::AsIs => None,
            FeatureScale::UnitVariance => {
                let sums = GroupSums::of(entries, cells);
                let features = 0..entries.n_features();
                Some(features.map(|at| (0.0, inverse(sums.moments(entries, at).variance.sqrt()))).collect())
            }
            FeatureScale::Range => {
                Some(entries.ranges(cells).into_iter().map(|(low, high)| (low, inverse(high - low))).collect())
            }
        };
        Self { values, affine }
    }

    fn log2_fold_change(&self, feature: usize, means: [f64; 2]) -> f64 {
        let amount = |mean: f64| {
            let mean = self.affine.as_ref().map_or(mean, |all| (mean - all[feature].0) * all[feature].1);
            SMALL_AMOUNT
                + match self.values {
                    Values::Log1p => mean.exp_m1(),
                    Values::Plain => mean,
                }
        };
        (amount(means[0]) / amount(means[1])).log2()
    }
}

/// One group, its reference, and what their fold changes are of.
pub(super) struct Comparison<'a> {
    pub(super) entries: &'a Entries<'a>,
    pub(super) group: &'a GroupSums,
    pub(super) reference: ReferenceSums<'a>,
    pub(super) amounts: &'a Amounts,
}

impl Comparison<'_> {
    fn moments(&self, feature: usize) -> [Moments; 2] {
        [self.group.moments(self.entries, feature), self.reference.moments(self.entries, feature)]
    }

    /// Whether there are cells enough on both sides.
    pub(super) fn is_possible(&self) -> bool {
        self.group.n > 1 && self.reference.n() > 1
    }

    fn log2_fold_change(&self, feature: usize) -> f64 {
        self.amounts.log2_fold_change(feature, self.moments(feature).map(|side| side.mean))
    }

    /// Everything there is to say of every feature.
    fn table(&self) -> GroupTests {
        let n = self.entries.n_features();
        let sides: Vec<[Moments; 2]> = (0..n).map(|feature| self.moments(feature)).collect();
        let tests: Vec<Welch> = sides.iter().map(|[group, reference]| Welch::of(group, reference)).collect();
        let p: Vec<f64> = tests.iter().map(Welch::p).collect();
        GroupTests {
            t: tests.iter().map(|test| if test.t.is_nan() { 0.0 } else { test.t }).collect(),
            q: benjamini_hochberg(&p),
            p,
            log2_fold_change: (0..n)
                .map(|at| self.amounts.log2_fold_change(at, sides[at].map(|side| side.mean)))
                .collect(),
            mean: sides.iter().map(|side| side[0].mean).collect(),
            reference_mean: sides.iter().map(|side| side[1].mean).collect(),
        }
    }

    /// The features whose false discovery rate is below the level, ascending, with their log₂ fold changes.
    ///
    /// P-values above the level change no rate that is below it, so they are not found: Student's t is above the normal
    /// distribution's |z| wherever p is below the level.
    pub(super) fn differing(&self, level: f64) -> Vec<(u32, f64)> {
        let least = normal_quantile(1.0 - level / 2.0) * (1.0 - ROUNDING);
        let mut found: Vec<(f64, u32)> = Vec::new();
        for feature in 0..self.entries.n_features() {
            let [group, reference] = self.moments(feature);
            let test = Welch::of(&group, &reference);
            if test.t.abs() >= least {
                let p = test.p();
                if p <= level {
                    found.push((p, feature as u32));
                }
            }
        }
        found.sort_unstable_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        let n_tests = self.entries.n_features() as f64;
        let rate = |rank: usize| found[rank].0 * n_tests / (rank + 1) as f64;
        let n_below = (0..found.len()).rfind(|&rank| rate(rank) < level).map_or(0, |last| last + 1);
        found.truncate(n_below);
        let mut features: Vec<u32> = found.into_iter().map(|(_, feature)| feature).collect();
        features.sort_unstable();
        features.into_iter().map(|feature| (feature, self.log2_fold_change(feature as usize))).collect()
    }
}

/// Welch's t of two sides with different variances.
struct Welch {
    /// NaN where neither side varies and the means are equal.
    t: f64,
    degrees: f64,
}

impl Welch {
    fn of(group: &Moments, reference: &Moments) -> Self {
        let (errors, difference) = ([group, reference].map(|side| side.variance / side.n), group.mean - reference.mean);
        let sum = errors[0] + errors[1];
        if sum == 0.0 {
            // 0 × ∞ is NaN; means of what does not vary are exact
            return Self { t: difference * f64::INFINITY, degrees: 1.0 };
        }
        let degrees = sum * sum / (errors[0].powi(2) / (group.n - 1.0) + errors[1].powi(2) / (reference.n - 1.0));
        Self { t: difference / sum.sqrt(), degrees }
    }

    fn p(&self) -> f64 {
        match self.t {
            t if t.is_nan() => 1.0,
            t if t.is_infinite() => 0.0,
            t => t_both_tails(t, self.degrees),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::SparseRows;
    use tch::Tensor;

    /// Ten cells in two groups of five: constant, shifted, different but constant, in one group only.
    fn features() -> Matrix<'static> {
        let rows = (0..10).flat_map(|cell| {
            let (second, step) = (f32::from(u8::from(cell >= 5)), (cell % 5) as f32);
            [0.7, step + second, second, second * step]
        });
        Matrix::dense(&Tensor::from_slice(&rows.collect::<Vec<f32>>()).view([10, 4])).unwrap()
    }

    fn halves() -> Vec<Vec<usize>> {
        vec![(0..5).collect(), (5..10).collect()]
    }

    #[test]
    fn tests_of_small_groups_are_those_of_the_formula() {
        let [first, second]: [GroupTests; 2] =
            group_tests(&features(), &halves(), Against::OtherGroups, Values::Plain).unwrap().try_into().unwrap();
        // constant: no difference; means 2 and 3, both variances 2.5: t = −1 / √(5 / 5), 8 degrees
        assert_eq!((first.t[0], first.p[0], first.t[2], first.p[2]), (0.0, 1.0, f64::NEG_INFINITY, 0.0));
        assert!((first.t[1] + 1.0).abs() < 1e-12 && (first.p[1] - t_both_tails(1.0, 8.0)).abs() < 1e-12);
        assert_eq!((first.mean[1], first.reference_mean[1]), (2.0, 3.0));
        assert!((first.log2_fold_change[1] - (2f64 / 3.0).log2()).abs() < 1e-8);
        assert!((second.log2_fold_change[3] - (2f64 / 1e-9).log2()).abs() < 1e-6);
        assert!(first.t.iter().zip(&second.t).all(|(a, b)| a + b == 0.0 || (a.is_infinite() && *a == -b)));
        assert_eq!(first.q, benjamini_hochberg(&first.p));
    }

    #[test]
    fn what_does_not_vary_differs_for_certain_or_not_at_all() {
        // sums of squares are rounded, to either side; the first feature is the same in all cells, the others in a group
        let values: Vec<f32> = (0..100)
            .flat_map(|cell| {
                [0.1, 0.3, 0.7, 1.9].map(|value| if cell < 37 || value == 0.1 { value } else { value / 3.0 })
            })
            .collect();
        let (indptr, indices) = ((0..=100).map(|cell| 4 * cell).collect::<Vec<u64>>(), [0, 1, 2, 3].repeat(100));
        let features = SparseRows::new(&indptr, &indices, &values, 4).unwrap().into();
        let groups = [(0..37).collect(), (37..100).collect()];
        let found = group_tests(&features, &groups, Against::OtherGroups, Values::Plain).unwrap();
        for (group, t) in found.iter().zip([f64::INFINITY, f64::NEG_INFINITY]) {
            assert_eq!(
                (group.t.as_slice(), group.p.as_slice()),
                ([0.0, t, t, t].as_slice(), [1.0, 0.0, 0.0, 0.0].as_slice())
            );
        }
    }

    #[test]
    fn the_rest_is_what_the_group_leaves() {
        let (features, all) = (features(), (0..10).collect::<Vec<_>>());
        let others = group_tests(&features, &halves(), Against::OtherGroups, Values::Log1p).unwrap();
        let rest = group_tests(&features, &halves(), Against::Rest(&all), Values::Log1p).unwrap();
        for (others, rest) in others.iter().zip(&rest) {
            assert_eq!(others.p[0], rest.p[0]);
            for feature in 1..4 {
                assert!((others.p[feature] - rest.p[feature]).abs() < 1e-12);
                assert!((others.mean[feature] - rest.mean[feature]).abs() < 1e-12);
            }
        }
        let some = group_tests(&features, &[vec![0, 1]], Against::Rest(&all), Values::Plain).unwrap();
        assert!((some[0].reference_mean[1] - 3.0).abs() < 1e-12);
    }

    #[test]
    fn groups_that_cannot_be_tested_are_explained() {
        let of = |groups: &[Vec<usize>], against| {
            group_tests(&features(), groups, against, Values::Plain).unwrap_err().to_string()
        };
        assert!(of(&[vec![0], vec![1, 2]], Against::OtherGroups).contains("group 0 has 1 cells"));
        assert!(of(&[vec![0, 1]], Against::OtherGroups).contains("its reference 0"));
        assert!(of(&[vec![0, 1], vec![1, 2]], Against::OtherGroups).contains("cell 1 is named twice"));
        assert!(of(&[vec![0, 10]], Against::OtherGroups).contains("cell 10"));
        assert!(of(&[vec![0, 1]], Against::Rest(&[0, 2, 3])).contains("cell 1 is in the rest twice"));
        let negative = Matrix::dense(&Tensor::from_slice(&[1.0, -1.0, 1.0, 0.0]).view([4, 1])).unwrap();
        let failure = group_tests(&negative, &[vec![0, 1], vec![2, 3]], Against::OtherGroups, Values::Plain);
        assert!(failure.unwrap_err().to_string().contains("feature 0 of cell 1 is below 0"));
    }

    #[test]
    fn features_below_the_level_are_those_of_the_whole_table() {
        // 400 features, of which every eighth is shifted by more and more
        let (n, m) = (40usize, 400usize);
        let mut state = 1u64;
        let mut draw = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1 << 24) as f32
        };
        let values: Vec<f32> = (0..n * m)
            .map(|at| {
                let (cell, feature) = (at / m, at % m);
                draw() + if cell < 20 && feature % 8 == 0 { feature as f32 / m as f32 } else { 0.0 }
            })
            .collect();
        let features = Matrix::dense(&Tensor::from_slice(&values).view([n as i64, m as i64])).unwrap();
        let entries = Entries::of(&features).unwrap();
        let sums = [
            GroupSums::of(&entries, &(0..20).collect::<Vec<_>>()),
            GroupSums::of(&entries, &(20..40).collect::<Vec<_>>()),
        ];
        let amounts = Amounts::as_they_are(Values::Plain);
        let reference = reference_of(&sums, 0, None);
        let comparison = Comparison { entries: &entries, group: &sums[0], reference, amounts: &amounts };
        let table = comparison.table();
        for level in [1e-6, 0.01, 0.05, 0.2, 0.9] {
            let expected: Vec<(u32, f64)> = (0..m)
                .filter(|&feature| table.q[feature] < level)
                .map(|feature| (feature as u32, table.log2_fold_change[feature]))
                .collect();
            assert!(!expected.is_empty() && expected.len() < m);
            assert_eq!(comparison.differing(level), expected, "{level}");
        }
    }
}
