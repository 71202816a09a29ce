//! What an evaluation found, as it is stored.

use super::{ImageScores, Interval, Verdict};
use anyhow::Result;
use framework::run::{RunDirectory, write_atomically, write_json};
use serde::{Deserialize, Serialize};

/// Everything that was found, in the order in which it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Name of the run.
    pub name: String,
    /// The cells that were judged.
    pub cells: JudgedCells,
    /// What could not be done, and what to know when reading the numbers.
    pub notes: Vec<String>,
    /// Each modality from its own encoder.
    pub reconstructions: Vec<PredictionScores>,
    /// Each modality from each other one.
    pub cross_predictions: Vec<PredictionScores>,
    /// Images of modalities from themselves and from each other, judged cell by cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageScores>,
    /// What encoded rows know of labels.
    pub probes: Vec<LabelProbe>,
    /// What the rows learned with the decoders (step 1) know of labels.
    pub learned_rows: Vec<LabelProbe>,
    /// How the components of priors agree with labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusterings: Vec<Clustering>,
    /// The same in plain sentences.
    pub verdicts: Vec<Verdict>,
}

/// Which cells were judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedCells {
    /// `test`, `validation` or `train`.
    pub subset: String,
    /// Whether the model learned from them, so that the numbers are no forecast for new cells.
    pub in_sample: bool,
    /// Number of judged cells.
    pub n_judged: usize,
    /// Number of cells that the model and the controls learned from.
    pub n_training: usize,
}

/// A part of the evaluation that predicts features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// A modality from itself.
    Reconstruction,
    /// A modality from another.
    CrossPrediction,
}

/// Groupings of cells beside a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clustering {
    /// The latent space whose prior has the components.
    pub space: String,
    /// The label.
    pub label: String,
    /// Its classes.
    pub n_classes: usize,
    /// The groupings, the model's first.
    pub methods: Vec<ClusteringScores>,
    /// How far the space keeps the classes of each covariate apart: 1 − mean silhouette (Euclidean) over training cells; about
    /// 1 where they are mixed.
    pub mixing: Vec<(String, f64)>,
}

/// How one grouping agrees with a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusteringScores {
    /// The method.
    #[serde(flatten)]
    pub method: Method,
    /// Groups that have a training cell.
    pub n_groups: usize,
    /// Adjusted Rand index, training cells.
    pub ari_training: f64,
    /// Normalised mutual information, training cells.
    pub nmi_training: f64,
    /// Adjusted Rand index, judged cells.
    pub ari: f64,
    /// Normalised mutual information, judged cells.
    pub nmi: f64,
}

/// One prediction task and all methods on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictionScores {
    /// The part it belongs to.
    pub section: Section,
    /// The modality that is read.
    pub source: String,
    /// The modality that is predicted.
    pub target: String,
    /// The values compared: `processed` (after the modality's steps), `counts`, `presence` (of counts) or `share of trials`.
    pub values: String,
    /// Judged cells measured by both.
    pub n_cells: usize,
    /// Training cells measured by both, from which controls learned.
    pub n_training: usize,
    /// Features compared.
    pub n_features: usize,
    /// What was measured of the judged cells, where that is not every feature: all numbers are over these entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<MeasuredEntries>,
    /// Methods, the model first.
    pub methods: Vec<MethodScores>,
}

/// How many of the judged cells × features were measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeasuredEntries {
    /// Entries that were.
    pub n_entries: usize,
    /// Their share of all entries.
    pub share: f64,
}

/// A way to predict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// Its name in tables for machines, such as `ridge`.
    pub name: String,
    /// Its name for readers, such as `ridge (50 PCs)`.
    pub label: String,
    /// Whether it is a control.
    pub is_control: bool,
}

impl Method {
    /// Something of the model.
    pub(super) fn of_model(name: &str, label: &str) -> Method {
        Method { name: name.to_owned(), label: label.to_owned(), is_control: false }
    }

    /// Something simple beside it.
    pub(super) fn control(name: &str, label: impl Into<String>) -> Method {
        Method { name: name.to_owned(), label: label.into(), is_control: true }
    }
}

/// How well one method predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodScores {
    /// The method.
    #[serde(flatten)]
    pub method: Method,
    /// Root mean squared error over all measured entries, in the units of the values.
    pub rmse: f64,
    /// Pearson correlation over cells, by feature.
    pub by_feature: CorrelationSummary,
    /// Pearson correlation over features, by cell.
    pub by_cell: CorrelationSummary,
    /// How well "above 0" is found; for modalities of which fewer than half of the entries are.
    pub precision: Option<Precision>,
}

/// Many Pearson correlations in brief.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CorrelationSummary {
    /// Mean over those that are defined.
    pub mean: Option<f64>,
    /// Median over those that are defined.
    pub median: Option<f64>,
    /// Left out because what was measured is constant, or was measured fewer than 3 times (where not all entries were).
    pub n_skipped: usize,
    /// Set to 0 because the prediction is constant.
    pub n_constant_predicted: usize,
}

/// Area under the precision–recall curve of "the value is above 0".
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Precision {
    /// Over all entries together.
    pub pooled: Option<f64>,
    /// Share of entries above 0: what random scores reach.
    pub base_rate: f64,
    /// Mean over features.
    pub mean_by_feature: Option<f64>,
    /// Mean share of cells above 0 over the same features.
    pub mean_base_rate: Option<f64>,
    /// Features that the mean is over (a seeded choice where there are many).
    pub n_features: usize,
    /// False when scores were rounded because there were too many to keep.
    pub exact: bool,
}

/// One label probed in the spaces of one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelProbe {
    /// The column of obs.
    pub label: String,
    /// The modality whose encoder gave the rows, `combined` for means over modalities, `learned` for step 1.
    pub source: String,
    /// Different values of the label; `None` where it is read as a number.
    pub n_classes: Option<usize>,
    /// Cells that probes learned from.
    pub n_training: usize,
    /// Cells judged.
    pub n_cells: usize,
    /// Spaces, those of the model first.
    pub spaces: Vec<SpaceScores>,
}

/// What one space knows of a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpaceScores {
    /// The space.
    #[serde(flatten)]
    pub method: Method,
    /// Numbers per cell.
    pub dim: usize,
    /// The label that most of the nearest training cells have.
    pub neighbours: Option<ClassScores>,
    /// Logistic regression.
    pub linear: Option<ClassScores>,
    /// Whether judged cells are nearer to their own class than to the next.
    pub silhouette: Option<f64>,
    /// Share of the variance of a numeric label that the space explains linearly, within the judged cells.
    pub r_squared: Option<f64>,
    /// The same less what chance gives.
    pub adjusted_r_squared: Option<f64>,
}

/// Agreement of predicted with true classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Mean over classes of the share of their cells that is found.
    pub balanced_accuracy: f64,
    /// Share of cells whose class is right.
    pub accuracy: f64,
    /// Mean over classes of the harmonic mean of precision and recall.
    pub macro_f1: f64,
    /// 95 % interval of the balanced accuracy.
    pub balanced_accuracy_interval: Interval,
}

impl Evaluation {
    /// Writes `evaluation.json` and `evaluation.tsv`, each whole or not at all.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, run: &RunDirectory) -> Result<()> {
        write_json(&run.file("evaluation.json"), self)?;
        write_atomically(&run.file("evaluation.tsv"), self.to_tsv().as_bytes())
    }
}
