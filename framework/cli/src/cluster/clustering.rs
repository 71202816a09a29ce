//! Clusters of the rows of a space.

use crate::evaluate::{ids, select};
use crate::report::layouts::chosen;
use analysis::{Distance, KMeans, Leiden, LeidenSpec, NeighbourGraph, NeighbourSearch, majority_labels, silhouette};
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;
use tch::Tensor;

/// Starts of k-means.
const N_STARTS: usize = 10;

/// How cells are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Leiden, on the graph of nearest neighbours.
    Leiden,
    /// k-means, the best of ten starts.
    KMeans,
}

impl Method {
    /// Its name in keys and tables: `leiden`, `k_means`.
    pub fn name(self) -> &'static str {
        match self {
            Method::Leiden => "leiden",
            Method::KMeans => "k_means",
        }
    }
}

/// What clusters are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClusterSpec {
    /// How cells are grouped.
    pub method: Method,
    /// γ of Leiden: the higher, the more clusters.
    pub resolution: f64,
    /// Clusters of k-means.
    pub n_clusters: usize,
    /// Neighbours of a cell in the graph, the cell itself counted, as scanpy does.
    pub n_neighbours: usize,
    /// Most cells that the graph joins; of more, so many are drawn by the seed, and the others get the cluster that most of
    /// their nearest drawn cells are in.
    pub max_cells: usize,
    /// Seed.
    pub seed: u64,
}

/// The clusters of a space.
#[derive(Debug)]
pub struct Clustered {
    /// Cluster of each row, counted from 0, the largest first.
    pub groups: Vec<u32>,
    /// Number of clusters.
    pub n_groups: usize,
    /// What was made large (Leiden) or small (k-means).
    pub objective: f64,
    /// Mean silhouette of the clusters; `None` for a single one.
    pub silhouette: Option<f64>,
    /// The rows that the graph joins, ascending; all, unless there are too many.
    pub drawn: Vec<usize>,
    /// The graph of the drawn rows; `None` of k-means.
    pub graph: Option<NeighbourGraph>,
}

/// Groups the rows of a space.
///
/// # Shapes
/// rows: n_cells × dim.
///
/// # Errors
/// When a row is not finite, or there are fewer cells than clusters.
pub fn clustered(rows: &Tensor, spec: ClusterSpec) -> Result<Clustered> {
    let n_cells = rows.size()[0] as usize;
    let (groups, objective, drawn, graph) = match spec.method {
        Method::Leiden => leiden(rows, spec)?,
        Method::KMeans => {
            let found = KMeans::fit(rows, spec.n_clusters, N_STARTS, spec.seed)?;
            (found.groups(rows)?, found.inertia, (0..n_cells).collect(), None)
        }
    };
    let (groups, n_groups) = largest_first(&groups);
    let silhouette = if n_groups > 1 { Some(silhouette(rows, &groups, spec.seed)?.mean) } else { None };
    Ok(Clustered { groups, n_groups, objective, silhouette, drawn, graph })
}

type Grouped = (Vec<u32>, f64, Vec<usize>, Option<NeighbourGraph>);

fn leiden(rows: &Tensor, spec: ClusterSpec) -> Result<Grouped> {
    let n_cells = rows.size()[0] as usize;
    let is_drawn = chosen(n_cells, spec.max_cells, spec.seed);
    let drawn: Vec<usize> = (0..n_cells).filter(|&row| is_drawn[row]).collect();
    let reference = select(rows, &drawn);
    let search = NeighbourSearch::new(&reference, Distance::Euclidean)?;
    let n_others = (spec.n_neighbours - 1).min(drawn.len() - 1).max(1);
    let graph = NeighbourGraph::fuzzy(&search.nearest_others(n_others)?)?;
    let found = Leiden::fit(&graph, LeidenSpec { resolution: spec.resolution, seed: spec.seed })?;
    let left: Vec<usize> = (0..n_cells).filter(|&row| !is_drawn[row]).collect();
    let mut groups = vec![0; n_cells];
    drawn.iter().zip(&found.groups).for_each(|(&row, &group)| groups[row] = group);
    if !left.is_empty() {
        let nearest = search.nearest(&rows.index_select(0, &ids(&left)), spec.n_neighbours.min(drawn.len()))?;
        let of = majority_labels(&nearest, &found.groups).context("clusters of the cells that were not drawn")?;
        left.iter().zip(of).for_each(|(&row, group)| groups[row] = group);
    }
    Ok((groups, found.modularity, drawn, Some(graph)))
}

/// Groups numbered by their size, the largest 0; of the same size the one that comes first.
fn largest_first(groups: &[u32]) -> (Vec<u32>, usize) {
    let n = groups.iter().max().map_or(0, |&last| last as usize + 1);
    let mut sizes = vec![0usize; n];
    groups.iter().for_each(|&group| sizes[group as usize] += 1);
    let mut order: Vec<usize> = (0..n).filter(|&group| sizes[group] > 0).collect();
    order.sort_by_key(|&group| std::cmp::Reverse(sizes[group]));
    let mut number = vec![0; n];
    order.iter().zip(0..).for_each(|(&group, place)| number[group] = place);
    (groups.iter().map(|&group| number[group as usize]).collect(), order.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::random_rows;

    /// Three clouds of 60, 90 and 150 cells.
    fn clouds() -> (Tensor, Vec<u32>) {
        let truth: Vec<u32> = (0..300).map(|cell| if cell < 60 { 0 } else { 1 + u32::from(cell >= 150) }).collect();
        let shift: Vec<f64> = truth.iter().flat_map(|&group| [20.0 * f64::from(group), 0.0, 0.0]).collect();
        (random_rows(300, 3, 1) + Tensor::from_slice(&shift).view([300, 3]), truth)
    }

    fn spec(method: Method, max_cells: usize) -> ClusterSpec {
        ClusterSpec { method, resolution: 0.1, n_clusters: 3, n_neighbours: 15, max_cells, seed: 3 }
    }

    #[test]
    fn clouds_are_clusters_and_the_largest_comes_first() {
        let (rows, truth) = clouds();
        for spec in [spec(Method::Leiden, 1000), spec(Method::KMeans, 1000), spec(Method::Leiden, 120)] {
            let found = clustered(&rows, spec).unwrap();
            assert_eq!(found.n_groups, 3, "{spec:?}");
            assert!(found.groups.iter().zip(&truth).all(|(group, truth)| *group == 2 - truth), "{spec:?}");
            assert!(found.silhouette.unwrap() > 0.7);
            assert_eq!(found.drawn.len(), if spec.max_cells == 120 { 120 } else { 300 });
        }
    }

    #[test]
    fn groups_are_numbered_by_size() {
        assert_eq!(largest_first(&[3, 1, 1, 3, 1, 0]), (vec![1, 0, 0, 1, 0, 2], 3));
    }
}
