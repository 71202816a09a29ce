//! The neighbour graph, its clusters and picture, and the metrics of integration, against scanpy, leidenalg, umap-learn and
//! scib-metrics (`make_golden_graph.py`).

use analysis::{
    ClusterAgreement, Covariate, Distance, Integration, Leiden, LeidenSpec, NeighbourGraph, NeighbourSearch,
    Neighbours, UmapSpec, bras, clisi, graph_connectivity, ilisi, isolated_labels, k_means_agreement, kbet,
    leiden_agreement, lisi, pcr_comparison, principal_component_regression, silhouette_batch, silhouette_label,
    trustworthiness, umap,
};
use serde_json::Value;
use tch::Tensor;

use crate::{assert_close, assert_close_or_none, codes, matrix, optional, vector};

/// scib-metrics computed in 64-bit numbers on exact neighbours, as here.
const NEAR: f64 = 1e-6;

struct Golden {
    all: Value,
    space: Tensor,
    labels: Vec<u32>,
    batches: Vec<u32>,
}

impl Golden {
    fn read() -> Self {
        let all: Value = serde_json::from_str(include_str!("graph.json")).unwrap();
        let (labels, batches) = (codes(&all["labels"]), codes(&all["batches"]));
        Self { space: matrix(&all["after"]), labels, batches, all }
    }

    fn neighbours(&self, n_with_self: usize) -> Neighbours {
        NeighbourSearch::new(&self.space, Distance::Euclidean).unwrap().nearest_others(n_with_self - 1).unwrap()
    }

    fn graph(&self, n_with_self: usize) -> NeighbourGraph {
        NeighbourGraph::fuzzy(&self.neighbours(n_with_self)).unwrap()
    }

    fn metric(&self, name: &str) -> f64 {
        self.all["metrics"][name].as_f64().unwrap()
    }

    fn assert_metric(&self, name: &str, found: f64) {
        let expected = self.metric(name);
        assert!((found - expected).abs() <= NEAR, "{name}: {found}, scib-metrics {expected}");
    }
}

#[test]
fn connectivities_are_those_of_scanpy() {
    let golden = Golden::read();
    let (graph, expected) = (golden.graph(15), &golden.all["connectivities"]);
    let indptr: Vec<usize> = codes(&expected["indptr"]).into_iter().map(|at| at as usize).collect();
    assert_eq!(graph.indptr(), indptr);
    assert_eq!(graph.indices(), codes(&expected["indices"]));
    assert_close(graph.weights(), &vector(&expected["weights"]), 1e-5);
}

/// From its formula, read off the rows of the graph.
fn modularity(graph: &NeighbourGraph, groups: &[u32], resolution: f64) -> f64 {
    let n_groups = groups.iter().max().map_or(0, |&last| last as usize + 1);
    let (mut within, mut strength) = (0.0, vec![0.0; n_groups]);
    for cell in 0..graph.n_cells() {
        let (others, weights) = graph.row(cell);
        for (&other, weight) in others.iter().zip(weights) {
            strength[groups[cell] as usize] += weight;
            within += if groups[cell] == groups[other as usize] { *weight } else { 0.0 };
        }
    }
    let total: f64 = strength.iter().sum();
    within / total - resolution * strength.iter().map(|one| (one / total).powi(2)).sum::<f64>()
}

#[test]
fn groups_are_as_good_as_those_of_leidenalg() {
    let golden = Golden::read();
    let graph = golden.graph(15);
    for resolution in [0.5, 1.0, 2.0] {
        let expected = golden.all["modularity"][format!("{resolution:.1}")].as_f64().unwrap();
        for seed in 0..5 {
            let found = Leiden::fit(&graph, LeidenSpec { resolution, seed }).unwrap();
            let by_hand = modularity(&graph, &found.groups, resolution);
            assert!((found.modularity - by_hand).abs() < 1e-9, "{} is not {by_hand}", found.modularity);
            assert!(by_hand > expected - 0.005, "{by_hand} at {resolution}, leidenalg {expected}");
            assert_eq!(found, Leiden::fit(&graph, LeidenSpec { resolution, seed }).unwrap());
        }
    }
}

#[test]
fn pictures_are_as_trustworthy_as_those_of_umap_learn() {
    let golden = Golden::read();
    let expected = &golden.all["umap"];
    let of_places = trustworthiness(&golden.space, &matrix(&expected["places"]), 15, 0).unwrap();
    assert_close(&[of_places.value], &[expected["of_places"].as_f64().unwrap()], 1e-12);
    let (graph, theirs) = (golden.graph(15), expected["trustworthiness"].as_f64().unwrap());
    for seed in 0..3 {
        let picture = umap(&golden.space, &graph, &UmapSpec { seed, ..Default::default() }).unwrap();
        let ours = trustworthiness(&golden.space, &picture, 15, 0).unwrap().value;
        assert!(ours > theirs - 0.01, "{ours}, umap-learn {theirs}");
    }
}

