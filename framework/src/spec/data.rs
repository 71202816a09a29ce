//! `[data]`: where the cells are and how they are divided.

use crate::component::{Problem, Spec, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which cells take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellSet {
    /// Cells measured by every modality.
    Intersection,
    /// Cells measured by any modality; what a cell lacks is masked.
    #[default]
    Union,
}

/// The cells and their division into training, validation and test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataSpec {
    /// The file that holds the modalities (.h5mu, or .h5ad for one); a modality's own `path` wins. Relative to the spec.
    pub path: Option<PathBuf>,
    /// Column of obs with the cells' labels, for stratified splits and for the probes of the evaluation.
    pub label: Option<String>,
    /// Which cells take part.
    pub cells: CellSet,
    /// Rounds of filtering: features seen in too few cells go, then cells with too few features, then the cells that any
    /// modality dropped (Zhang et al. 2026 use two).
    pub filter_rounds: usize,
    /// How cells are divided.
    pub split: SplitSpec,
}

impl Default for DataSpec {
    fn default() -> Self {
        DataSpec { path: None, label: None, cells: CellSet::Union, filter_rounds: 2, split: SplitSpec::default() }
    }
}

impl Spec for DataSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        require(&mut problems, self.filter_rounds <= 100, "filter_rounds", "must be at most 100");
        let split = &self.split;
        for (key, share) in [("split.test", split.test), ("split.validation", split.validation)] {
            require(&mut problems, (0.0..1.0).contains(&share), key, format!("is {share}, but must be in [0, 1)"));
        }
        let share = split.training_share;
        let is_share = share > 0.0 && share <= 1.0;
        require(&mut problems, is_share, "split.training_share", format!("is {share}, but must be in (0, 1]"));
        require(
            &mut problems,
            split.test + split.validation < 1.0,
            "split.test",
            "and `split.validation` leave no cells to train on",
        );
        require(
            &mut problems,
            split.column.is_none() || (split.stratify_by.is_none() && split.group_by.is_none()),
            "split.column",
            "names the split of every cell, so `stratify_by` and `group_by` have nothing to do",
        );
        require(
            &mut problems,
            split.stratify_by.is_none() || split.group_by.is_none(),
            "split.group_by",
            "and `stratify_by` cannot be used together",
        );
        problems
    }
}

/// How cells are divided: at random (by default) or as a column of obs says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SplitSpec {
    /// Share of the cells kept for the evaluation, in [0, 1).
    pub test: f64,
    /// Share of the cells used to choose when to stop, in [0, 1).
    pub validation: f64,
    /// Seed of the division; the experiment's seed where it is not given.
    pub seed: Option<u64>,
    /// Column of obs whose classes are divided in equal shares.
    pub stratify_by: Option<String>,
    /// Column of obs whose classes (donors, wells) are never divided.
    pub group_by: Option<String>,
    /// Column of obs that says `train`, `validation` (or `val`), `test` or `unused` for every cell.
    pub column: Option<String>,
    /// Share of the training cells that are learned from, in (0, 1]; the others take no part. The cells of a smaller share
    /// are among those of a larger one, and validation and test cells stay the same.
    pub training_share: f64,
}

impl Default for SplitSpec {
    fn default() -> Self {
        SplitSpec {
            test: 0.15,
            validation: 0.05,
            seed: None,
            stratify_by: None,
            group_by: None,
            column: None,
            training_share: 1.0,
        }
    }
}
