//! The JSON that multiDGD writes beside a checkpoint.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::Path;

/// What the JSON says of a model; keys that say nothing of it are not looked at.
#[derive(Debug, Clone, Deserialize)]
pub struct Hyperparameters {
    /// Numbers per cell of the basal space.
    pub latent_dimension: i64,
    /// Components of its mixture.
    pub n_components: i64,
    /// Layers that modalities share.
    pub n_hidden: usize,
    /// Layers of a modality's own, the output among them.
    pub n_hidden_modality: i64,
    /// Width of layers.
    pub n_units: i64,
    /// What the widths of a modality's own layers are multiplied by.
    pub decoder_width: i64,
    /// Radius of the softball of the basal means.
    pub softball_scale: f64,
    /// Its sharpness.
    pub softball_hardness: f64,
    /// Standard deviation that basal components start from.
    pub sd_mean: f64,
    /// Standard deviation of the prior of −ln σ².
    pub sd_sd: f64,
    /// Radius of the softball of the covariate's means; absent in old files.
    #[serde(default = "two")]
    pub softball_scale_corr: f64,
    /// Its sharpness.
    #[serde(default = "five")]
    pub softball_hardness_corr: f64,
    /// Standard deviation of its prior of −ln σ².
    #[serde(default = "one")]
    pub sd_sd_corr: f64,
    /// Concentration of the Dirichlet distribution.
    pub dirichlet_a: f64,
    /// Cells per step.
    pub batch_size: usize,
    /// Learning rates of decoder, rows and mixture.
    pub learning_rates: [f64; 3],
    /// Decay rates of Adam.
    pub betas: [f64; 2],
    /// Coupled weight decay.
    pub weight_decay: f64,
    /// Names of the modalities.
    pub modalities: Vec<String>,
    /// Features of each.
    pub n_features_per_modality: Vec<i64>,
    /// What predictions are scaled by.
    pub scaling: String,
    /// Columns of obs that are covariates; the first counts.
    #[serde(default)]
    pub correction_variable: Vec<String>,
}

fn one() -> f64 {
    1.0
}

fn two() -> f64 {
    2.0
}

fn five() -> f64 {
    5.0
}

impl Hyperparameters {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not what multiDGD writes, or asks for what this program does not have.
    pub fn read(path: &Path) -> Result<Hyperparameters> {
        let text = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        let read: Result<Hyperparameters> = serde_json::from_slice(&text).map_err(Into::into);
        let read = read.and_then(|read| read.check().map(|()| read));
        read.with_context(|| format!("`{}` does not hold the hyperparameters of a multiDGD model", path.display()))
    }

    fn check(&self) -> Result<()> {
        ensure!(self.scaling == "sum", "`scaling` is `{}`, but only `sum` is understood", self.scaling);
        ensure!(!self.modalities.is_empty(), "`modalities` is empty");
        ensure!(
            self.modalities.len() == self.n_features_per_modality.len(),
            "it names {} modalities but the features of {}",
            self.modalities.len(),
            self.n_features_per_modality.len()
        );
        for (key, number) in [
            ("latent_dimension", self.latent_dimension),
            ("n_components", self.n_components),
            ("n_units", self.n_units),
            ("decoder_width", self.decoder_width),
        ] {
            ensure!((1..=1 << 20).contains(&number), "`{key}` is {number}, but must be from 1 to 1048576");
        }
        let fits = self.n_features_per_modality.iter().all(|n| (1..=1 << 31).contains(n));
        ensure!(
            fits,
            "`n_features_per_modality` is {:?}, but numbers of features are at least 1",
            self.n_features_per_modality
        );
        ensure!(self.n_hidden <= 64, "`n_hidden` is {}, but must be at most 64", self.n_hidden);
        let layers = self.n_hidden_modality;
        ensure!((0..=64).contains(&layers), "`n_hidden_modality` is {layers}, but must be from 0 to 64");
        Ok(())
    }

    /// The column of obs that the covariate's rows are learned from.
    pub fn covariate(&self) -> Option<&str> {
        self.correction_variable.first().map(String::as_str)
    }
}
