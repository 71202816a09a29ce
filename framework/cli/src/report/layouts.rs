//! Every space in two dimensions.

use crate::run::SpaceRows;
use analysis::{Distance, NeighbourGraph, NeighbourSearch, UmapSpec, trustworthiness, umap};
use anyhow::{Context, Result};
use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::fmt::Write as _;
use tch::{Kind, Tensor};

/// Other cells that a cell is joined with; with the cell itself scanpy's 15.
const N_NEIGHBOURS: usize = 14;
/// Fewer cells make no picture.
const MIN_CELLS: usize = 10;

/// A space in two dimensions.
#[derive(Debug, Clone, Serialize)]
pub struct Layout {
    /// The space.
    pub space: String,
    /// `umap`, or `own axes` of a space that has two dimensions.
    pub method: &'static str,
    /// Cells of the space that were drawn.
    pub n_drawn: usize,
    /// Cells of the space.
    pub n_cells: usize,
    /// How well the picture keeps neighbourhoods of the space, 15 cells, from 0 to 1.
    pub trustworthiness: Option<f64>,
    /// The drawn cells of the run.
    #[serde(skip)]
    pub cells: Vec<usize>,
    /// Where they are.
    #[serde(skip)]
    pub points: Vec<(f64, f64)>,
}

/// Up to so many cells of a run, by a seed; all of them where they are no more.
pub fn chosen(n_cells: usize, max_cells: usize, seed: u64) -> Vec<bool> {
    if n_cells <= max_cells {
        return vec![true; n_cells];
    }
    let mut chosen = vec![false; n_cells];
    for cell in sample(&mut ChaCha8Rng::seed_from_u64(seed), n_cells, max_cells) {
        chosen[cell] = true;
    }
    chosen
}

/// Lays out the chosen cells of a space; `Err` of the inner result says why there is no picture.
///
/// # Errors
/// When rows cannot be read.
pub fn layout(space: &SpaceRows, chosen: &[bool], seed: u64) -> Result<Result<Layout, String>> {
    let drawn: Vec<usize> = (0..space.cells.len()).filter(|&row| chosen[space.cells[row]]).collect();
    if drawn.len() < MIN_CELLS {
        return Ok(Err(format!("{} cells have a row; a picture needs {MIN_CELLS}", drawn.len())));
    }
    if space.facts.variances.iter().all(|variance| *variance < 1e-24) {
        return Ok(Err("all cells have the same row".to_owned()));
    }
    let places = Tensor::from_slice(&drawn.iter().map(|&row| row as i64).collect::<Vec<_>>());
    let rows = space.rows.f_index_select(0, &places)?;
    let is_flat = rows.size()[1] == 2;
    let picture = if is_flat { rows.shallow_clone() } else { picture(&rows, seed)? };
    let n_judged = N_NEIGHBOURS.min((drawn.len() - 1) / 2);
    let trust = if is_flat { None } else { Some(trustworthiness(&rows, &picture, n_judged, seed)?.value) };
    let flat: Vec<f64> = Vec::try_from(picture.to_kind(Kind::Double).contiguous().view(-1))?;
    Ok(Ok(Layout {
        space: space.facts.name.clone(),
        method: if is_flat { "own axes" } else { "umap" },
        n_drawn: drawn.len(),
        n_cells: space.cells.len(),
        trustworthiness: trust,
        cells: drawn.iter().map(|&row| space.cells[row]).collect(),
        points: flat.chunks_exact(2).map(|point| (point[0], point[1])).collect(),
    }))
}

fn picture(rows: &Tensor, seed: u64) -> Result<Tensor> {
    let n_cells = rows.size()[0] as usize;
    let search = NeighbourSearch::new(rows, Distance::Euclidean)?;
    let graph = NeighbourGraph::fuzzy(&search.nearest_others(N_NEIGHBOURS.min(n_cells - 1))?)?;
    umap(rows, &graph, &UmapSpec { seed, ..UmapSpec::default() }).context("UMAP")
}

/// All layouts as a table: cell, space, x, y.
pub fn table(layouts: &[Layout], names: &[String]) -> String {
    let mut text = String::from("cell\tspace\tx\ty\n");
    for layout in layouts {
        for (cell, (x, y)) in layout.cells.iter().zip(&layout.points) {
            let _ = writeln!(text, "{}\t{}\t{x:.4}\t{y:.4}", names[*cell], layout.space);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::SpaceFacts;
    use tch::Device;

    fn space(rows: Tensor) -> SpaceRows {
        let variances = Vec::try_from(rows.var_dim([0i64].as_slice(), true, false)).unwrap();
        let facts = SpaceFacts {
            name: "shared".into(),
            dim: rows.size()[1],
            modalities: Vec::new(),
            prior: String::new(),
            covariate: None,
            n_learned: 0,
            n_encoded: 0,
            variances,
        };
        SpaceRows { facts, cells: (0..rows.size()[0] as usize).map(|row| 2 * row).collect(), rows }
    }

    #[test]
    fn two_dimensions_are_drawn_as_they_are() {
        let rows = Tensor::arange(40, (Kind::Double, Device::Cpu)).view([20, 2]);
        let found = layout(&space(rows), &[true; 40], 0).unwrap().unwrap();
        assert_eq!((found.method, found.points[1], found.cells[1]), ("own axes", (2.0, 3.0), 2));
        let names: Vec<String> = (0..40).map(|cell| format!("c{cell}")).collect();
        assert_eq!(table(&[found], &names).lines().nth(2), Some("c2\tshared\t2.0000\t3.0000"));
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let same = layout(&space(Tensor::ones([20, 3], (Kind::Double, Device::Cpu))), &[true; 40], 0).unwrap();
        assert_eq!(same.unwrap_err(), "all cells have the same row");
        let few = layout(&space(Tensor::rand([20, 3], (Kind::Double, Device::Cpu))), &[false; 40], 0).unwrap();
        assert!(few.unwrap_err().starts_with("0 cells"));
    }

    #[test]
    fn a_seed_chooses_the_same_cells() {
        let n_of = |chosen: &[bool]| chosen.iter().filter(|is_chosen| **is_chosen).count();
        assert_eq!((n_of(&chosen(5, 10, 1)), n_of(&chosen(100, 10, 1))), (5, 10));
        assert_eq!(chosen(100, 10, 1), chosen(100, 10, 1));
        assert_ne!(chosen(100, 10, 1), chosen(100, 10, 2));
    }
}
