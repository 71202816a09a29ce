//! `cithara report`.

use super::positive;
use clap::Args;
use std::path::PathBuf;

/// `cithara report`.
#[derive(Debug, Args)]
#[command(
    after_help = "The page needs no network and works without JavaScript. Beside it: its numbers (.json), and the pictures of \
spaces as a table, umap.tsv (cell, space, x, y)."
)]
pub struct ReportArguments {
    /// The run directory.
    pub run: PathBuf,
    /// The page to be written; default `report.html` in the run directory.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also colour cells by this column of obs: classes or numbers. May be given again.
    #[arg(long, value_name = "COLUMN")]
    pub color: Vec<String>,
    /// The folder of an ablation whose results are shown; default that of which the run is a part.
    #[arg(long, value_name = "FOLDER")]
    pub ablation: Option<PathBuf>,
    /// No pictures of latent spaces.
    #[arg(long)]
    pub no_umap: bool,
    /// Most cells that are drawn; of more, so many are drawn by the run's seed.
    #[arg(long, default_value_t = 20_000, value_parser = positive)]
    pub max_cells: usize,
}
