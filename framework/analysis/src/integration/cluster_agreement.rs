//! Whether clusters found without labels are the labels.

use anyhow::{Context, Result};
use serde::Serialize;
use tch::Tensor;

use crate::agreement::{Agreement, agreement};
use crate::graph::NeighbourGraph;
use crate::k_means::KMeans;
use crate::leiden::{Leiden, LeidenSpec};
use crate::score::check_codes;

/// Starts of k-means, of which the best is kept; scib-metrics has one.
const N_STARTS: usize = 10;
/// Resolutions tried: 0.2, 0.4 … 2.
const N_RESOLUTIONS: u32 = 10;

/// Clusters against labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClusterAgreement {
    /// Adjusted Rand index and normalised mutual information (mean of entropies): both up to 1, higher is better.
    pub agreement: Agreement,
    /// Number of clusters.
    pub n_clusters: usize,
    /// Resolution of the best Leiden clustering; `None` for k-means.
    pub resolution: Option<f64>,
}

/// k-means with as many clusters as labels, the best of ten seeded starts, against the labels.
///
/// # Errors
/// When labels are not one per cell or a coordinate is not finite.
///
/// # Source
/// scib-metrics 0.5.10 `nmi_ari_cluster_labels_kmeans`, which makes one start.
pub fn k_means_agreement(space: &Tensor, labels: &[u32], seed: u64) -> Result<ClusterAgreement> {
    check_codes(space.size().first().map_or(0, |&n| n as usize), &[labels])?;
    let mut names = labels.to_vec();
    names.sort_unstable();
    names.dedup();
    let groups = KMeans::fit(space, names.len(), N_STARTS, seed)?.groups(space)?;
    Ok(ClusterAgreement { agreement: agreement(labels, &groups)?, n_clusters: names.len(), resolution: None })
}

/// Leiden clusters at the resolution (0.2, 0.4 … 2) whose normalised mutual information with the labels is highest.
///
/// The labels choose the resolution: the result is what a reader of the labels could reach, not what a clustering without
/// them reaches. scib-metrics takes the graph of k + 1 = 15 neighbours, the cell itself counted.
///
/// # Errors
/// When labels are not one per cell or the graph has no connection.
///
/// # Source
/// Luecken et al. 2022; scib-metrics 0.5.10 `nmi_ari_cluster_labels_leiden`.
pub fn leiden_agreement(graph: &NeighbourGraph, labels: &[u32], seed: u64) -> Result<ClusterAgreement> {
    check_codes(graph.n_cells(), &[labels])?;
    let mut best: Option<ClusterAgreement> = None;
    for step in 1..=N_RESOLUTIONS {
        let resolution = f64::from(2 * step) / f64::from(N_RESOLUTIONS);
        let found = Leiden::fit(graph, LeidenSpec { resolution, seed })?;
        let agreement = agreement(labels, &found.groups)?;
        let now = ClusterAgreement { agreement, n_clusters: found.n_groups, resolution: Some(resolution) };
        let information = |one: &ClusterAgreement| one.agreement.normalised_mutual_information;
        if best.as_ref().is_none_or(|best| information(&now) > information(best)) {
            best = Some(now);
        }
    }
    best.context("no resolution was tried")
}
