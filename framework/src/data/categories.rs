//! The categories of cells that networks are told: the values of a condition's column as codes.

use super::{Classes, Cohort, Observations};
use crate::spec::{ConditionSpec, Experiment};
use anyhow::{Result, bail};

/// The category of each cell of a data set in one condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellCategories {
    /// Name of the condition in the spec.
    pub condition: String,
    /// Its column of obs.
    pub column: String,
    /// Indices of the modalities whose networks are told.
    pub modalities: Vec<usize>,
    /// Place of each cell's category among those that the model knows; −1 where the column has no value.
    pub codes: Vec<i64>,
}

impl CellCategories {
    /// The categories of cells in every condition of an experiment; a column that was not read has no values.
    ///
    /// # Errors
    /// When a value is no category that the cohort knows.
    pub fn all(
        experiment: &Experiment,
        cohort: &Cohort,
        cells: &[String],
        observations: &Observations,
    ) -> Result<Vec<CellCategories>> {
        let mut all = Vec::new();
        for ((name, spec), known) in experiment.conditions.iter().zip(&cohort.conditions) {
            let labels = observations.column(&known.column).map_or_else(|_| vec![None; cells.len()], <[_]>::to_vec);
            let codes = known.codes(&labels);
            ensure_known(name, known, (cells, &labels, &codes))?;
            let modalities = modalities_of(experiment, spec);
            all.push(CellCategories { condition: name.clone(), column: known.column.clone(), modalities, codes });
        }
        Ok(all)
    }
}

fn modalities_of(experiment: &Experiment, spec: &ConditionSpec) -> Vec<usize> {
    spec.modalities.iter().filter_map(|name| experiment.modalities.get_index_of(name)).collect()
}

fn ensure_known(
    condition: &str,
    known: &Classes,
    (cells, labels, codes): (&[String], &[Option<String>], &[i64]),
) -> Result<()> {
    let unknown = |((cell, label), code): ((&String, &Option<String>), &i64)| {
        label.as_ref().filter(|_| *code < 0).map(|label| (cell.clone(), label.clone()))
    };
    if let Some((cell, label)) = cells.iter().zip(labels).zip(codes).find_map(unknown) {
        bail!(
            "the cell `{cell}` is `{label}` in the column `{}` of obs, which no training cell is (condition `{condition}`); \
             categories: {}",
            known.column,
            known.names.join(", ")
        );
    }
    Ok(())
}
