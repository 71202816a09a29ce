//! What `[model]` expands to: latent spaces, and values that `[fit]` and `[latent]` start from.
//!
//! The only file that knows components by name, as strings. The spec's own tables win key by key.

use framework::spec::{ModelKind, ModelSpec, Settings};
use indexmap::IndexMap;
use toml::{Table, Value};

/// The tables of a preset.
#[derive(Debug, Clone)]
pub(crate) struct Preset {
    /// Latent spaces by name: `dim`, `modalities` and `covariate`.
    pub(crate) latents: IndexMap<String, Table>,
    /// Noise of any latent space.
    pub(crate) noise: f64,
    /// Priors, each kind and TOML of its table.
    pub(crate) priors: Priors,
    /// What replaces the modalities' own defaults.
    pub(crate) parts: Option<Parts>,
    /// TOML of `[trunk]`.
    pub(crate) trunk: &'static str,
    /// TOML of `[fit]`.
    pub(crate) fit: &'static str,
}

/// A component by default: kind and TOML of its table.
pub(crate) type Default = (&'static str, &'static str);

/// The priors of latent spaces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Priors {
    /// Of the space that all modalities share.
    pub(crate) shared: Default,
    /// Of a space that stands for a covariate.
    pub(crate) covariate: Default,
    /// Of any other.
    pub(crate) other: Default,
}

impl Priors {
    const fn all(prior: Default) -> Priors {
        Priors { shared: prior, covariate: LABELLED, other: prior }
    }
}

const LABELLED: Default = ("labelled_mixture", "");

/// Components that a preset uses for every modality, whose values no step changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) decoder: Default,
    pub(crate) loss: Default,
}

/// The values of `[model]` that a family starts from where they are not those of the others.
pub(crate) fn model_defaults(kind: Option<&str>) -> Table {
    let text = match kind {
        Some("dgd") => "shared = 20\nspecific = 0\nshared_decoders = false",
        _ => "",
    };
    toml::from_str(text).unwrap_or_default()
}

/// Expands `[model]` for these modalities.
pub(crate) fn expand(model: &ModelSpec, modalities: &[&str]) -> Preset {
    let (noise, priors) = match (model.kind, model.settings) {
        (ModelKind::Apollo, Settings::Recommended) => (0.5, Priors::all(("l2", ""))),
        (ModelKind::Apollo, Settings::Published) => (1.0, Priors::all(("l2", ""))),
        (ModelKind::Autoencoder, Settings::Recommended) => (0.0, Priors::all(("standard_normal", ""))),
        (ModelKind::Autoencoder, Settings::Published) => {
            (0.0, Priors::all(("standard_normal", "kl_scaling = \"published\"")))
        }
        (ModelKind::Dgd, settings) => {
            let recommended = settings == Settings::Recommended;
            let shared = ("gaussian_mixture", if recommended { "sd = 0.2\ndirichlet_alpha = 2.0" } else { "" });
            let other = ("gaussian_mixture", "n_components = 1");
            (0.0, Priors { shared, covariate: LABELLED, other })
        }
    };
    let is_dgd = model.kind == ModelKind::Dgd;
    let fit = match model.settings {
        Settings::Recommended => "",
        Settings::Published => PUBLISHED_FIT,
    };
    let parts = is_dgd.then_some(Parts { decoder: ("branched", ""), loss: ("negative_binomial", "") });
    let trunk = if is_dgd { "n_layers = 2\nwidth = 100" } else { "" };
    Preset { latents: spaces(model, modalities), noise, priors, parts, trunk, fit }
}

/// One space shared by all modalities, one specific to each, and one for each covariate; a single modality has its
/// specific space only, but in a decoder-only model the shared one.
fn spaces(model: &ModelSpec, modalities: &[&str]) -> IndexMap<String, Table> {
    let alone = modalities.len() < 2 && model.kind != ModelKind::Dgd;
    // widths that are too large are told with the other ranges of `[model]`
    let both = || (0, model.shared.saturating_add(model.specific));
    let (shared, specific) = if alone { both() } else { (model.shared, model.specific) };
    let mut found = IndexMap::new();
    if shared > 0 {
        found.insert(SHARED.to_owned(), space(shared, modalities));
    }
    if specific > 0 {
        found.extend(modalities.iter().map(|&name| (name.to_owned(), space(specific, &[name]))));
    }
    for column in &model.covariates {
        let mut table = space(COVARIATE_DIM, modalities);
        table.insert("covariate".to_owned(), Value::String(column.clone()));
        found.insert(format!("cov_{column}"), table);
    }
    found
}

