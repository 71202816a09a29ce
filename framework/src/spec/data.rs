//! `[data]`: where the cells are and how they are divided.

use super::TableSpec;
use crate::Holding;
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

/// Where the values of matrices are while a model is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// In memory: 8 bytes per value that is not zero, 12 where there are steps.
    #[default]
    Memory,
    /// On disk, in a cache that is made once: memory follows the number of cells and of features, not of values. The
    /// numbers of the model are the same.
    Disk,
}

/// The cells and their division into training, validation and test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataSpec {
    /// The file that holds the modalities (.h5mu, or .h5ad for one; a 10x `.h5`, a MatrixMarket folder, a `.csv` or `.tsv`); a
    /// modality's own `path` wins. Relative to the spec.
    pub path: Option<PathBuf>,
    /// How separated text is understood; a modality's own `table` wins.
    pub table: Option<TableSpec>,
    /// More columns of obs: a `.csv` or `.tsv` (also `.gz`) with a cell in each row, its name first; they are joined by name, and win
    /// over columns of the same name. Relative to the spec.
    pub obs: Option<PathBuf>,
    /// Largest share of a modality's features that new data may lack, in [0, 1]; above it they are refused.
    pub max_missing: f64,
    /// Column of obs with the cells' labels, for stratified splits and for the probes of the evaluation.
    pub label: Option<String>,
    /// Which cells take part.
    pub cells: CellSet,
    /// Where the values of matrices are while a model is learned.
    pub storage: Storage,
    /// The folder of the cache of `storage = "disk"`, best on a fast disk; by default beside each data file, called like it
    /// with `.rows` at the end. Relative to the spec.
    pub cache: Option<PathBuf>,
    /// Rounds of filtering: features seen in too few cells go, then cells with too few features, then the cells that any
    /// modality dropped (Zhang et al. 2026 use two).
    pub filter_rounds: usize,
    /// How cells are divided.
    pub split: SplitSpec,
}

impl Default for DataSpec {
    fn default() -> Self {
        DataSpec {
            path: None,
            table: None,
            obs: None,
            max_missing: 0.5,
            label: None,
            cells: CellSet::Union,
            storage: Storage::Memory,
            cache: None,
            filter_rounds: 2,
            split: SplitSpec::default(),
        }
    }
}

impl DataSpec {
    /// Where the values of a matrix are held; in memory only if they need no more bytes than `max_memory`.
    pub fn holding(&self, max_memory: Option<u64>) -> Holding<'_> {
        match self.storage {
            Storage::Memory => Holding::Memory(max_memory),
            Storage::Disk => Holding::Disk(self.cache.as_deref()),
        }
    }
}

impl Spec for DataSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        require(&mut problems, self.filter_rounds <= 100, "filter_rounds", "must be at most 100");
        let max_missing = self.max_missing;
        let is_share = (0.0..=1.0).contains(&max_missing);
        require(&mut problems, is_share, "max_missing", format!("is {max_missing}, but must be in [0, 1]"));
        problems.extend(self.table.iter().flat_map(|table| table.problems("table")));
        require(
            &mut problems,
            self.cache.is_none() || self.storage == Storage::Disk,
            "cache",
            "is where `storage = \"disk\"` keeps values, but `storage` is `memory`",
        );
        let is_named = self.cache.as_ref().is_none_or(|path| !path.as_os_str().is_empty());
        require(&mut problems, is_named, "cache", "is empty, but must name a folder");
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
