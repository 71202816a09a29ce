//! UMAP: a picture of a neighbour graph in two dimensions.
//!
//! A picture for looking at: distances, sizes and densities in it mean little. No metric of this crate reads it, but
//! [`crate::trustworthiness`], which judges it.

mod curve;
mod descent;
mod start;

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::Tensor;

use crate::graph::NeighbourGraph;
use crate::tensor::host;

/// Up to this many cells, 500 epochs unless told otherwise; beyond, 200.
const MANY_CELLS: usize = 10_000;

/// How a picture is made. The defaults are scanpy's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UmapSpec {
    /// Distance in the picture below which cells count as together; scanpy 0.5, umap-learn 0.1.
    pub min_distance: f64,
    /// Scale of the picture: how fast closeness falls beyond `min_distance`.
    pub spread: f64,
    /// Passes over the connections; `None`: 500 up to 10,000 cells, else 200.
    pub n_epochs: Option<usize>,
    /// Cells pushed away for each connection that is pulled at.
    pub n_negatives: usize,
    /// Seed of the start and of the cells that are pushed away.
    pub seed: u64,
}

impl Default for UmapSpec {
    fn default() -> Self {
        Self { min_distance: 0.5, spread: 1.0, n_epochs: None, n_negatives: 5, seed: 0 }
    }
}

impl UmapSpec {
    fn check(&self) -> Result<()> {
        ensure!(
            self.spread > 0.0 && self.spread.is_finite() && (0.0..=self.spread).contains(&self.min_distance),
            "`min_distance` is {} and `spread` {}; expected 0 ≤ `min_distance` ≤ `spread`, and `spread` above 0",
            self.min_distance,
            self.spread
        );
        ensure!(self.n_epochs != Some(0), "0 epochs were asked for; expected one or more, 200 to 500 are usual");
        Ok(())
    }

    fn n_epochs_for(&self, n_cells: usize) -> usize {
        self.n_epochs.unwrap_or(if n_cells <= MANY_CELLS { 500 } else { 200 })
    }
}

/// Places cells in two dimensions so that connected ones lie together.
///
/// From a spectral start (the eigenvectors of D^−½ W D^−½ after the first), or from the first two principal components of
/// the space where the graph falls into parts, connections are pulled at in proportion to their weight and random cells
/// pushed away, both along the gradient of the cross entropy between the weights and 1 / (1 + a d^2b). Runs on one thread,
/// so that the picture depends on its input and seed alone.
///
/// # Shapes
/// space: n_cells × n_dimensions, the space of which the graph was made; result: n_cells × 2, 32-bit.
///
/// # Errors
/// When the space has not the cells of the graph, a coordinate is not finite, or the spec is impossible.
///
/// # Source
/// McInnes, Healy and Melville 2018; umap-learn 0.5 (`simplicial_set_embedding`, `optimize_layout_euclidean`).
pub fn umap(space: &Tensor, graph: &NeighbourGraph, spec: &UmapSpec) -> Result<Tensor> {
    spec.check()?;
    let space = host(space, "the space")?;
    let n_cells = graph.n_cells();
    ensure!(
        space.size()[0] == n_cells as i64,
        "the space has {} cells and the graph {n_cells}; expected the space of which the graph was made",
        space.size()[0]
    );
    ensure!(n_cells > 3 && graph.n_connections() > 0, "{n_cells} cells make no picture; expected four or more");
    let mut picture = start::start(&space, graph, spec.seed)?;
    let curve = curve::Curve::fit(spec.min_distance, spec.spread);
    descent::Descent::new(graph, curve, spec).run(&mut picture);
    let flat: Vec<f32> = picture.into_iter().flatten().collect();
    ensure!(
        flat.iter().all(|x| x.is_finite()),
        "the picture has places that are not finite; check that the space is not of one place"
    );
    Ok(Tensor::from_slice(&flat).view([n_cells as i64, 2]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::{Distance, NeighbourSearch};

    fn graph(space: &Tensor) -> NeighbourGraph {
        let search = NeighbourSearch::new(space, Distance::Euclidean).unwrap();
        NeighbourGraph::fuzzy(&search.nearest_others(8).unwrap()).unwrap()
    }

    #[test]
    fn parts_that_are_far_apart_stay_apart() {
        let space = crate::random::normal(90, 5, 3);
        let offset: Vec<f64> = (0..90).flat_map(|cell| [f64::from(cell % 3 == 0) * 40.0, 0.0, 0.0, 0.0, 0.0]).collect();
        let space = space + Tensor::from_slice(&offset).view([90, 5]);
        let graph = graph(&space);
        assert_eq!(graph.components().iter().max(), Some(&1));
        let picture = umap(&space, &graph, &UmapSpec::default()).unwrap();
        let groups: Vec<u32> = (0..90).map(|cell| u32::from(cell % 3 == 0)).collect();
        assert!(crate::silhouette(&picture, &groups, 0).unwrap().mean > 0.5);
    }

    #[test]
    fn one_seed_makes_one_picture() {
        let space = crate::random::normal(60, 4, 5);
        let graph = graph(&space);
        let made = |seed| umap(&space, &graph, &UmapSpec { seed, n_epochs: Some(30), ..Default::default() }).unwrap();
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
        let refused = |spec| umap(&space, &graph, &spec).unwrap_err().to_string();
        assert!(refused(UmapSpec { min_distance: 2.0, ..Default::default() }).contains("`min_distance` is 2"));
        assert!(refused(UmapSpec { n_epochs: Some(0), ..Default::default() }).contains("0 epochs"));
        assert!(umap(&space.narrow(0, 0, 59), &graph, &UmapSpec::default()).is_err());
    }
}
