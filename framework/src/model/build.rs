//! From a resolved experiment to a model with fresh parameters.

use super::{Branch, Condition, Model, SharedTrunk, Space, Told};
use crate::data::Cohort;
use crate::spec::{Experiment, ModalityEntry, ModelKind};
use crate::{DecoderContext, EncoderContext, FeatureShape, Head, LossContext, PriorContext, Purpose, Seed, Statistics};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tch::Device;
use tch::nn::{Path, VarStore};

/// What the data say about one modality before a model is built.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dimensions {
    /// The form of one cell's features.
    pub shape: FeatureShape,
    /// Totals over the training cells.
    pub training: Statistics,
    /// Totals over all cells.
    pub all: Statistics,
}

/// Builds the model that an experiment describes; parameters are drawn from the experiment's seed.
///
/// # Errors
/// When a component refuses its dimensions, naming the modality or space.
pub fn build_model(
    experiment: &Experiment,
    dimensions: &[Dimensions],
    cohort: &Cohort,
    device: Device,
) -> Result<Model> {
    Seed(experiment.seed).set_torch(Purpose::Parameters, 0, 0);
    let (generative, inference) = (VarStore::new(device), VarStore::new(device));
    let spaces = build_spaces(experiment, cohort, &generative.root())?;
    let trunk = SharedTrunk::of(experiment, &spaces, &generative.root())?;
    let conditions = Condition::all(experiment, cohort, &generative.root())?;
    let variational = experiment.model.kind == ModelKind::Autoencoder;
    let mut branches = Vec::new();
    for ((name, entry), dimensions) in experiment.modalities.iter().zip(dimensions) {
        let (spaces, conditions, trunk) = (&spaces, &conditions, trunk.as_ref());
        let builder = BranchBuilder { experiment, spaces, conditions, trunk, name, entry, dimensions, variational };
        let branch = builder.build(&generative.root(), &inference.root());
        branches.push(branch.with_context(|| format!("modality `{name}`"))?);
    }
    let mapping = (experiment.model.kind == ModelKind::Dgd).then(|| experiment.fit.mapping.clone());
    Ok(Model { spaces, branches, conditions, trunk, mapping, generative, inference, variational })
}

fn build_spaces(experiment: &Experiment, cohort: &Cohort, root: &Path<'_>) -> Result<Vec<Space>> {
    let build = |(place, (name, entry)): (usize, (&String, &crate::spec::LatentEntry))| -> Result<Space> {
        let context = PriorContext { vars: root / "prior" / name, dim: entry.dim, cells: cohort.facts(place) };
        let prior = entry.prior.build(&context).with_context(|| format!("prior of the latent space `{name}`"))?;
        let is_read = |modality: &String| experiment.modalities.get_index_of(modality);
        let modalities = entry.modalities.iter().filter_map(is_read).collect();
        let (name, is_covariate) = (name.clone(), entry.covariate.is_some());
        Ok(Space { name, dim: entry.dim, modalities, noise: entry.noise, is_covariate, prior })
    };
    experiment.latents.iter().enumerate().map(build).collect()
}

struct BranchBuilder<'a> {
    experiment: &'a Experiment,
    spaces: &'a [Space],
    conditions: &'a [Condition],
    trunk: Option<&'a SharedTrunk>,
    name: &'a str,
    entry: &'a ModalityEntry,
    dimensions: &'a Dimensions,
    variational: bool,
}

impl BranchBuilder<'_> {
    fn build(&self, generative: &Path<'_>, inference: &Path<'_>) -> Result<Branch> {
        let reads = self.experiment.spaces_of(self.name);
        let shared: Vec<usize> = reads.iter().copied().filter(|&s| self.spaces[s].modalities.len() > 1).collect();
        let wants_shared = self.experiment.model.shared_decoders && !shared.is_empty() && shared.len() < reads.len();
        let conditions = self.conditions(inference)?;
        let decoder = self.decoder(generative / "decoder" / self.name, &reads)?;
        let shared_decoder = match wants_shared {
            true => Some(self.decoder(generative / "shared_decoder" / self.name, &shared)?),
            false => None,
        };
        let loss = self.loss(generative / "loss" / self.name)?;
        let encoder = match self.experiment.model.kind {
            ModelKind::Dgd => None,
            ModelKind::Apollo | ModelKind::Autoencoder => {
                Some(self.encoder(inference / "encoder" / self.name, &reads)?)
            }
        };
        Ok(Branch {
            name: self.name.to_owned(),
            reads,
            decoder,
            reads_shared: shared,
            shared_decoder,
            loss,
            weight: self.entry.weight,
            encoder,
            n_features: self.dimensions.shape.n_features(),
            conditions,
        })
    }

    /// The conditions that the modality is told, with its encoder's own vectors.
    fn conditions(&self, inference: &Path<'_>) -> Result<Vec<Told>> {
        let place = self.experiment.modalities.get_index_of(self.name);
        let told = self.conditions.iter().enumerate().filter(|(_, condition)| condition.is_told(place));
        let vars = inference / "encoder_condition" / self.name;
        told.map(|(index, condition)| Told::new(index, condition, &vars)).collect()
    }

    /// Numbers per cell that say of which categories it is.
    fn n_condition(&self) -> i64 {
        let place = self.experiment.modalities.get_index_of(self.name);
        self.conditions.iter().filter(|condition| condition.is_told(place)).map(|condition| condition.n_dims).sum()
    }

    fn decoder(&self, vars: Path<'_>, reads: &[usize]) -> Result<Box<dyn crate::Decoder>> {
        let dim = |spaces: &[usize]| spaces.iter().map(|&space| self.spaces[space].dim).sum::<i64>();
        let n_latent = self.trunk.map_or_else(|| dim(reads), |trunk| trunk.width + dim(&trunk.others(reads)));
        let n_latent = n_latent + self.n_condition();
        let output = self.dimensions.shape.clone();
        self.entry.decoder.build(&DecoderContext { vars, n_latent, output }).context("decoder")
    }

    fn loss(&self, vars: Path<'_>) -> Result<Box<dyn crate::Loss>> {
        let Dimensions { shape, training, all } = self.dimensions.clone();
        self.entry.loss.build(&LossContext { vars, output: shape, training, all }).context("loss")
    }

    fn encoder(&self, vars: Path<'_>, reads: &[usize]) -> Result<Box<dyn crate::Encoder>> {
        let head = |suffix: &str| {
            let suffix = suffix.to_owned();
            reads
                .iter()
                .map(move |&s| Head { name: format!("{}{suffix}", self.spaces[s].name), dim: self.spaces[s].dim })
        };
        let mut heads: Vec<Head> = head("").collect();
        if self.variational {
            heads.extend(head("_log_sd"));
        }
        let input = self.dimensions.shape.clone();
        self.entry
            .encoder
            .build(&EncoderContext { vars, input, heads, n_condition: self.n_condition() })
            .context("encoder")
    }
}
