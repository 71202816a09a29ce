//! kBET: whether neighbourhoods hold batches in the proportions of their label.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::Serialize;
use statrs::function::gamma::gamma_ur;

use super::diffusion::diffusion_neighbours;
use crate::graph::NeighbourGraph;
use crate::labels::cells_by_group;
use crate::neighbours::Neighbours;
use crate::score::check_codes;

/// A neighbourhood is refused below this probability.
const ALPHA: f64 = 0.05;
/// Labels of fewer cells are left out.
const MIN_CELLS: usize = 10;
/// Sizes of neighbourhoods, the cell itself not counted.
const N_NEIGHBOURS: std::ops::RangeInclusive<usize> = 10..=70;
/// Share of the cells of a label that must lie in large enough parts of the graph.
const MIN_SHARE: f64 = 0.75;

/// Acceptance of one label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KbetOfLabel {
    /// The label.
    pub label: u32,
    /// Cells of the label.
    pub n_cells: usize,
    /// Share of neighbourhoods that hold batches in proportion; `None` for a label of one batch (in the parts of the graph
    /// that are used) or of fewer than 10 cells.
    pub acceptance: Option<f64>,
}

/// Acceptance of all labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kbet {
    /// Mean acceptance over labels that have one: 0 … 1, higher is better mixed.
    pub value: f64,
    /// Every label, ascending.
    pub by_label: Vec<KbetOfLabel>,
}

/// Share of neighbourhoods in which the batches of a label are found in the label's proportions, mean over labels.
///
/// Within the graph among the cells of a label, the ⌊mean cells per batch / 4⌋ cells (10 … 70) that are nearest by
/// diffusion (100 components) and the cell itself are a neighbourhood. It is accepted when χ² = Σ over batches of
/// (observed − expected)² / expected has a probability of 0.05 or more. Where the graph falls into parts, those of at
/// least three neighbourhoods are used if they hold 75 % of the cells; else the label counts 0. scib-metrics takes the
/// graph of k + 1 = 50 neighbours, the cell itself counted.
///
/// scib-metrics 0.5.10 lets a label of up to 100 cells lower the number of components for all labels after it; here, each
/// label has its own, so results do not depend on how labels are named. Nearest cells are found exactly, so time grows with
/// the square of the cells of a label.
///
/// # Errors
/// When lengths disagree or no label can be judged.
///
/// # Source
/// Büttner et al. 2019; Luecken et al. 2022; scib-metrics 0.5.10 `kbet_per_label`.
pub fn kbet(graph: &NeighbourGraph, labels: &[u32], batches: &[u32]) -> Result<Kbet> {
    check_codes(graph.n_cells(), &[labels, batches])?;
    let all: Vec<usize> = (0..labels.len()).collect();
    let mut by_label = Vec::new();
    for (label, cells) in cells_by_group(&all, labels) {
        by_label.push(KbetOfLabel { label, n_cells: cells.len(), acceptance: of_label(graph, &cells, batches)? });
    }
    let known: Vec<f64> = by_label.iter().filter_map(|one| one.acceptance).collect();
    ensure!(!known.is_empty(), "no label has {MIN_CELLS} cells and several batches; there is no mixing to judge");
    Ok(Kbet { value: known.iter().sum::<f64>() / known.len() as f64, by_label })
}

fn of_label(graph: &NeighbourGraph, cells: &[usize], batches: &[u32]) -> Result<Option<f64>> {
    let n_batches = cells_by_group(cells, batches).len();
    if cells.len() < MIN_CELLS || n_batches == 1 {
        return Ok(None);
    }
    let quarter = cells.len() / n_batches / 4;
    let n_neighbours = quarter.clamp(*N_NEIGHBOURS.start(), *N_NEIGHBOURS.end());
    let mut part = graph.among(cells)?;
    let mut of_part: Vec<u32> = cells.iter().map(|&cell| batches[cell]).collect();
    let everything: Vec<usize> = (0..cells.len()).collect();
    let components = cells_by_group(&everything, &part.components());
    if components.len() > 1 {
        let large = components.into_values().filter(|cells| cells.len() >= 3 * n_neighbours);
        let mut kept: Vec<usize> = large.flatten().collect();
        kept.sort_unstable();
        if (kept.len() as f64) < MIN_SHARE * cells.len() as f64 {
            return Ok(Some(0.0));
        }
        part = part.among(&kept)?;
        of_part = kept.iter().map(|&at| of_part[at]).collect();
        if of_part.iter().all(|&batch| batch == of_part[0]) {
            return Ok(None);
        }
    }
    let neighbours = diffusion_neighbours(&part, n_neighbours.min(part.n_cells() - 1))?;
    Ok(Some(acceptance(&neighbours, &of_part)))
}

