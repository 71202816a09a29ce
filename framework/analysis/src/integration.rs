//! How well a space joins batches and keeps labels apart: the metrics of scib, together.

mod bras;
mod cluster_agreement;
mod diffusion;
mod graph_connectivity;
mod isolated_labels;
mod kbet;
mod lisi;
mod pcr;
mod silhouette_batch;
mod silhouette_label;

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::Tensor;

use crate::graph::NeighbourGraph;
use crate::neighbours::{Distance, NeighbourSearch};
use crate::random::subset;
use crate::score::{MAX_PAIRED_CELLS, check_codes};
use crate::tensor::{host, ids};

pub use bras::bras;
pub use cluster_agreement::{ClusterAgreement, k_means_agreement, leiden_agreement};
pub use graph_connectivity::graph_connectivity;
pub use isolated_labels::isolated_labels;
pub use kbet::{Kbet, KbetOfLabel, kbet};
pub use lisi::{clisi, ilisi, lisi};
pub use pcr::{Covariate, PcrComparison, pcr_comparison, principal_component_regression};
pub use silhouette_batch::silhouette_batch;
pub use silhouette_label::silhouette_label;

/// Whose definitions are followed.
const DEFINITIONS: &str = "scib-metrics 0.5.10";
/// Other cells in the neighbourhoods of graph connectivity and Leiden, of kBET, and of LISI.
const N_NEIGHBOURS: [usize; 3] = [14, 49, 89];

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Integration<'a> {
    /// The space, n_cells × n_dimensions.
    pub space: &'a Tensor,
    /// Label of each cell, such as its type.
    pub labels: &'a [u32],
    /// Batch of each cell.
    pub batches: &'a [u32],
    /// Scores on principal components of the data before integration, n_cells × any; `None`: no PCR comparison.
    pub before: Option<&'a Tensor>,
}

/// All metrics of a space; `None` where one is not defined, with the reason in `undefined`. All are 0 … 1 (ARI from −0.5),
/// higher is better.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntegrationReport {
    /// Whose definitions these are.
    pub definitions: &'static str,
    /// Cells given.
    pub n_cells: usize,
    /// Cells used: all, or a seeded random subset of [`MAX_PAIRED_CELLS`].
    pub n_cells_used: usize,
    /// [`isolated_labels`](fn@isolated_labels).
    pub isolated_labels: Option<f64>,
    /// [`k_means_agreement`].
    pub k_means: Option<ClusterAgreement>,
    /// [`leiden_agreement`]; in no mean, as in scib-metrics.
    pub leiden: Option<ClusterAgreement>,
    /// [`silhouette_label`](fn@silhouette_label).
    pub silhouette_label: Option<f64>,
    /// [`clisi`].
    pub clisi: Option<f64>,
    /// [`bras`](fn@bras).
    pub bras: Option<f64>,
    /// [`silhouette_batch`](fn@silhouette_batch); in no mean, as in scib-metrics.
    pub silhouette_batch: Option<f64>,
    /// [`ilisi`].
    pub ilisi: Option<f64>,
    /// [`kbet`](fn@kbet).
    pub kbet: Option<f64>,
    /// [`graph_connectivity`](fn@graph_connectivity).
    pub graph_connectivity: Option<f64>,
    /// [`pcr_comparison`].
    pub pcr: Option<PcrComparison>,
    /// Mean of isolated labels, k-means NMI and ARI, silhouette of labels and cLISI, where defined.
    pub bio_conservation: Option<f64>,
    /// Mean of BRAS, iLISI, kBET, graph connectivity and PCR comparison, where defined.
    pub batch_correction: Option<f64>,
    /// 0.6 × bio conservation + 0.4 × batch correction.
    pub total: Option<f64>,
    /// Metrics that are not defined here, and why.
    pub undefined: Vec<String>,
}

