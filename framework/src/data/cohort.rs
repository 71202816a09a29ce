//! What a model knows of its training cells besides their measurements: how many there are, their labels, and the classes
//! of the covariates that latent spaces stand for.

use super::Observations;
use crate::CellFacts;
use crate::spec::Experiment;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// The classes of a covariate, in the order of its latent space's components.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// The column of obs.
    pub column: String,
    /// Names, ascending; then those added after learning.
    pub names: Vec<String>,
    /// How many were added after learning, for cells of classes that it had not seen.
    #[serde(default)]
    pub n_added: usize,
}

impl Classes {
    /// The class of each label; −1 for none and for unknown ones.
    pub fn codes(&self, labels: &[Option<String>]) -> Vec<i64> {
        let places: HashMap<&str, i64> =
            self.names.iter().zip(0..).map(|(name, place)| (name.as_str(), place)).collect();
        let code = |label: &Option<String>| label.as_ref().and_then(|label| places.get(label.as_str()).copied());
        labels.iter().map(|label| code(label).unwrap_or(-1)).collect()
    }
}

/// The cells that a model was learned from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cohort {
    /// Training cells.
    pub n_cells: usize,
    /// Distinct labels of the training cells, where the spec names a column of labels.
    pub n_labels: Option<usize>,
    /// The classes of the covariate of each latent space, in the order of the spec.
    pub classes: Vec<Option<Classes>>,
    /// The categories of each condition, in the order of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Classes>,
}

impl Cohort {
    /// Reads labels and classes of the training cells.
    ///
    /// # Errors
    /// When a covariate or a condition has no value in any training cell.
    pub fn of(experiment: &Experiment, observations: &Observations, training: &[usize]) -> Result<Cohort> {
        let distinct = |column: &str| -> Result<BTreeSet<&String>> {
            let labels = observations.column(column)?;
            Ok(training.iter().filter_map(|&cell| labels[cell].as_ref()).collect())
        };
        let label = experiment.data.label.as_deref();
        let n_labels = label.map(|column| distinct(column).map(|labels| labels.len())).transpose()?;
        let known = |column: &str| -> Result<Classes> {
            let names: Vec<String> = distinct(column)?.into_iter().cloned().collect();
            ensure!(!names.is_empty(), "no training cell has a value in the column `{column}` of obs");
            Ok(Classes { column: column.to_owned(), names, n_added: 0 })
        };
        let classes_of = |(space, entry): (&String, &crate::spec::LatentEntry)| {
            let classes = entry.covariate.as_deref().map(known).transpose();
            classes.with_context(|| format!("covariate of the latent space `{space}`"))
        };
        let classes = experiment.latents.iter().map(classes_of).collect::<Result<_>>()?;
        let categories_of = |(name, spec): (&String, &crate::spec::ConditionSpec)| {
            known(&spec.column).with_context(|| format!("condition `{name}`"))
        };
        let conditions = experiment.conditions.iter().map(categories_of).collect::<Result<_>>()?;
        Ok(Cohort { n_cells: training.len(), n_labels, classes, conditions })
    }

    /// What the prior of a latent space is told.
    pub fn facts(&self, space: usize) -> CellFacts {
        let classes = self.classes.get(space).and_then(Option::as_ref);
        CellFacts {
            n_cells: self.n_cells as i64,
            n_labels: self.n_labels.map(|n| n as i64),
            n_classes: classes.map(|classes| classes.names.len() as i64),
            n_added: classes.map_or(0, |classes| classes.n_added as i64),
        }
    }

    /// The classes of cells, for each latent space, from the columns that were read of them; `None` where the space has
    /// no covariate or its column was not read.
    pub fn codes(&self, observations: &Observations) -> Vec<Option<Vec<i64>>> {
        let codes = |classes: &Option<Classes>| {
            let classes = classes.as_ref()?;
            Some(classes.codes(observations.column(&classes.column).ok()?))
        };
        self.classes.iter().map(codes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_classes_have_no_number() {
        let classes = Classes { column: "batch".into(), names: vec!["a".into(), "b".into()], n_added: 0 };
        let labels = ["b", "a", "c"].map(|label| Some(label.to_owned()));
        assert_eq!(classes.codes(&[labels.as_slice(), &[None]].concat()), [1, 0, -1, -1]);
    }
}
