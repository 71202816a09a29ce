//! Making runs: anew, from where one stopped, and once more.

use super::SpecArguments;
use super::ablate::bytes;
use clap::Args;
use std::path::PathBuf;

/// `cithara run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The spec.
    #[command(flatten)]
    pub spec: SpecArguments,
    /// The run directory; default `runs/NAME`.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Replace a run of the same directory.
    #[arg(long)]
    pub force: bool,
    /// Do not start to learn where more memory than this is forecast, such as `16GB`.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_memory: Option<u64>,
    /// What follows learning.
    #[command(flatten)]
    pub then: ThenArguments,
}

/// `cithara resume`.
#[derive(Debug, Args)]
#[command(
    after_help = "The run goes on from its last checkpoint (`fit.checkpoint_every_secs`; one is also written at Ctrl-C, at a \
request to terminate, and where a loss is not finite), to the same bits as if it had never stopped."
)]
pub struct ResumeArguments {
    /// The run directory.
    pub run: PathBuf,
    /// Replace a value of `[fit]`: `--set fit.latent.learning_rate_decoder=1e-4`; recorded in the run. May be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What follows learning.
    #[command(flatten)]
    pub then: ThenArguments,
}

/// `cithara repro`.
#[derive(Debug, Args)]
pub struct ReproArguments {
    /// The run directory; nothing is written into it.
    pub run: PathBuf,
    /// Epochs that are repeated.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub epochs: u64,
}

/// What is done with a model when it is learned.
#[derive(Debug, Args)]
pub struct ThenArguments {
    /// Learn only: no embedding, no prediction, no evaluation.
    #[arg(long)]
    pub only_fit: bool,
    /// Write no annotated copy of the data; `cithara embed` makes one later.
    #[arg(long)]
    pub no_annotation: bool,
    /// Judge the model alone; `cithara evaluate` adds controls later.
    #[arg(long)]
    pub no_controls: bool,
    /// Keep the prepared data in this folder, and take them from there: for runs of the same data and seed.
    #[arg(long, value_name = "FOLDER")]
    pub prepared: Option<PathBuf>,
    /// End when the standard input closes.
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
    /// Print the evaluation as JSON.
    #[arg(long)]
    pub json: bool,
}
