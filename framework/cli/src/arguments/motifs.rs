//! `cithara interpret --motifs …`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Motifs in the sequences of peaks.
#[derive(Debug, Args)]
pub struct MotifArguments {
    /// Motifs in JASPAR's formats (.jaspar, .pfm, also .gz), or a folder of such files: peaks in which a motif occurs are a set.
    /// May be given again.
    #[arg(long, value_name = "FILE", requires = "sequences")]
    pub motifs: Vec<PathBuf>,
    /// The genome (FASTA, also .gz) that names of peaks speak of, or a sequence for each feature.
    #[arg(long, value_name = "FASTA", requires = "motifs")]
    pub sequences: Option<PathBuf>,
    /// Probability that a word of chance scores as high as an occurrence must.
    #[arg(long, value_name = "P", default_value_t = 5e-5)]
    pub motif_p: f64,
    /// Which peaks those with a motif are compared with.
    #[arg(long, value_enum, default_value_t = MotifBackground::Tested)]
    pub motif_background: MotifBackground,
}

/// `--motif-background`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MotifBackground {
    /// All tested peaks that have a sequence.
    Tested,
    /// Tested peaks of the same tenth by GC content, so that motifs rich in G and C do not stand out wherever promoters do.
    GcMatched,
}
