//! Rows of cells in a model without encoders: the best component, then a few steps (Schuster et al. 2024, Methods).

use super::block::{BLOCK, Block};
use super::{Estimate, encode};
use crate::data::{Dataset, Loader};
use crate::fit::{Adam, Frozen};
use crate::minibatch::{Minibatch, Part};
use crate::model::{Model, trainable};
use crate::spec::{MappingFit, Search};
use anyhow::{Context, Result};
use std::ops::ControlFlow;
use tch::{Device, Kind, Tensor, no_grad};

/// Candidates that are decoded at a time.
const CANDIDATES_AT_A_TIME: i64 = 16;

/// Rows of the cells of a part as one modality tells them: by its encoder, or by optimisation where there is none.
///
/// # Errors
/// When the features do not have the form that the model was built for.
pub fn infer_rows(model: &Model, modality: usize, part: &Part) -> Result<Estimate> {
    let branch = &model.branches[modality];
    if branch.encoder.is_some() {
        return no_grad(|| encode(model, branch, part.observed(), false));
    }
    let cells = Tensor::arange(part.n_cells(), (Kind::Int64, part.input.device()));
    let (input, target) = (part.input.shallow_clone(), part.target.select(None));
    let own = Part { measured: None, input, target, categories: Vec::new() };
    let mut parts: Vec<Option<Part>> = model.branches.iter().map(|_| None).collect();
    parts[modality] = Some(own);
    let rows = map_cells(model, &Minibatch { cells, parts, classes: Vec::new() })?;
    let known = |(space, rows)| branch.reads.contains(&space).then_some(rows);
    let rows: Vec<Option<Tensor>> = rows.into_iter().enumerate().map(known).collect();
    Ok(Estimate { log_sds: rows.iter().map(|_| None).collect(), rows, categories: Vec::new() })
}

/// Rows of some cells of a data set from all that was measured of them: one tensor per space, a row per cell in the order
/// given.
///
/// # Errors
/// When data cannot be read or a component refuses its input.
pub fn map_all(model: &Model, dataset: &Dataset, cells: &[usize], device: Device) -> Result<Vec<Tensor>> {
    let targets = model.target_values();
    let loader = Loader { dataset, minibatch: settings(model)?.minibatch, targets: &targets, device };
    let mut pieces: Vec<Vec<Tensor>> = model.spaces.iter().map(|_| Vec::new()).collect();
    loader.for_each(cells, |_, minibatch| {
        let rows = map_cells(model, &minibatch)?;
        pieces.iter_mut().zip(rows).for_each(|(pieces, rows)| pieces.push(rows));
        Ok(ControlFlow::Continue(()))
    })?;
    let form = (Kind::Float, device);
    let whole = |(space, pieces): (&crate::model::Space, Vec<Tensor>)| match pieces.is_empty() {
        true => Tensor::zeros([0, space.dim], form),
        false => Tensor::cat(&pieces, 0),
    };
    Ok(model.spaces.iter().zip(pieces).map(whole).collect())
}

/// Rows of the cells of a minibatch, one tensor per space; the classes of the cells are not looked at, and nothing but the
/// rows moves. Cells do not influence each other.
///
/// # Errors
/// When a component refuses its input.
pub fn map_cells(model: &Model, minibatch: &Minibatch) -> Result<Vec<Tensor>> {
    let settings = settings(model)?;
    let candidates = candidates(model, minibatch.cells.device())?;
    let best = best_candidates(model, minibatch, &candidates, settings.search)?;
    let start: Vec<Tensor> = candidates.iter().map(|rows| rows.index_select(0, &best)).collect();
    improve(model, minibatch, &start, settings)
}

fn settings(model: &Model) -> Result<&MappingFit> {
    model.mapping.as_ref().context("the model has encoders; its rows are not found by optimisation")
}

/// Every combination of the spaces' candidates, the last space fastest: one tensor per space, n_combinations × dim.
///
/// # Errors
/// When a prior's parameters cannot be read.
pub fn candidates(model: &Model, device: Device) -> Result<Vec<Tensor>> {
    candidates_where(model, device, &|_| true)
}

/// The same, with zeros only in spaces that are not `free`.
pub(super) fn candidates_where(model: &Model, device: Device, free: &dyn Fn(usize) -> bool) -> Result<Vec<Tensor>> {
    no_grad(|| {
        let mut all: Vec<Tensor> = Vec::new();
        for (place, space) in model.spaces.iter().enumerate() {
            let own = if free(place) { space.prior.candidates() } else { Ok(None) };
            let own = own.with_context(|| format!("prior of the latent space `{}`", space.name))?;
            let own = own.unwrap_or_else(|| Tensor::zeros([1, space.dim], (Kind::Float, device)));
            let (n_before, n_own) = (all.first().map_or(1, |first| first.size()[0]), own.size()[0]);
            for rows in &mut all {
                *rows = rows.repeat_interleave_self_int(n_own, 0, None);
            }
            all.push(own.repeat([n_before, 1]));
        }
        Ok(all)
    })
}

