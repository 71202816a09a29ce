//! `cithara cluster`.

use super::positive;
use crate::cluster::Method;
use clap::Args;
use std::path::PathBuf;

/// `cithara cluster`.
#[derive(Debug, Args)]
#[command(
    after_help = "Written are clusters.tsv (cell, space, cluster, place in a UMAP), how clusters agree with labels beside \
clusters of as many principal components and of random numbers, and heat maps of classes by cluster; and into the run's \
annotated file columns of obs, UMAPs in obsm, and graphs in obsp as scanpy has them.\n\nExample: cithara cluster \
runs/pbmc10k_cite --resolution 0.5"
)]
pub struct ClusterArguments {
    /// The run directory.
    pub run: PathBuf,
    /// Only this latent space. May be given again.
    #[arg(long = "space", value_name = "NAME")]
    pub spaces: Vec<String>,
    /// How cells are grouped.
    #[arg(long, value_enum, default_value_t = Method::Leiden)]
    pub method: Method,
    /// Resolution of Leiden: the higher, the more clusters.
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0)]
    pub resolution: f64,
    /// Clusters of k-means; default as many as the first label has classes.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub n_clusters: Option<usize>,
    /// Neighbours of a cell in the graph, itself counted.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = positive)]
    pub neighbours: usize,
    /// Also compare with this column of obs. May be given again.
    #[arg(long = "label", value_name = "COLUMN")]
    pub labels: Vec<String>,
    /// Most cells that a graph joins; of more, so many are drawn, and the others get the cluster of most of their nearest.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = positive)]
    pub max_cells: usize,
    /// Seed; default that of the run.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Folder for tables and pictures; default `clusters` in the run directory.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Replace what was written there before.
    #[arg(long)]
    pub force: bool,
    /// No UMAPs.
    #[arg(long)]
    pub no_umap: bool,
    /// Do not add anything to the run's annotated file.
    #[arg(long)]
    pub no_annotation: bool,
}
