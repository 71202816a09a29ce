//! What `[model]` expands to: latent spaces, and values that `[fit]` and `[latent]` start from.
//!
//! The only file that knows priors by name, as strings. The spec's own tables win key by key.

use framework::spec::{ModelKind, ModelSpec, Settings};
use indexmap::IndexMap;
use toml::{Table, Value};

/// The tables of a preset.
#[derive(Debug, Clone)]
pub(crate) struct Preset {
    /// Latent spaces by name: `dim` and `modalities`.
    pub(crate) latents: IndexMap<String, Table>,
    /// Noise of any latent space.
    pub(crate) noise: f64,
    /// Prior of any latent space: kind and TOML of its table.
    pub(crate) prior: (&'static str, &'static str),
    /// TOML of `[fit]`.
    pub(crate) fit: &'static str,
}

/// Expands `[model]` for these modalities.
pub(crate) fn expand(model: &ModelSpec, modalities: &[&str]) -> Preset {
    let (noise, prior) = match (model.kind, model.settings) {
        (ModelKind::Apollo, Settings::Recommended) => (0.5, ("l2", "")),
        (ModelKind::Apollo, Settings::Published) => (1.0, ("l2", "")),
        (ModelKind::Autoencoder, Settings::Recommended) => (0.0, ("standard_normal", "")),
        (ModelKind::Autoencoder, Settings::Published) => (0.0, ("standard_normal", "kl_scaling = \"published\"")),
    };
    let fit = match model.settings {
        Settings::Recommended => "",
        Settings::Published => PUBLISHED_FIT,
    };
    Preset { latents: spaces(model, modalities), noise, prior, fit }
}

/// One space shared by all modalities and one specific to each; a single modality has its specific space only.
fn spaces(model: &ModelSpec, modalities: &[&str]) -> IndexMap<String, Table> {
    let alone = modalities.len() < 2;
    let (shared, specific) = if alone { (0, model.shared + model.specific) } else { (model.shared, model.specific) };
    let mut found = IndexMap::new();
    if shared > 0 {
        found.insert(SHARED.to_owned(), space(shared, modalities));
    }
    if specific > 0 {
        found.extend(modalities.iter().map(|&name| (name.to_owned(), space(specific, &[name]))));
    }
    found
}

/// The name of the space that all modalities share.
pub(crate) const SHARED: &str = "shared";

fn space(dim: i64, modalities: &[&str]) -> Table {
    let names = modalities.iter().map(|&name| Value::String(name.to_owned())).collect();
    Table::from_iter([("dim".to_owned(), Value::Integer(dim)), ("modalities".to_owned(), Value::Array(names))])
}

/// The published settings: Zhang et al. 2026, Methods, and the values of its code where the paper is silent.
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
