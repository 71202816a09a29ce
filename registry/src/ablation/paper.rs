//! The ablations of the two papers, for any spec of their kind of model.

use super::expand::{Base, Planned, expand};
use super::{Ablation, BASE};
use crate::catalogue::Catalogue;
use crate::diagnostic::{Diagnostics, Place};
use crate::overrides::UNSET;
use crate::preset::SHARED;
use crate::read::{Written, read, stem, whole_text};
use crate::sections::Reader;
use framework::spec::{Experiment, ModelKind};
use indexmap::IndexMap;
use std::path::Path;

/// Whose ablations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// Zhang et al. 2026: no shared decoders, no specific spaces at the summed width, one-step training, squared error in place
    /// of cross-entropy, half and twice the shared width.
    Apollo,
    /// Schuster et al. 2024: one component as prior, no covariates, one modality only, shares of the training cells.
    Dgd,
}

/// Seeds of each variant: the papers have four to five, and three.
const APOLLO_SEEDS: u64 = 5;
const DGD_SEEDS: u64 = 3;

/// Shares of the training cells (Schuster et al. 2024, data efficiency).
const SHARES: [f64; 5] = [0.01, 0.1, 0.25, 0.5, 0.75];

impl Paper {
    /// How the paper is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Paper::Apollo => "apollo",
            Paper::Dgd => "dgd",
        }
    }
}

/// The ablations of a paper with a spec as their base.
///
/// # Errors
/// All that is wrong with the spec, or that it is a model of another kind.
pub fn paper_ablation(
    paper: Paper,
    path: &Path,
    overrides: &[String],
    catalogue: &Catalogue,
) -> Result<Ablation, Diagnostics> {
    let text = whole_text(path, "the spec", overrides)?;
    let experiment = read(&Written { path, text: &text, overrides }, catalogue)?;
    let mut reader = Reader {
        catalogue: catalogue.clone(),
        diagnostics: Diagnostics::new(path.display().to_string(), text.as_str(), overrides),
    };
    let (kind, planned, n_seeds) = match paper {
        Paper::Apollo => (ModelKind::Apollo, apollo(&experiment), APOLLO_SEEDS),
        Paper::Dgd => (ModelKind::Dgd, dgd(&experiment), DGD_SEEDS),
    };
    if experiment.model.kind != kind {
        let message =
            format!("the ablations of `{0}` are of models of `kind = \"{0}\"`, which this is not", paper.name());
        reader.diagnostics.push(Place::Whole, message, Some("name a spec of that kind".to_owned()));
        return Err(reader.diagnostics);
    }
    let name = format!("{}_{}", stem(path), paper.name());
    let base = Base { path, text: &text, overrides };
    let variants = expand(&mut reader, &base, experiment, &planned);
    if !reader.diagnostics.is_empty() {
        return Err(reader.diagnostics);
    }
    let seeds = (0..n_seeds).collect();
    Ok(Ablation {
        name,
        base: path.to_owned(),
        seeds,
        metrics: Vec::new(),
        lower_is_better: Vec::new(),
        margins: IndexMap::new(),
        variants,
    })
}

/// Zhang et al. 2026, Figs. 2 and 3 and their notebooks; variants that are the base are left out.
fn apollo(experiment: &Experiment) -> Vec<Planned> {
    let model = &experiment.model;
    let n_modalities = experiment.modalities.len() as i64;
    let summed = model.shared + n_modalities * model.specific;
    let mut variants = Vec::new();
    if model.shared_decoders {
        variants.push(planned("no_shared_decoders", &["model.shared_decoders=false".to_owned()]));
    }
    if model.specific > 0 {
        let set = ["model.specific=0".to_owned(), format!("model.shared={summed}")];
        variants.push(planned("no_specific", &set));
    }
    variants.push(planned("one_step", &["model.kind=\"autoencoder\"".to_owned()]));
    let entropies: Vec<String> = (experiment.modalities.keys())
        .filter(|name| loss_of(experiment, name).as_deref() == Some("bce"))
        .map(|name| format!("modality.{name}.loss.kind=\"mse\""))
        .collect();
    if !entropies.is_empty() {
        variants.push(planned("mse", &entropies));
    }
    for shared in [model.shared / 2, model.shared * 2] {
        if shared > 0 {
            variants.push(planned(&format!("shared={shared}"), &[format!("model.shared={shared}")]));
        }
    }
    variants
}

/// Schuster et al. 2024, Figs. 2 and 3 and their supplement.
fn dgd(experiment: &Experiment) -> Vec<Planned> {
    let mut variants = Vec::new();
    if experiment.latents.contains_key(SHARED) {
        variants.push(planned("one_component", &[format!("latent.{SHARED}.prior.n_components=1")]));
    }
    if !experiment.model.covariates.is_empty() {
        variants.push(planned("no_covariates", &["model.covariates=[]".to_owned()]));
    }
    if experiment.modalities.len() > 1 {
        for name in experiment.modalities.keys() {
            let others = experiment.modalities.keys().filter(|other| *other != name);
            let unset: Vec<String> = others.map(|other| format!("{UNSET}modality.{other}")).collect();
            variants.push(planned(&format!("only_{name}"), &unset));
        }
    }
    for share in SHARES {
        let set = [format!("data.split.training_share={share:?}")];
        variants.push(planned(&format!("training_share={share}"), &set));
    }
    variants.retain(|variant| variant.name != BASE);
    variants
}

fn planned(name: &str, overrides: &[String]) -> Planned {
    let mut planned = Planned::new(name, Place::Whole, true);
    overrides.iter().for_each(|one| planned.push(one.clone(), Place::Whole));
    planned
}

/// Name of a modality's loss.
fn loss_of(experiment: &Experiment, modality: &str) -> Option<String> {
    let table = experiment.to_toml().ok()?;
    let kind = table.get("modality")?.get(modality)?.get("loss")?.get("kind")?;
    kind.as_str().map(str::to_owned)
}