/// Share of cells around which batches are found in their proportions among all.
fn acceptance(neighbours: &Neighbours, batches: &[u32]) -> f64 {
    let mut n_of: BTreeMap<u32, f64> = BTreeMap::new();
    batches.iter().for_each(|&batch| *n_of.entry(batch).or_default() += 1.0);
    let degrees = n_of.len() as f64 - 1.0;
    let size = (neighbours.n_neighbours + 1) as f64;
    let share = size / batches.len() as f64;
    let accepted = |&cell: &usize| {
        let mut found: BTreeMap<u32, f64> = n_of.keys().map(|&batch| (batch, 0.0)).collect();
        let around = neighbours.of(cell).iter().map(|&other| other as usize).chain([cell]);
        around.for_each(|other| *found.entry(batches[other]).or_default() += 1.0);
        let square = found.iter().map(|(batch, n)| (n - n_of[batch] * share).powi(2) / (n_of[batch] * share));
        let square: f64 = square.sum();
        // the upper tail of χ²; at 0, where the function is not defined, all of it
        square <= 0.0 || gamma_ur(degrees / 2.0, square / 2.0) >= ALPHA
    };
    (0..batches.len()).into_par_iter().filter(accepted).count() as f64 / batches.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::{Distance, NeighbourSearch};
    use tch::Tensor;

    fn graph(space: &Tensor) -> NeighbourGraph {
        let search = NeighbourSearch::new(space, Distance::Euclidean).unwrap();
        NeighbourGraph::fuzzy(&search.nearest_others(49).unwrap()).unwrap()
    }

    #[test]
    fn mixed_batches_are_accepted_and_separate_ones_refused() {
        let space = crate::random::normal(300, 4, 8);
        let mixed: Vec<u32> = (0..300).map(|cell| cell % 3).collect();
        let found = kbet(&graph(&space), &[0; 300], &mixed).unwrap();
        assert!(found.value > 0.9, "{found:?}");
        let first = Vec::<f64>::try_from(space.narrow(1, 0, 1).contiguous().view(-1)).unwrap();
        let sides: Vec<u32> = first.iter().map(|x| u32::from(*x > 0.0)).collect();
        let apart = &space + Tensor::from_slice(&first).sign().view([-1, 1]) * 2.0;
        let found = kbet(&graph(&apart), &[0; 300], &sides).unwrap();
        assert!(found.value < 0.05, "{found:?}");
    }

    #[test]
    fn labels_that_cannot_be_judged_are_left_out() {
        let space = crate::random::normal(120, 4, 8);
        let labels: Vec<u32> = (0..120).map(|cell| if cell < 9 { 5 } else { u32::from(cell < 60) }).collect();
        let batches: Vec<u32> = (0..120).map(|cell| if cell < 60 { cell % 2 } else { 1 }).collect();
        let found = kbet(&graph(&space), &labels, &batches).unwrap();
        let judged: Vec<bool> = found.by_label.iter().map(|one| one.acceptance.is_some()).collect();
        assert_eq!(judged, [false, true, false]);
        assert_eq!(Some(found.value), found.by_label[1].acceptance);
        // label 0 in ten places, each smaller than three neighbourhoods
        let shifts: Vec<f64> = (0..120).map(|cell| f64::from(cell % 10) * 1e3).collect();
        let search = NeighbourSearch::new(&(&space + Tensor::from_slice(&shifts).view([-1, 1])), Distance::Euclidean);
        let scattered = NeighbourGraph::fuzzy(&search.unwrap().nearest_others(3).unwrap()).unwrap();
        assert_eq!(kbet(&scattered, &labels, &batches).unwrap().value, 0.0);
        assert!(kbet(&graph(&space), &labels, &[0; 120]).unwrap_err().to_string().contains("several batches"));
    }
}
