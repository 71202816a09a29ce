//! What must hold of graphs, clusters, pictures and integration metrics whatever the numbers are.

use analysis::{
    Distance, Integration, IntegrationReport, Leiden, LeidenSpec, NeighbourGraph, NeighbourSearch, UmapSpec, lisi, umap,
};
use proptest::prelude::*;
use tch::{Kind, Tensor};

const N_CELLS: usize = 120;

/// Numbers that look random and depend on the seed alone.
fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1u32 << 23) - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn space(n_cells: usize, seed: u64) -> Tensor {
    Tensor::from_slice(&numbers(n_cells * 4, seed)).view([n_cells as i64, 4])
}

/// Codes below n that do not follow the space.
fn groups(n_cells: usize, n: u32, seed: u64) -> Vec<u32> {
    numbers(n_cells, seed).iter().map(|x| ((x + 1.0) / 2.0 * f64::from(n)) as u32 % n).collect()
}

fn order(seed: u64) -> Vec<usize> {
    let keys = numbers(N_CELLS, seed);
    let mut order: Vec<usize> = (0..N_CELLS).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    order
}

fn graph(space: &Tensor, n_neighbours: usize) -> NeighbourGraph {
    let search = NeighbourSearch::new(space, Distance::Euclidean).unwrap();
    NeighbourGraph::fuzzy(&search.nearest_others(n_neighbours).unwrap()).unwrap()
}

fn report(space: &Tensor, labels: &[u32], batches: &[u32]) -> IntegrationReport {
    Integration { space, labels, batches, before: Some(&(space * 2.0 + 1.0)) }.report(0).unwrap()
}

/// All numbers that do not come from a seeded clustering.
fn exact(report: &IntegrationReport) -> Vec<f64> {
    let pcr = report.pcr.unwrap();
    let scores = [report.isolated_labels, report.silhouette_label, report.clisi, report.bras, report.silhouette_batch];
    let graphs = [report.ilisi, report.kbet, report.graph_connectivity, Some(pcr.before), Some(pcr.score)];
    scores.iter().chain(&graphs).map(|score| score.unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn order_of_cells_only_reorders_results(seed in 0u64..1_000_000) {
        let (cells, order) = (space(N_CELLS, seed), order(seed + 1));
        let ids: Vec<i64> = order.iter().map(|&cell| cell as i64).collect();
        let moved = cells.index_select(0, &Tensor::from_slice(&ids));
        let (first, second) = (graph(&cells, 9), graph(&moved, 9));
        let back = first.among(&order).unwrap();
        prop_assert_eq!(back.indices(), second.indices());
        prop_assert!(back.weights().iter().zip(second.weights()).all(|(a, b)| (a - b).abs() < 1e-9));

        let (labels, batches) = (groups(N_CELLS, 2, seed + 2), groups(N_CELLS, 3, seed + 3));
        let of = |codes: &[u32]| order.iter().map(|&cell| codes[cell]).collect::<Vec<u32>>();
        let (found, again) = (report(&cells, &labels, &batches), report(&moved, &of(&labels), &of(&batches)));
        for (a, b) in exact(&found).iter().zip(exact(&again)) {
            prop_assert!((a - b).abs() < 1e-7, "{:?} and {:?}", exact(&found), exact(&again));
        }
    }

    #[test]
    fn names_and_units_do_not_matter(seed in 0u64..1_000_000, scale in 0.01f64..100.0) {
        let cells = space(N_CELLS, seed);
        let (labels, batches) = (groups(N_CELLS, 2, seed + 2), groups(N_CELLS, 3, seed + 3));
        let renamed = |codes: &[u32]| codes.iter().map(|code| 1000 - 7 * code).collect::<Vec<u32>>();
        let found = report(&cells, &labels, &batches);
        let again = report(&(&cells * scale), &renamed(&labels), &renamed(&batches));
        for (a, b) in exact(&found).iter().zip(exact(&again)) {
            prop_assert!((a - b).abs() < 1e-4, "{:?} and {:?}", exact(&found), exact(&again));
        }
    }

    #[test]
    fn weights_are_symmetric_and_between_zero_and_one(seed in 0u64..1_000_000, n_neighbours in 1usize..30) {
        let graph = graph(&space(N_CELLS, seed), n_neighbours);
        for cell in 0..N_CELLS {
            let (others, weights) = graph.row(cell);
            prop_assert!(others.len() >= n_neighbours && others.is_sorted() && !others.contains(&(cell as u32)));
            for (&other, &weight) in others.iter().zip(weights) {
                let (back, theirs) = graph.row(other as usize);
                prop_assert!(weight > 0.0 && weight <= 1.0);
                prop_assert_eq!(theirs[back.binary_search(&(cell as u32)).unwrap()], weight);
            }
        }
    }
}

#[test]
fn batches_that_mix_score_high_and_batches_apart_score_low() {
    let (cells, labels, batches) = (space(900, 4), groups(900, 2, 5), groups(900, 2, 6));
    let mixed = report(&cells, &labels, &batches);
    let scores = [mixed.ilisi, mixed.kbet, mixed.bras].map(Option::unwrap);
    assert!(scores.iter().all(|&score| score > 0.85), "{scores:?}");
    let side: Vec<f64> = batches.iter().map(|&batch| f64::from(batch) * 100.0 - 50.0).collect();
    let apart = report(&(cells + Tensor::from_slice(&side).view([-1, 1])), &labels, &batches);
    let scores = [apart.ilisi, apart.kbet, apart.bras].map(Option::unwrap);
    assert!(scores.iter().all(|score| score.abs() < 0.01), "{scores:?}");
    assert!(apart.pcr.unwrap().before > 0.99 && apart.pcr.unwrap().score < 0.01);
}

#[test]
fn a_neighbourhood_of_one_batch_holds_one() {
    let cells = space(N_CELLS, 9);
    let neighbours = NeighbourSearch::new(&cells, Distance::Euclidean).unwrap().nearest_others(29).unwrap();
    for value in lisi(&neighbours, &[3; N_CELLS]).unwrap() {
        assert!((value - 1.0).abs() < 1e-12, "{value}");
    }
    for value in lisi(&neighbours, &groups(N_CELLS, 4, 1)).unwrap() {
        assert!((1.0..=4.0).contains(&value), "{value}");
    }
}

/// Two spaces, one whole and one in two parts, by the number of parts.
fn space_in_parts(n_parts: u32) -> Tensor {
    let side: Vec<f64> = (0..500).map(|cell| f64::from(cell % n_parts) * 100.0).collect();
    space(500, 7) + Tensor::from_slice(&side).view([-1, 1])
}

/// Clusters and picture of a space, made with so many threads.
fn made(n_parts: u32, n_threads: usize) -> (Leiden, Vec<f32>) {
    tch::set_num_threads(n_threads as i32);
    rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap().install(|| {
        let cells = space_in_parts(n_parts);
        let graph = graph(&cells, 14);
        let groups = Leiden::fit(&graph, LeidenSpec { resolution: 1.0, seed: 4 }).unwrap();
        let picture = umap(&cells, &graph, &UmapSpec { seed: 4, ..Default::default() }).unwrap();
        (groups, Vec::try_from(picture.to_kind(Kind::Float).view(-1)).unwrap())
    })
}

#[test]
fn the_number_of_threads_changes_neither_clusters_nor_pictures() {
    for n_parts in [1, 2] {
        let components = graph(&space_in_parts(n_parts), 14).components();
        assert_eq!(components.iter().max(), Some(&(n_parts - 1)));
        assert_eq!(made(n_parts, 1), made(n_parts, 2));
    }
}
