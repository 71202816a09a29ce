//! The spec of a multiDGD model.

use super::hyperparameters::Hyperparameters;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;
use toml::{Table, toml};

/// Our name of the space that multiDGD calls basal.
pub(super) const BASAL: &str = "shared";
/// The column of obs with the split of each cell.
const SPLIT: &str = "train_val_test";
/// The column of obs with the labels of cells.
const LABEL: &str = "observable";
/// What multiDGD puts before the names of covariates.
const COVARIATE: &str = "covariate_";
/// Numbers per cell of a covariate's rows.
const COVARIATE_DIM: i64 = 2;

/// The text of a spec that builds the model of these hyperparameters on these data; `columns` are those of obs.
///
/// # Errors
/// When the data lack a column that the model needs.
pub(super) fn spec_text(model: &Hyperparameters, data: &Path, columns: &BTreeSet<String>) -> Result<String> {
    anyhow::ensure!(
        columns.contains(SPLIT),
        "obs has no column `{SPLIT}`: it tells which cells the rows of the checkpoint belong to; multiDGD wrote it to \
         `…_obs.csv`; columns: {}",
        columns.iter().cloned().collect::<Vec<_>>().join(", ")
    );
    let path = data.canonicalize().with_context(|| format!("`{}` cannot be read", data.display()))?;
    let path = path.to_str().context("the path of the data is not UTF-8")?;
    let mut spec = toml! { spec_version = 1 };
    let mut about_data = toml! { filter_rounds = 0 };
    about_data.insert("path".into(), path.into());
    about_data.insert("split".into(), Table::from_iter([("column".to_owned(), SPLIT.into())]).into());
    if columns.contains(LABEL) {
        about_data.insert("label".into(), LABEL.into());
    }
    spec.insert("data".into(), about_data.into());
    spec.insert("modality".into(), modalities(model).into());
    let shared = model.latent_dimension;
    spec.insert("model".into(), (toml! { kind = "dgd" specific = 0 shared = shared }).into());
    spec.insert("latent".into(), latents(model, columns)?.into());
    spec.insert("trunk".into(), trunk(model).into());
    spec.insert("fit".into(), Table::from_iter([("dgd".to_owned(), fit(model).into())]).into());
    Ok(toml::to_string(&spec)?)
}
