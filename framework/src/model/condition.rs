//! Categories of cells that networks are told: a learned vector for each.

use super::{Branch, Model};
use crate::data::Cohort;
use crate::spec::{EncoderTable, Experiment, ModelKind};
use anyhow::{Context, Result, ensure};
use tch::Tensor;
use tch::nn::{Init, Path};

/// A category of each cell, such as the protein that an image shows (Zhang et al. 2026, Methods).
#[derive(Debug)]
pub struct Condition {
    /// Its name in the spec.
    pub name: String,
    /// The categories, in the order of their vectors.
    pub categories: Vec<String>,
    /// Numbers of a vector.
    pub n_dims: i64,
    /// Indices of the modalities whose networks are told.
    pub modalities: Vec<usize>,
    /// What decoders read: n_categories × n_dims.
    vectors: Tensor,
    encoder_table: EncoderTable,
}

impl Condition {
    /// The conditions of an experiment, with fresh vectors.
    ///
    /// # Errors
    /// When the model has no place for them, or the cohort does not know their categories.
    pub(super) fn all(experiment: &Experiment, cohort: &Cohort, root: &Path<'_>) -> Result<Vec<Condition>> {
        let is_dgd = experiment.model.kind == ModelKind::Dgd;
        ensure!(!is_dgd || experiment.conditions.is_empty(), "a `dgd` model has covariates instead of conditions");
        let mut all = Vec::new();
        for (place, (name, spec)) in experiment.conditions.iter().enumerate() {
            let classes = cohort.conditions.get(place);
            let classes = classes.with_context(|| format!("the categories of the condition `{name}` are not known"))?;
            let is_told = |modality: &String| experiment.modalities.get_index_of(modality);
            all.push(Condition {
                name: name.clone(),
                vectors: vectors(&(root / "condition" / name), classes.names.len(), spec.n_dims)?,
                categories: classes.names.clone(),
                n_dims: spec.n_dims,
                modalities: spec.modalities.iter().filter_map(is_told).collect(),
                encoder_table: spec.encoder_table,
            });
        }
        Ok(all)
    }

    /// Whether the networks of a modality are told.
    pub(super) fn is_told(&self, modality: Option<usize>) -> bool {
        modality.is_some_and(|modality| self.modalities.contains(&modality))
    }

    /// The code of a category.
    pub fn code(&self, category: &str) -> Option<i64> {
        self.categories.iter().zip(0..).find_map(|(name, code)| (name == category).then_some(code))
    }
}

/// A condition that the networks of a modality are told.
#[derive(Debug)]
pub struct Told {
    /// Its index among the conditions of the model.
    pub condition: usize,
    /// What the encoder is told, where that is not what decoders are: n_categories × n_dims.
    of_encoder: Option<Tensor>,
}

impl Told {
    pub(super) fn new(index: usize, condition: &Condition, vars: &Path<'_>) -> Result<Told> {
        let of_encoder = match condition.encoder_table {
            EncoderTable::Decoders => None,
            EncoderTable::Separate => {
                Some(vectors(&(vars / &condition.name), condition.categories.len(), condition.n_dims)?)
            }
        };
        Ok(Told { condition: index, of_encoder })
    }
}

/// A vector for each category, drawn from normal(0, 1) as PyTorch's embeddings are.
fn vectors(vars: &Path<'_>, n_categories: usize, n_dims: i64) -> Result<Tensor> {
    let init = Init::Randn { mean: 0.0, stdev: 1.0 };
    Ok(vars.f_var("vectors", &[n_categories as i64, n_dims], init)?)
}

impl Model {
    /// What a decoder of a modality reads: its rows, and after them the vectors of the cells' categories.
    ///
    /// # Errors
    /// When a condition that the modality is told has no categories.
    pub fn conditioned(&self, branch: &Branch, rows: Tensor, categories: &[Tensor]) -> Result<Tensor> {
        if branch.conditions.is_empty() {
            return Ok(rows);
        }
        let mut all = vec![rows];
        for told in &branch.conditions {
            all.push(self.vectors_of(told, &self.conditions[told.condition].vectors, categories)?);
        }
        Ok(Tensor::f_cat(&all, 1)?)
    }

    /// What the encoder of a modality is told of the cells' categories: n_cells × n_condition; `None` where it is told nothing.
    ///
    /// # Errors
    /// When a condition that the modality is told has no categories.
    pub fn condition_of_encoder(&self, branch: &Branch, categories: &[Tensor]) -> Result<Option<Tensor>> {
        let table = |told: &Told| {
            let of_decoders = &self.conditions[told.condition].vectors;
            self.vectors_of(told, told.of_encoder.as_ref().unwrap_or(of_decoders), categories)
        };
        let all: Vec<Tensor> = branch.conditions.iter().map(table).collect::<Result<_>>()?;
        Ok(if all.is_empty() { None } else { Some(Tensor::f_cat(&all, 1)?) })
    }

    fn vectors_of(&self, told: &Told, vectors: &Tensor, categories: &[Tensor]) -> Result<Tensor> {
        let name = &self.conditions[told.condition].name;
        let codes = categories.get(told.condition);
        let codes = codes.with_context(|| format!("the categories of the condition `{name}` are not known"))?;
        Ok(vectors.f_index_select(0, codes)?)
    }
}