/// Numbers per cell of a covariate's space (Schuster et al. 2024, Methods).
const COVARIATE_DIM: i64 = 2;

/// The name of the space that all modalities share.
pub(crate) const SHARED: &str = "shared";

fn space(dim: i64, modalities: &[&str]) -> Table {
    let names = modalities.iter().map(|&name| Value::String(name.to_owned())).collect();
    Table::from_iter([("dim".to_owned(), Value::Integer(dim)), ("modalities".to_owned(), Value::Array(names))])
}

/// The published settings: Zhang et al. 2026 and Schuster et al. 2024, Methods, and the values of their code where the
/// papers are silent.
const PUBLISHED_FIT: &str = r#"
[latent]
n_epochs = 5000
minibatch = 512
learning_rate_latent = 1e-3
learning_rate_decoder = 1e-4
weight_decay = 0.0
initial_sd = 1.0
order = "fixed"
latent_optimizer = "dense_adam"
validate_every_epochs = 0
n_validation_passes = 10
patience = 0

[encoders]
n_epochs = 10000
minibatch = 512
learning_rate = 1e-4
weight_decay = 0.0
order = "fixed"
target_scaling = "raw"
input_noise = 0.0
row_weight = 1.0
reconstruction_weight = 0.0
cross_weight = 0.0
validate_every_epochs = 100
patience = 0

[one_step]
n_epochs = 5000
minibatch = 512
learning_rate = 1e-5
weight_decay = 0.0
order = "fixed"
schedule = "alternating"
divergence_weight = 1e-7
match_weight = 100.0
validate_every_epochs = 1
patience = 0

[dgd]
n_epochs = 500
minibatch = 128
learning_rate_decoder = 1e-4
learning_rate_latent = 1e-2
learning_rate_prior = 1e-2
learning_rate_covariate = 1e-3
beta_1 = 0.5
beta_2 = 0.7
weight_decay = 1e-4
l1 = 1.0
row_step = "per_epoch"
order = "reshuffled"
min_epochs = 50
patience = 10

[mapping]
search = "reconstruction"
n_steps = 20
covariate_prior = true
learning_rate = 1e-2
beta_1 = 0.5
beta_2 = 0.7
weight_decay = 1e-4
minibatch = 256
unseen_classes = "error"
n_new_component_steps = 100
new_component_weight = 10.0
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use framework::spec::FitSpec;

    fn dims(model: &ModelSpec, modalities: &[&str]) -> Vec<(String, i64)> {
        let found = expand(model, modalities).latents;
        found.iter().map(|(name, table)| (name.clone(), table["dim"].as_integer().unwrap())).collect()
    }

    #[test]
    fn spaces_follow_the_number_of_modalities() {
        let model = ModelSpec { shared: 50, specific: 20, ..ModelSpec::default() };
        let named = |list: &[(&str, i64)]| list.iter().map(|&(name, dim)| (name.to_owned(), dim)).collect::<Vec<_>>();
        assert_eq!(dims(&model, &["rna"]), named(&[("rna", 70)]));
        assert_eq!(dims(&model, &["rna", "atac"]), named(&[("shared", 50), ("rna", 20), ("atac", 20)]));
        let only_shared = ModelSpec { specific: 0, ..model.clone() };
        assert_eq!(dims(&only_shared, &["rna", "atac"]), named(&[("shared", 50)]));
        let none_shared = ModelSpec { shared: 0, ..model };
        assert_eq!(dims(&none_shared, &["rna", "atac"]), named(&[("rna", 20), ("atac", 20)]));
    }

    #[test]
    fn published_settings_are_a_whole_fit_table() {
        let fit: FitSpec = toml::from_str(PUBLISHED_FIT).unwrap();
        assert_eq!((fit.latent.n_epochs, fit.encoders.n_epochs, fit.one_step.match_weight), (5000, 10000, 100.0));
        assert!(framework::Spec::validate(&fit).is_empty());
        let published: Table = toml::from_str(PUBLISHED_FIT).unwrap();
        for (name, table) in Table::try_from(FitSpec::default()).unwrap() {
            for key in table.as_table().into_iter().flat_map(Table::keys) {
                assert!(
                    published[&name].get(key).is_some(),
                    "`{name}.{key}` must be decided for the published settings"
                );
            }
        }
    }
}