impl Integration<'_> {
    /// Takes every metric.
    ///
    /// # Errors
    /// When lengths disagree, a coordinate is not finite, or there are no more than 90 cells, which LISI needs.
    ///
    /// # Source
    /// Luecken et al. 2022; `Benchmarker` of scib-metrics 0.5.10 with its defaults, plus Leiden and the silhouette of
    /// batches. Neighbours are exact, where scib-metrics searches approximately.
    pub fn report(&self, seed: u64) -> Result<IntegrationReport> {
        let space = host(self.space, "the space")?;
        let n_cells = space.size()[0] as usize;
        check_codes(n_cells, &[self.labels, self.batches])?;
        let most = N_NEIGHBOURS[2];
        ensure!(n_cells > most, "{n_cells} cells are too few to judge integration; expected more than {most}");
        let used = subset(n_cells, MAX_PAIRED_CELLS, seed);
        let rows = ids(&used);
        let of_used = |codes: &[u32]| used.iter().map(|&cell| codes[cell]).collect::<Vec<u32>>();
        let (labels, batches) = (of_used(self.labels), of_used(self.batches));
        let before = self.before.map(|before| host(before, "the space before integration")).transpose()?;
        let before = before.map(|before| before.f_index_select(0, &rows)).transpose()?;
        let space = space.index_select(0, &rows);
        let chosen = Integration { space: &space, labels: &labels, batches: &batches, before: before.as_ref() };
        let mut report = chosen.report_all(seed)?;
        report.n_cells = n_cells;
        Ok(report)
    }

    fn report_all(&self, seed: u64) -> Result<IntegrationReport> {
        let Self { space, labels, batches, before } = *self;
        let widest = NeighbourSearch::new(space, Distance::Euclidean)?.nearest_others(N_NEIGHBOURS[2])?;
        let [narrow, middle] = [N_NEIGHBOURS[0], N_NEIGHBOURS[1]].map(|n| widest.first(n));
        let (near_graph, graph) = (NeighbourGraph::fuzzy(&narrow)?, NeighbourGraph::fuzzy(&middle)?);
        let mut undefined = Undefined::default();
        let compared = before.and_then(|before| {
            undefined.note("pcr_comparison", pcr_comparison(before, space, Covariate::Classes(batches)))
        });
        let mut report = IntegrationReport {
            definitions: DEFINITIONS,
            n_cells: labels.len(),
            n_cells_used: labels.len(),
            isolated_labels: undefined.score("isolated_labels", isolated_labels(space, labels, batches, seed)),
            k_means: undefined.note("k_means", k_means_agreement(space, labels, seed)),
            leiden: undefined.note("leiden", leiden_agreement(&near_graph, labels, seed)),
            silhouette_label: undefined.score("silhouette_label", silhouette_label(space, labels, seed)),
            clisi: undefined.note("clisi", clisi(&widest, labels)),
            bras: undefined.score("bras", bras(space, labels, batches)),
            silhouette_batch: undefined.score("silhouette_batch", silhouette_batch(space, labels, batches, seed)),
            ilisi: undefined.note("ilisi", ilisi(&widest, batches)),
            kbet: undefined.note("kbet", kbet(&graph, labels, batches)).map(|kbet| kbet.value),
            graph_connectivity: undefined.note("graph_connectivity", graph_connectivity(&narrow, labels)),
            pcr: compared,
            bio_conservation: None,
            batch_correction: None,
            total: None,
            undefined: undefined.0,
        };
        report.add_means();
        Ok(report)
    }
}

impl IntegrationReport {
    fn add_means(&mut self) {
        let k_means = self.k_means.map(|found| found.agreement);
        self.bio_conservation = mean(&[
            self.isolated_labels,
            k_means.map(|found| found.normalised_mutual_information),
            k_means.map(|found| found.adjusted_rand),
            self.silhouette_label,
            self.clisi,
        ]);
        let pcr = self.pcr.map(|pcr| pcr.score);
        self.batch_correction = mean(&[self.bras, self.ilisi, self.kbet, self.graph_connectivity, pcr]);
        let both = self.bio_conservation.zip(self.batch_correction);
        self.total = both.map(|(labels, batches)| 0.6 * labels + 0.4 * batches);
    }
}

/// Metrics that are not defined, and why.
#[derive(Default)]
struct Undefined(Vec<String>);

impl Undefined {
    fn note<T>(&mut self, name: &str, found: Result<T>) -> Option<T> {
        found.map_err(|error| self.0.push(format!("{name}: {error:#}"))).ok()
    }

    fn score(&mut self, name: &str, found: Result<crate::score::Score>) -> Option<f64> {
        self.note(name, found).map(|score| score.value)
    }
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}
