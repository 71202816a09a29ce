//! `cithara inpaint`.

use super::positive;
use clap::Args;
use std::path::PathBuf;

/// `cithara inpaint`.
#[derive(Debug, Args)]
#[command(
    after_help = "A network is shown chromatin and protein of a training cell, and paints the protein of another cell of the same protein \
into its chromatin (paired-cell inpainting; Lu et al. 2019, Zhang et al. 2026, Fig. 3c). It learns from the training cells of the run, \
stops by its validation cells, and is judged beside the run's model and controls in the same cells, by the same numbers.\n\n\
Example: cithara inpaint runs/panels --from dna --to protein"
)]
pub struct InpaintArguments {
    /// The run directory.
    pub run: PathBuf,
    /// The modality that is read, such as chromatin; may be left out where the run has two modalities of images.
    #[arg(long, value_name = "MODALITY")]
    pub from: Option<String>,
    /// The modality that is painted; may be left out where the run has two modalities of images.
    #[arg(long, value_name = "MODALITY")]
    pub to: Option<String>,
    /// Channels of the first layer that sees the target's chromatin, others being multiples of it (published: 16). Half as many need
    /// about a quarter of the time.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = positive)]
    pub width: usize,
    /// Learning rate of Adam (published: 0.0001).
    #[arg(long, value_name = "RATE", default_value_t = 1e-4)]
    pub learning_rate: f64,
    /// Cells of a step (published: 128).
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = positive)]
    pub minibatch: usize,
    /// Most passes over the cells.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = positive)]
    pub epochs: usize,
    /// Passes without a lower error of the validation cells after which learning ends (published: 100).
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = positive)]
    pub patience: usize,
    /// Learn from at most so many cells.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_cells: Option<usize>,
    /// Judge the model and the network only, without the controls.
    #[arg(long)]
    pub no_controls: bool,
    /// Seed of weights, orders and partners; default that of the run.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Folder for tables, pictures and weights; default `inpainting` in the run directory.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Replace what was found there earlier.
    #[arg(long)]
    pub force: bool,
}
