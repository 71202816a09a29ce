//! Modalities: the measurements of one assay, opened, checked, prepared and handed out in minibatches.

use crate::component::Spec;
use crate::data::{Augmentation, MatrixModality};
use crate::loss::{Statistics, TargetValues};
use crate::minibatch::{FeatureShape, Features};
use crate::spec::TableSpec;
use crate::step::Step;
use anyhow::Result;
use std::path::Path;

/// Where the measurements of a modality are.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Name of the modality in the spec, for messages.
    pub name: &'a str,
    /// The file.
    pub path: &'a Path,
    /// The modality inside a MuData file; `None` for files that hold one.
    pub key: Option<&'a str>,
    /// How the file is understood, if it is separated text.
    pub table: Option<&'a TableSpec>,
    /// Where the values of a matrix are to be held.
    pub holding: Holding<'a>,
}

/// Where the values of a matrix are held while a model is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding<'a> {
    /// In memory, unless the values alone need more bytes than this.
    Memory(Option<u64>),
    /// In a cache on disk: in this folder, or beside the file.
    Disk(Option<&'a Path>),
}

impl Default for Holding<'_> {
    fn default() -> Self {
        Holding::Memory(None)
    }
}

/// What a modality uses where its table says nothing, as (kind, TOML of the table).
#[derive(Debug, Clone)]
pub struct Defaults {
    /// Steps, in order.
    pub steps: Vec<(&'static str, &'static str)>,
    /// Encoder.
    pub encoder: (&'static str, &'static str),
    /// Decoder.
    pub decoder: (&'static str, &'static str),
    /// Loss.
    pub loss: (&'static str, &'static str),
}

/// Rows handed out for a minibatch.
#[derive(Debug)]
pub struct Gathered {
    /// Values after the steps.
    pub input: Features,
    /// What the loss compares with.
    pub target: Features,
    /// How many trials each entry of the target is the successes of, where the loss asked for
    /// [`TargetValues::Trials`].
    pub trials: Option<Features>,
}

impl Gathered {
    /// Rows whose target needs no trials.
    pub fn new(input: Features, target: Features) -> Gathered {
        Gathered { input, target, trials: None }
    }
}

/// How the features of new data met those that a model was trained on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alignment {
    /// Features of the model that the new data have.
    pub n_found: usize,
    /// Features of the model that the new data lack. Of a matrix, encoders see the mean of the training cells in their place, and
    /// losses leave them out where rows are found by optimisation.
    pub missing: Vec<String>,
    /// Features of the new data that the model does not know.
    pub n_unknown: usize,
}

/// The opened measurements of one assay; rows are the cells of its own file.
pub trait Modality: Send + Sync {
    /// Names of the cells, one per row.
    fn cells(&self) -> &[String];

    /// Names of the features, one per column.
    fn features(&self) -> &[String];

    /// The form of one cell's features.
    fn shape(&self) -> FeatureShape;

    /// One round of filtering: drops features seen in too few of the `kept` cells and returns which cells have enough
    /// features left. Keeps everything unless the assay filters.
    ///
    /// # Errors
    /// When nothing would be left.
    fn filter_round(&mut self, kept: &[bool]) -> Result<Vec<bool>> {
        Ok(kept.to_vec())
    }

    /// For each row the place of the cell that its measurements are of, where several rows may be of one cell (as pairs of a cell
    /// and a protein are); `None` where each row is a cell of its own. A split keeps rows of one cell together.
    fn cell_of_rows(&self) -> Option<Vec<usize>> {
        None
    }

    /// Keeps these rows only, in this order.
    ///
    /// # Errors
    /// When there is no such row.
    fn keep_cells(&mut self, rows: &[usize]) -> Result<()>;

    /// The matrix that the measurements are, if they are one in memory and nothing beside it: what is prepared of a matrix can be kept
    /// for other runs of the same data.
    fn as_matrix(&self) -> Option<&MatrixModality> {
        None
    }

    /// Fits the steps on the training rows and applies them to all.
    ///
    /// # Errors
    /// When the values are not what a step expects.
    fn prepare(&mut self, training: &[usize]) -> Result<()>;

    /// What was fitted, for the run directory: JSON that `restore` understands.
    fn state(&self) -> serde_json::Value;

    /// Instead of `prepare`, for new data: takes the features and fitted steps of an earlier run.
    ///
    /// # Errors
    /// When the state is not this modality's or no feature is found.
    fn restore(&mut self, state: &serde_json::Value) -> Result<Alignment>;

    /// Columns of the features that the data lack, ascending, after [`restore`](Modality::restore): what is gathered of them was
    /// not measured.
    fn lacking(&self) -> &[i64] {
        &[]
    }

    /// Totals over these rows.
    ///
    /// # Errors
    /// When the rows cannot be read.
    fn statistics(&self, rows: &[usize]) -> Result<Statistics>;

    /// Refuses values that a loss cannot use.
    ///
    /// # Errors
    /// Naming the first value that does not fit, its cell and its feature.
    fn check_target(&self, values: TargetValues) -> Result<()>;

    /// Told of rows that will be gathered soon, in some order: measurements on disk may be brought closer.
    fn read_ahead(&self, rows: &[usize]) {
        let _ = rows;
    }

    /// The features of these rows.
    ///
    /// # Errors
    /// When the rows cannot be read.
    fn gather(&self, rows: &[usize], values: TargetValues) -> Result<Gathered>;

    /// Bytes of memory that the modality holds.
    fn n_bytes(&self) -> u64;
}

/// The table that a modality is opened from.
#[typetag::serialize(tag = "kind")]
pub trait ModalitySpec: Spec {
    /// Reads the measurements.
    ///
    /// # Errors
    /// When the file or what it holds is not what the assay expects.
    fn open(&self, source: &Source<'_>, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>>;

    /// What is used where the table says nothing.
    fn defaults(&self) -> Defaults;

    /// What is done to images of training cells; `None` for assays that are no images.
    fn augmentation(&self) -> Option<Augmentation> {
        None
    }

    /// What is used instead under `settings = "published"`: the assay's own paper.
    fn published_defaults(&self) -> Defaults {
        self.defaults()
    }
}
