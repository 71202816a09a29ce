//! The spec of a multiDGD model.

use super::hyperparameters::Hyperparameters;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use toml::Value;

/// Our name of the space that multiDGD calls basal.
pub(super) const BASAL: &str = "shared";
/// The column of obs with the split of each cell.
const SPLIT: &str = "train_val_test";
/// The column of obs with the labels of cells.
const LABEL: &str = "observable";
/// What multiDGD puts before the names of covariates.
const COVARIATE: &str = "covariate_";

/// The text of a spec that builds the model of these hyperparameters on these data; `columns` are those of obs.
///
/// # Errors
/// When the data lack a column that the model needs.
pub(super) fn spec_text(model: &Hyperparameters, data: &Path, columns: &BTreeSet<String>) -> Result<String> {
    ensure!(
        columns.contains(SPLIT),
        "obs has no column `{SPLIT}`, which says which cells the rows of the checkpoint belong to (train, validation, test); \
         take it from the `_obs.csv` that multiDGD wrote; columns: {}",
        listed(columns)
    );
    let data = data.canonicalize().with_context(|| format!("`{}` cannot be read", data.display()))?;
    let data = data.to_str().context("the path of the data is not UTF-8")?;
    let mut text = format!("spec_version = 1\n\n[data]\npath = {}\nfilter_rounds = 0\n", quoted(data));
    if columns.contains(LABEL) {
        let _ = writeln!(text, "label = \"{LABEL}\"");
    }
    let _ = writeln!(text, "split = {{ column = \"{SPLIT}\" }}");
    modalities(model, &mut text);
    let _ = writeln!(
        text,
        "\n[model]\nkind = \"dgd\"\nsettings = \"published\"\nshared = {}\nspecific = 0",
        model.latent_dimension
    );
    basal(model, &mut text);
    if let Some(covariate) = model.covariate() {
        space_of_covariate(model, column(covariate, columns)?, &mut text);
    }
    let (n_layers, width) = (model.n_hidden, model.n_units);
    let _ = writeln!(text, "\n[trunk]\nn_layers = {n_layers}\nwidth = {width}");
    fit(model, &mut text);
    Ok(text)
}

/// Our names of the modalities.
pub(super) fn modality_names(model: &Hyperparameters) -> Vec<String> {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "_-".contains(letter) { letter } else { '_' };
    model.modalities.iter().map(|name| name.chars().map(plain).collect()).collect()
}

fn modalities(model: &Hyperparameters, text: &mut String) {
    let n_hidden = model.n_hidden_modality.max(1) - 1;
    let (width, factor) = (model.n_units, model.decoder_width);
    for (name, key) in modality_names(model).iter().zip(&model.modalities) {
        let kind = match key.to_lowercase().as_str() {
            "rna" | "gex" => "rna",
            "atac" => "atac",
            _ => "values",
        };
        let _ = writeln!(
            text,
            "\n[modality.{name}]\nkind = \"{kind}\"\nkey = {}\n\
             decoder = {{ kind = \"branched\", n_hidden = {n_hidden}, width = {width}, width_factor = {factor} }}\n\
             loss = {{ kind = \"negative_binomial\" }}",
            quoted(key)
        );
    }
}

fn basal(model: &Hyperparameters, text: &mut String) {
    let Hyperparameters { n_components, softball_scale, softball_hardness, dirichlet_a, sd_mean, sd_sd, .. } = model;
    let _ = writeln!(
        text,
        "\n[latent.{BASAL}.prior]\nkind = \"gaussian_mixture\"\nn_components = {n_components}\n\
         softball_radius = {softball_scale:?}\nsoftball_sharpness = {softball_hardness:?}\n\
         dirichlet_alpha = {dirichlet_a:?}\nsd = {sd_mean:?}\nsd_sd = {sd_sd:?}"
    );
}

/// The column of a covariate, with or without what multiDGD puts before it.
fn column<'a>(covariate: &'a str, columns: &BTreeSet<String>) -> Result<&'a str> {
    let bare = covariate.strip_prefix(COVARIATE).unwrap_or(covariate);
    let found = [covariate, bare].into_iter().find(|name| columns.contains(*name));
    found.with_context(|| {
        format!("obs has no column `{covariate}`, the model's covariate, nor `{bare}`; columns: {}", listed(columns))
    })
}

fn space_of_covariate(model: &Hyperparameters, column: &str, text: &mut String) {
    let names: Vec<String> = modality_names(model).iter().map(|name| quoted(name)).collect();
    let Hyperparameters { softball_scale_corr, softball_hardness_corr, sd_sd_corr, .. } = model;
    let _ = writeln!(
        text,
        "\n[latent.covariate]\ndim = 2\nmodalities = [{}]\ncovariate = {}\n\n\
         [latent.covariate.prior]\nkind = \"labelled_mixture\"\nsoftball_radius = {softball_scale_corr:?}\n\
         softball_sharpness = {softball_hardness_corr:?}\nsd_sd = {sd_sd_corr:?}",
        names.join(", "),
        quoted(column)
    );
}

fn fit(model: &Hyperparameters, text: &mut String) {
    let [decoder, rows, prior] = model.learning_rates;
    let [beta_1, beta_2] = model.betas;
    let (minibatch, weight_decay, covariate) = (model.batch_size, model.weight_decay, rows / 10.0);
    let _ = writeln!(
        text,
        "\n[fit.dgd]\nminibatch = {minibatch}\nlearning_rate_decoder = {decoder:?}\nlearning_rate_latent = {rows:?}\n\
         learning_rate_prior = {prior:?}\nlearning_rate_covariate = {covariate:?}\nbeta_1 = {beta_1:?}\n\
         beta_2 = {beta_2:?}\nweight_decay = {weight_decay:?}"
    );
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn listed(columns: &BTreeSet<String>) -> String {
    columns.iter().cloned().collect::<Vec<_>>().join(", ")
}
