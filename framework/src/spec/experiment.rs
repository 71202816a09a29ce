//! A whole experiment, resolved.

use super::{ConditionSpec, DataSpec, EvaluateSpec, FitSpec, ModelSpec, PluginsSpec, TableSpec, TrunkSpec};
use crate::{DecoderSpec, EncoderSpec, LatentPriorSpec, LossSpec, ModalitySpec, Step, StepSpec};
use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde::Serialize;
use std::path::PathBuf;
use toml::{Table, Value};

/// The version of the spec format that this framework reads and writes.
pub const SPEC_VERSION: u32 = 1;

/// One assay: its measurements and the components that work on them.
#[derive(Debug)]
pub struct ModalityEntry {
    /// The file, where it is not `data.path`.
    pub path: Option<PathBuf>,
    /// The modality inside a MuData file, where it is not the entry's name.
    pub key: Option<String>,
    /// How separated text is understood, where it is not as `data.table` says.
    pub table: Option<TableSpec>,
    /// The column of obs that says which cells were measured, where the file has rows of others, too.
    pub measured: Option<String>,
    /// Weight of its losses in the objective.
    pub weight: f64,
    /// The assay.
    pub spec: Box<dyn ModalitySpec>,
    /// What is done to the values, in order.
    pub steps: Vec<Box<dyn StepSpec>>,
    /// Infers latent rows.
    pub encoder: Box<dyn EncoderSpec>,
    /// Predicts features.
    pub decoder: Box<dyn DecoderSpec>,
    /// Compares predictions with measurements.
    pub loss: Box<dyn LossSpec>,
}

/// One latent space.
#[derive(Debug)]
pub struct LatentEntry {
    /// Numbers per cell.
    pub dim: i64,
    /// The modalities whose decoders read it.
    pub modalities: Vec<String>,
    /// Standard deviation of the Gaussian noise added to its rows in training.
    pub noise: f64,
    /// The column of obs whose classes the space stands for; its prior is told the class of each training cell.
    pub covariate: Option<String>,
    /// Which rows are plausible.
    pub prior: Box<dyn LatentPriorSpec>,
}

/// What a spec file says, every default filled in.
#[derive(Debug)]
pub struct Experiment {
    /// Name of the run.
    pub name: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Libraries that components come from.
    pub plugins: PluginsSpec,
    /// The cells.
    pub data: DataSpec,
    /// The assays, in the order of the spec.
    pub modalities: IndexMap<String, ModalityEntry>,
    /// The preset.
    pub model: ModelSpec,
    /// The latent spaces, in the order of the spec.
    pub latents: IndexMap<String, LatentEntry>,
    /// Categories of cells that networks are told, in the order of the spec.
    pub conditions: IndexMap<String, ConditionSpec>,
    /// The layers that all decoders share.
    pub trunk: TrunkSpec,
    /// How the model is learned.
    pub fit: FitSpec,
    /// How it is judged.
    pub evaluate: EvaluateSpec,
}

impl Experiment {
    /// The resolved spec as a TOML table; reading it again gives the same experiment.
    ///
    /// # Errors
    /// When a component cannot be written as TOML.
    pub fn to_toml(&self) -> Result<Table> {
        let mut table = Table::new();
        table.insert("spec_version".into(), Value::Integer(SPEC_VERSION.into()));
        table.insert("name".into(), Value::String(self.name.clone()));
        table.insert("seed".into(), written("seed", &self.seed)?);
        if !self.plugins.libraries.is_empty() {
            table.insert("plugins".into(), written("plugins", &self.plugins)?);
        }
        table.insert("data".into(), written("data", &self.data)?);
        let mut modalities = Table::new();
        for (name, entry) in &self.modalities {
            modalities
                .insert(name.clone(), Value::Table(entry.to_toml().with_context(|| format!("modality `{name}`"))?));
        }
        table.insert("modality".into(), Value::Table(modalities));
        table.insert("model".into(), written("model", &self.model)?);
        let mut latents = Table::new();
        for (name, entry) in &self.latents {
            latents.insert(name.clone(), Value::Table(entry.to_toml().with_context(|| format!("latent `{name}`"))?));
        }
        table.insert("latent".into(), Value::Table(latents));
        if !self.conditions.is_empty() {
            table.insert("condition".into(), written("condition", &self.conditions)?);
        }
        table.insert("trunk".into(), written("trunk", &self.trunk)?);
        table.insert("fit".into(), written("fit", &self.fit)?);
        table.insert("evaluate".into(), written("evaluate", &self.evaluate)?);
        Ok(table)
    }

    /// Indices of the spaces that the decoder of a modality reads, in the order of the spec.
    pub fn spaces_of(&self, modality: &str) -> Vec<usize> {
        let reads = |(_, latent): &(usize, &LatentEntry)| latent.modalities.iter().any(|name| name == modality);
        self.latents.values().enumerate().filter(reads).map(|(index, _)| index).collect()
    }
}

impl ModalityEntry {
    /// The steps, not yet fitted.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn build_steps(&self) -> Result<Vec<Box<dyn Step>>> {
        let name = |place: usize| format!("step {} of {}", place + 1, self.steps.len());
        self.steps.iter().enumerate().map(|(place, step)| step.build().with_context(|| name(place))).collect()
    }

    fn to_toml(&self) -> Result<Table> {
        let mut table = as_table(written("spec", &self.spec)?);
        if let Some(path) = &self.path {
            table.insert("path".into(), written("path", path)?);
        }
        if let Some(key) = &self.key {
            table.insert("key".into(), Value::String(key.clone()));
        }
        if let Some(own) = &self.table {
            table.insert("table".into(), written("table", own)?);
        }
        if let Some(column) = &self.measured {
            table.insert("measured".into(), Value::String(column.clone()));
        }
        table.insert("weight".into(), Value::Float(self.weight));
        table.insert("steps".into(), written("steps", &self.steps)?);
        table.insert("encoder".into(), written("encoder", &self.encoder)?);
        table.insert("decoder".into(), written("decoder", &self.decoder)?);
        table.insert("loss".into(), written("loss", &self.loss)?);
        Ok(table)
    }
}

impl LatentEntry {
    fn to_toml(&self) -> Result<Table> {
        let mut table = Table::new();
        table.insert("dim".into(), Value::Integer(self.dim));
        table.insert("modalities".into(), written("modalities", &self.modalities)?);
        table.insert("noise".into(), Value::Float(self.noise));
        if let Some(column) = &self.covariate {
            table.insert("covariate".into(), Value::String(column.clone()));
        }
        table.insert("prior".into(), written("prior", &self.prior)?);
        Ok(table)
    }
}

fn written<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<Value> {
    Value::try_from(value).with_context(|| format!("`{what}` cannot be written as TOML"))
}

fn as_table(value: Value) -> Table {
    match value {
        Value::Table(table) => table,
        other => Table::from_iter([("value".to_owned(), other)]),
    }
}
