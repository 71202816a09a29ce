//! Leiden clustering of a neighbour graph.

use anyhow::{Context, Result, ensure};
use leiden_rs::{GraphDataBuilder, LeidenConfig, Partition, QualityType};
use serde::Serialize;

use crate::graph::NeighbourGraph;

/// Rounds of the whole procedure, each from the groups of the last, at most.
const MAX_ROUNDS: usize = 10;

/// What groups are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LeidenSpec {
    /// γ, above 0: the higher, the more groups.
    pub resolution: f64,
    /// Seed of the order in which cells are moved.
    pub seed: u64,
}

impl Default for LeidenSpec {
    fn default() -> Self {
        Self { resolution: 1.0, seed: 0 }
    }
}

/// Groups of cells that are connected more within than between.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leiden {
    /// Group of each cell, counted from 0, the largest first.
    pub groups: Vec<u32>,
    /// Number of groups.
    pub n_groups: usize,
    /// What was made large: Σ over groups of (weight within / m − γ (strength / 2m)²), with m the weight of all
    /// connections and the strength of a group the sum of the weights of its cells.
    pub modularity: f64,
}

impl Leiden {
    /// Groups the cells of a graph: moves of single cells, refinement, merging, until the modularity rises no more.
    ///
    /// Depends on the seed and the graph alone, not on the number of threads.
    ///
    /// # Errors
    /// When the graph has no connection or the resolution is not above 0.
    ///
    /// # Source
    /// Traag, Waltman and van Eck 2019; as scanpy's `leiden`, whose `RBConfigurationVertexPartition` has the same optimum.
    pub fn fit(graph: &NeighbourGraph, spec: LeidenSpec) -> Result<Self> {
        let resolution = spec.resolution;
        ensure!(
            resolution > 0.0 && resolution.is_finite(),
            "the resolution is {resolution}, but must be a number above 0; 1 is usual"
        );
        ensure!(graph.n_connections() > 0, "the graph has no connection; expected a graph of nearest neighbours");
        let found = search(graph, spec).context("Leiden clustering did not end")?;
        let (groups, n_groups) = by_size(found.0.as_slice());
        Ok(Self { groups, n_groups, modularity: found.1 })
    }
}

fn search(graph: &NeighbourGraph, spec: LeidenSpec) -> Result<(Partition, f64)> {
    let mut builder = GraphDataBuilder::new(graph.n_cells());
    for cell in 0..graph.n_cells() {
        let (others, weights) = graph.row(cell);
        for (&other, &weight) in others.iter().zip(weights).filter(|pair| *pair.0 as usize > cell) {
            builder.add_edge(cell, other as usize, weight)?;
        }
    }
    let graph = builder.build()?;
    let mut best: Option<(Partition, f64)> = None;
    for round in 0..MAX_ROUNDS {
        let told = LeidenConfig {
            resolution: spec.resolution,
            seed: Some(spec.seed.wrapping_add(round as u64)),
            quality: QualityType::Modularity,
            ..LeidenConfig::default()
        };
        let leiden = leiden_rs::Leiden::new(told);
        let found = match &best {
            None => leiden.run(&graph)?,
            Some((groups, _)) => leiden.run_with_initial_partition(&graph, groups.clone())?,
        };
        let before = best.as_ref().map_or(f64::NEG_INFINITY, |best| best.1);
        if found.quality > before {
            best = Some((found.partition, found.quality));
        }
        if found.quality <= before + 1e-9 {
            break;
        }
    }
    best.context("no groups were found")
}

/// Numbers groups by size, the largest first, equal ones by their first cell.
fn by_size(groups: &[usize]) -> (Vec<u32>, usize) {
    let mut sizes: std::collections::BTreeMap<usize, (usize, usize)> = std::collections::BTreeMap::new();
    for (cell, &group) in groups.iter().enumerate() {
        sizes.entry(group).or_insert((0, cell)).0 += 1;
    }
    let mut order: Vec<(usize, usize, usize)> = sizes.iter().map(|(&group, &(n, first))| (n, first, group)).collect();
    order.sort_unstable_by_key(|&(n, first, _)| (std::cmp::Reverse(n), first));
    let rank: std::collections::BTreeMap<usize, u32> =
        order.iter().enumerate().map(|(rank, &(_, _, group))| (group, rank as u32)).collect();
    (groups.iter().map(|group| rank[group]).collect(), order.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rings of 5, 8 and 6 cells, joined by weak connections.
    fn rings() -> NeighbourGraph {
        let mut rows: Vec<Vec<(u32, f64)>> = vec![Vec::new(); 19];
        let mut connect = |a: usize, b: usize, weight: f64| {
            rows[a].push((b as u32, weight));
            rows[b].push((a as u32, weight));
        };
        for (start, n) in [(0, 5), (5, 8), (13, 6)] {
            for at in 0..n {
                for step in 1..3 {
                    connect(start + at, start + (at + step) % n, 1.0);
                }
            }
        }
        connect(4, 5, 0.1);
        connect(12, 13, 0.1);
        rows.iter_mut().for_each(|row| row.sort_unstable_by_key(|pair| pair.0));
        NeighbourGraph::from_lists(&rows)
    }

    #[test]
    fn rings_are_found_the_largest_first() {
        let found = Leiden::fit(&rings(), LeidenSpec { resolution: 0.5, seed: 3 }).unwrap();
        let expected: Vec<u32> = [vec![2; 5], vec![0; 8], vec![1; 6]].concat();
        assert_eq!((&found.groups, found.n_groups), (&expected, 3));
        // 38 connections within, 0.2 between
        let m = 38.2;
        let share = |within: f64, strength: f64| within / m - 0.5 * (strength / (2.0 * m)).powi(2);
        let modularity = share(10.0, 20.1) + share(16.0, 32.2) + share(12.0, 24.1);
        assert!((found.modularity - modularity).abs() < 1e-12, "{} is not {modularity}", found.modularity);
        let fine = Leiden::fit(&rings(), LeidenSpec { resolution: 20.0, seed: 3 }).unwrap();
        assert!(fine.n_groups > 3);
    }

    #[test]
    fn impossible_wishes_are_refused() {
        let refused = |graph: &NeighbourGraph, resolution| {
            Leiden::fit(graph, LeidenSpec { resolution, seed: 0 }).unwrap_err().to_string()
        };
        assert!(refused(&rings(), 0.0).contains("above 0"));
        assert!(refused(&NeighbourGraph::from_lists(&[vec![], vec![]]), 1.0).contains("no connection"));
    }
}
