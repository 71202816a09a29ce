//! A fixed number of cells whose rows are moved together.
//!
//! A product of matrices rounds otherwise for another number of rows. A block therefore always has the same number: fewer
//! cells are filled up with repetitions whose losses do not count. So the rows that a cell gets depend on nothing but the cell.

use crate::fit::Adam;
use crate::minibatch::{Minibatch, Part, Target};
use crate::model::Model;
use anyhow::{Context, Result};
use tch::{Kind, Tensor, with_grad};

/// Cells of a block.
pub(super) const BLOCK: i64 = 64;

/// What was measured of the cells of a block.
pub(super) struct Block {
    parts: Vec<Option<BlockPart>>,
    /// The place in the minibatch of each cell; the first one again where there are fewer: i64, [BLOCK].
    places: Tensor,
    n_cells: i64,
}

struct BlockPart {
    target: Target,
    /// 1 for cells that were measured, 0 for all others: [BLOCK].
    measured: Tensor,
}

impl Block {
    /// The block that starts at a cell of a minibatch.
    pub(super) fn new(minibatch: &Minibatch, start: i64, kind: Kind) -> Block {
        let n_cells = BLOCK.min(minibatch.n_cells() - start);
        let places: Vec<i64> = (0..BLOCK).map(|cell| start + if cell < n_cells { cell } else { 0 }).collect();
        let part = |part: &Option<Part>| BlockPart::new(part.as_ref()?, &places, n_cells as usize, kind);
        let parts = minibatch.parts.iter().map(part).collect();
        Block { parts, places: Tensor::from_slice(&places).to_device(minibatch.cells.device()), n_cells }
    }

    /// The block's part of rows of the whole minibatch (n × dim), as parameters of their own: BLOCK × dim.
    pub(super) fn open(&self, rows: &Tensor) -> Tensor {
        rows.index_select(0, &self.places).detach().copy().set_requires_grad(true)
    }

    /// The rows of the cells without the repetitions.
    pub(super) fn close(&self, rows: &Tensor) -> Tensor {
        rows.detach().narrow(0, 0, self.n_cells).copy()
    }

    /// One step of rows (one tensor per space) along the gradients of reconstruction and priors.
    ///
    /// # Errors
    /// When a component refuses its input.
    pub(super) fn step(&self, model: &Model, rows: &[Tensor], covariate_priors: bool, adam: &mut Adam) -> Result<()> {
        adam.zero_gradients();
        with_grad(|| -> Result<()> {
            let Some(total) = self.total(model, rows, covariate_priors)? else { return Ok(()) };
            total.f_backward().context("the gradient of the loss cannot be computed")
        })?;
        adam.step();
        Ok(())
    }

    /// Losses of what was measured plus priors, summed over the cells; `None` where nothing was measured.
    fn total(&self, model: &Model, rows: &[Tensor], covariate_priors: bool) -> Result<Option<Tensor>> {
        let mut total: Option<Tensor> = None;
        let mut add = |term: Tensor| total = Some(total.take().map_or_else(|| term.shallow_clone(), |sum| sum + &term));
        for (branch, part) in model.branches.iter().zip(&self.parts) {
            let Some(part) = part else { continue };
            let read: Vec<Tensor> = branch.reads.iter().map(|&space| rows[space].shallow_clone()).collect();
            let prediction = branch.decoder.decode(&model.decoder_input(&branch.reads, &read)?, false)?;
            let prediction = part.target.of_measured(prediction)?;
            let losses = branch.loss.per_cell(&prediction, &part.target)? * &part.measured;
            add(losses.sum(None::<Kind>) * (branch.weight * branch.n_features as f64));
        }
        for (space, rows) in model.spaces.iter().zip(rows) {
            let measured = space.modalities.iter().filter_map(|&modality| self.parts[modality].as_ref());
            let by_any = measured.map(|part| part.measured.shallow_clone()).reduce(|all, one| all.maximum(&one));
            let Some(by_any) = by_any.filter(|_| covariate_priors || !space.is_covariate) else { continue };
            let costs = space.prior.per_cell(rows);
            let costs = costs.with_context(|| format!("prior of the latent space `{}`", space.name))?;
            add((costs * by_any).sum(None::<Kind>));
        }
        Ok(total)
    }
}

impl BlockPart {
    /// `None` where the modality measured none of the cells.
    fn new(part: &Part, places: &[i64], n_cells: usize, kind: Kind) -> Option<BlockPart> {
        let row_of = measured_rows(part);
        let row =
            |place: i64| row_of.as_ref().map_or(Some(place), |rows| rows.binary_search(&place).ok().map(|r| r as i64));
        let rows: Vec<Option<i64>> = places.iter().map(|&place| row(place)).collect();
        let measured: Vec<f32> =
            rows.iter().enumerate().map(|(cell, row)| f32::from(cell < n_cells && row.is_some())).collect();
        measured.iter().any(|one| *one > 0.0).then(|| {
            let device = part.input.device();
            let rows: Vec<i64> = rows.iter().map(|row| row.unwrap_or(0)).collect();
            let target = part.target.select(Some(&Tensor::from_slice(&rows).to_device(device)));
            BlockPart { target, measured: Tensor::from_slice(&measured).to_kind(kind).to_device(device) }
        })
    }
}

/// Places in the minibatch of the rows of a part, ascending; `None` where they are all there.
fn measured_rows(part: &Part) -> Option<Vec<i64>> {
    Vec::<i64>::try_from(part.measured.as_ref()?).ok()
}