/// For each cell of a minibatch the candidate (one row per space) that costs least: i64, [n_cells]; the first of equals.
///
/// # Errors
/// When a component refuses its input.
pub fn best_candidates(model: &Model, minibatch: &Minibatch, candidates: &[Tensor], search: Search) -> Result<Tensor> {
    if candidates.first().is_some_and(|rows| rows.size()[0] == 1) {
        return Ok(Tensor::zeros([minibatch.n_cells()], (Kind::Int64, minibatch.cells.device())));
    }
    Ok(candidate_costs(model, minibatch, candidates, search)?.argmin(1, false))
}

/// What each cell of a minibatch would cost in each candidate (one row per space): n_cells × n_candidates, without a graph.
///
/// # Errors
/// When a component refuses its input.
pub fn candidate_costs(model: &Model, minibatch: &Minibatch, candidates: &[Tensor], search: Search) -> Result<Tensor> {
    let n_candidates = candidates.first().context("the model has no latent space")?.size()[0];
    no_grad(|| {
        let mut costs = Vec::new();
        for start in (0..n_candidates).step_by(CANDIDATES_AT_A_TIME as usize) {
            let n = CANDIDATES_AT_A_TIME.min(n_candidates - start);
            let rows: Vec<Tensor> = candidates.iter().map(|all| all.narrow(0, start, n)).collect();
            let mut cost = reconstruction_costs(model, minibatch, &rows)?;
            if search == Search::Density {
                for (space, rows) in model.spaces.iter().zip(&rows) {
                    cost += space.prior.per_cell(rows)?.unsqueeze(0);
                }
            }
            costs.push(cost);
        }
        Ok(Tensor::cat(&costs, 1))
    })
}

/// What each cell costs if it were each of a few rows: n_cells × n_rows.
fn reconstruction_costs(model: &Model, minibatch: &Minibatch, rows: &[Tensor]) -> Result<Tensor> {
    let n_rows = rows[0].size()[0];
    let costs = Tensor::zeros([minibatch.n_cells(), n_rows], (rows[0].kind(), rows[0].device()));
    for (branch, part) in model.branches.iter().zip(&minibatch.parts) {
        let Some(part) = part else { continue };
        let read: Vec<Tensor> = branch.reads.iter().map(|&space| rows[space].shallow_clone()).collect();
        let predictions = branch.decoder.decode(&model.decoder_input(&branch.reads, &read)?, false)?;
        let weight = branch.weight * branch.n_features as f64;
        for row in 0..n_rows {
            let one = predictions.narrow(0, row, 1);
            let mut size = one.size();
            size[0] = part.n_cells();
            let prediction = part.target.of_measured(one.expand(&size, false))?;
            let cost = branch.loss.per_cell(&prediction, &part.target)? * weight;
            let mut column = costs.select(1, row);
            match &part.measured {
                None => column += cost,
                Some(places) => {
                    let _ = column.index_add_(0, places, &cost);
                }
            }
        }
    }
    Ok(costs)
}

/// Moves rows along the gradients of reconstruction and priors, everything else frozen, a block of cells at a time.
fn improve(model: &Model, minibatch: &Minibatch, rows: &[Tensor], settings: &MappingFit) -> Result<Vec<Tensor>> {
    let _frozen = Frozen::new(trainable(&model.generative));
    let mut pieces: Vec<Vec<Tensor>> = rows.iter().map(|_| Vec::new()).collect();
    for start in (0..minibatch.n_cells()).step_by(BLOCK as usize) {
        let block = Block::new(minibatch, start, rows[0].kind());
        let opened: Vec<Tensor> = rows.iter().map(|rows| block.open(rows)).collect();
        let mut adam = Adam::new(opened.iter().map(Tensor::shallow_clone).collect(), settings.rule());
        for _ in 0..settings.n_steps {
            block.step(model, &opened, settings.covariate_prior, &mut adam)?;
        }
        pieces.iter_mut().zip(&opened).for_each(|(pieces, rows)| pieces.push(block.close(rows)));
    }
    Ok(pieces.into_iter().map(|pieces| Tensor::cat(&pieces, 0)).collect())
}
