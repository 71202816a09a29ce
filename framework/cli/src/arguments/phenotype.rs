//! `cithara phenotype`.

use super::positive;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `cithara phenotype`.
#[derive(Debug, Args)]
#[command(
    after_help = "For each modality of images a ResNet-18 learns the label from real images, from those that the model reconstructs \
from all it knows, from the shared spaces alone, and from those it predicts from every other modality (Zhang et al. 2026, Methods and \
Fig. 3d). Kinds of images are compared by paired tests over splits, and over held-out groups. Where the paper and its authors' code \
part, the paper is followed; but cells that judge are never cells that the network learned from.\n\nExample: cithara phenotype \
runs/cells --label diagnosis --hold-out donor"
)]
pub struct PhenotypeArguments {
    /// The run directory.
    pub run: PathBuf,
    /// The column of obs that is told: labels, or numbers with `--regress`.
    #[arg(long, value_name = "COLUMN")]
    pub label: String,
    /// Tell the label as a number (squared error; correlations) instead of classes.
    #[arg(long)]
    pub regress: bool,
    /// Only images of this modality. May be given again.
    #[arg(long = "modality", value_name = "MODALITY")]
    pub modalities: Vec<String>,
    /// Only images predicted from this modality, besides those of the modality itself. May be given again.
    #[arg(long, value_name = "MODALITY")]
    pub from: Vec<String>,
    /// Only cells whose column of obs has this value: `--only protein=CD4`.
    #[arg(long, value_name = "COLUMN=VALUE")]
    pub only: Option<String>,
    /// Which cells are learned from, and which judge.
    #[command(flatten)]
    pub division: DivisionArguments,
    /// How networks learn.
    #[command(flatten)]
    pub classifier: ClassifierArguments,
    /// Do not learn permuted labels for comparison.
    #[arg(long)]
    pub no_permuted: bool,
    /// Seed of divisions, weights and orders; default that of the run.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Folder for tables, pictures and numbers; default `phenotype` in the run directory.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Replace what was found there earlier.
    #[arg(long)]
    pub force: bool,
}

/// Which cells are learned from, and which judge.
#[derive(Debug, Args)]
pub struct DivisionArguments {
    /// Hold out whole classes of this column, such as donors or wells, instead of cells at random.
    #[arg(long, value_name = "COLUMN")]
    pub hold_out: Option<String>,
    /// Cells that may judge: those that the model itself never learned from (nor was stopped by), or all; default the former,
    /// where there are enough of them.
    #[arg(long, value_enum)]
    pub cells: Option<JudgedArgument>,
    /// Splits.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = positive)]
    pub repeats: usize,
    /// Parts that cells or groups which may judge are divided into; each split holds out one, and none again before all were
    /// (published: 6).
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = positive)]
    pub folds: usize,
    /// Share of the other cells (whole groups of them with `--hold-out`) that tells when to stop.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub stop_share: f64,
    /// Learn from at most so many cells, drawn in each split.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_cells: Option<usize>,
}

/// `--cells`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JudgedArgument {
    /// Cells that the model itself never learned from.
    Test,
    /// All cells.
    All,
}

/// How networks learn.
#[derive(Debug, Args)]
pub struct ClassifierArguments {
    /// Channels of the first of the network's four stages, each further one having twice as many (published: 64). Half as many
    /// need about a quarter of the time.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = positive)]
    pub width: usize,
    /// Learning rate of Adam (paper: 0.001; code: 0.0001).
    #[arg(long, value_name = "RATE", default_value_t = 1e-3)]
    pub learning_rate: f64,
    /// Cells of a step.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = positive)]
    pub minibatch: usize,
    /// Most passes over the cells (published: 5001).
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = positive)]
    pub epochs: usize,
    /// Passes without a lower loss of the cells to stop by after which learning ends.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = positive)]
    pub patience: usize,
}