#[test]
fn silhouettes_and_regression_are_those_of_scib_metrics() {
    let golden = Golden::read();
    let Golden { all, space, labels, batches } = &golden;
    golden.assert_metric("silhouette_label", silhouette_label(space, labels, 0).unwrap().value);
    golden.assert_metric("silhouette_batch", silhouette_batch(space, labels, batches, 0).unwrap().value);
    golden.assert_metric("bras", bras(space, labels, batches).unwrap().value);
    golden.assert_metric("isolated_labels", isolated_labels(space, labels, batches, 0).unwrap().value);
    let before = matrix(&all["before"]);
    let compared = pcr_comparison(&before, space, Covariate::Classes(batches)).unwrap();
    golden.assert_metric("pcr_before", compared.before);
    golden.assert_metric("pcr_after", compared.after);
    golden.assert_metric("pcr_comparison", compared.score);
    let numbers: Vec<f64> = all["before"].as_array().unwrap().iter().map(|row| row[0].as_f64().unwrap()).collect();
    let explained = principal_component_regression(space, Covariate::Numbers(&numbers)).unwrap();
    golden.assert_metric("pcr_of_numbers", explained);
}

#[test]
fn neighbourhoods_are_judged_as_by_scib_metrics() {
    let golden = Golden::read();
    let (labels, batches, wide) = (&golden.labels, &golden.batches, golden.neighbours(90));
    assert_close(&lisi(&wide, batches).unwrap(), &vector(&golden.all["lisi_of_batches"]), NEAR);
    golden.assert_metric("ilisi", ilisi(&wide, batches).unwrap());
    golden.assert_metric("clisi", clisi(&wide, labels).unwrap());
    golden.assert_metric("graph_connectivity", graph_connectivity(&golden.neighbours(15), labels).unwrap());
    let found = kbet(&golden.graph(50), labels, batches).unwrap();
    let by_label: Vec<Option<f64>> = found.by_label.iter().map(|one| one.acceptance).collect();
    assert_close_or_none(&by_label, &optional(&golden.all["kbet_by_label"]), NEAR);
    golden.assert_metric("kbet", found.value);
}

#[test]
fn clusters_agree_with_labels_as_elsewhere() {
    let golden = Golden::read();
    let near = |found: ClusterAgreement, name: &str, tolerance: f64| {
        let expected = ["nmi", "ari"].map(|metric| golden.all[name][metric].as_f64().unwrap());
        let found = [found.agreement.normalised_mutual_information, found.agreement.adjusted_rand];
        assert_close(&found, &expected, tolerance);
    };
    // one of several optima whose inertia is within 0.01 % (3047.08 and 3047.29)
    near(k_means_agreement(&golden.space, &golden.labels, 0).unwrap(), "k_means", 0.02);
    // another search for groups, at the best of the same ten resolutions
    near(leiden_agreement(&golden.graph(15), &golden.labels, 0).unwrap(), "leiden", 0.03);
}

#[test]
fn the_report_holds_the_metrics_and_their_means() {
    let golden = Golden::read();
    let before = matrix(&golden.all["before"]);
    let Golden { space, labels, batches, .. } = &golden;
    let report = Integration { space, labels, batches, before: Some(&before) }.report(0).unwrap();
    assert_eq!((report.n_cells, report.n_cells_used, report.undefined.len()), (368, 368, 0));
    for (name, found) in [("ilisi", report.ilisi), ("kbet", report.kbet), ("bras", report.bras)] {
        golden.assert_metric(name, found.unwrap());
    }
    let names = ["bras", "ilisi", "kbet", "graph_connectivity", "pcr_comparison"];
    let mean = names.map(|name| golden.metric(name)).iter().sum::<f64>() / 5.0;
    assert_close(&[report.batch_correction.unwrap()], &[mean], NEAR);
    let total = 0.6 * report.bio_conservation.unwrap() + 0.4 * mean;
    assert_close(&[report.total.unwrap()], &[total], NEAR);
    let one = Integration { space, labels, batches: &vec![0; 368], before: None }.report(0).unwrap();
    let named: Vec<&str> = one.undefined.iter().filter_map(|why| why.split(':').next()).collect();
    assert_eq!(named, ["bras", "silhouette_batch", "ilisi", "kbet"]);
    assert_eq!((one.bras, one.pcr, one.silhouette_label), (None, None, report.silhouette_label));
}
