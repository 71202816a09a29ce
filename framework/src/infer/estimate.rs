//! Rows that an encoder finds, and predictions made from them.

use crate::minibatch::Observed;
use crate::model::{Branch, Model};
use anyhow::{Context, Result, ensure};
use tch::Tensor;

/// Rows of some cells, as far as one modality tells them.
#[derive(Debug)]
pub struct Estimate {
    /// Rows per space of the model, n_cells × dim; `None` for spaces that the modality does not read.
    pub rows: Vec<Option<Tensor>>,
    /// Log standard deviations per space, for variational encoders.
    pub log_sds: Vec<Option<Tensor>>,
    /// For each condition of the model the category that each cell is decoded as: i64, [n_cells].
    pub categories: Vec<Tensor>,
}

impl Estimate {
    /// What a decoder of a modality and of these spaces reads.
    ///
    /// # Errors
    /// When one of them is not known.
    pub fn read(&self, model: &Model, branch: &Branch, spaces: &[usize]) -> Result<Tensor> {
        let row = |&space: &usize| self.rows[space].as_ref().map(Tensor::shallow_clone);
        let rows: Option<Vec<Tensor>> = spaces.iter().map(row).collect();
        let rows = rows.context("the modality does not tell all rows that its decoder reads")?;
        model.conditioned(branch, model.decoder_input(spaces, &rows)?, &self.categories)
    }

    /// Some of the cells (all for `None`).
    pub fn select(&self, cells: Option<&Tensor>) -> Estimate {
        let select = |all: &[Option<Tensor>]| {
            let one = |rows: &Tensor| match cells {
                None => rows.shallow_clone(),
                Some(cells) => rows.index_select(0, cells),
            };
            all.iter().map(|rows| rows.as_ref().map(one)).collect()
        };
        let of_cells =
            |codes: &Tensor| cells.map_or_else(|| codes.shallow_clone(), |cells| codes.index_select(0, cells));
        let categories = self.categories.iter().map(of_cells).collect();
        Estimate { rows: select(&self.rows), log_sds: select(&self.log_sds), categories }
    }

    /// The same rows, to be decoded as if all cells were of these categories: one per condition, `None` for each cell's own.
    pub fn decoded_as(self, categories: &[Option<i64>]) -> Estimate {
        let told = categories.iter().copied().chain(std::iter::repeat(None));
        let all =
            |(own, told): (Tensor, Option<i64>)| told.map_or_else(|| own.shallow_clone(), |code| own.full_like(code));
        Estimate { categories: self.categories.into_iter().zip(told).map(all).collect(), ..self }
    }

    /// Rows drawn from normal(rows, exp(log_sds)); the rows themselves where there is no standard deviation.
    pub fn drawn(&self) -> Estimate {
        let draw = |(rows, log_sd): (&Option<Tensor>, &Option<Tensor>)| match (rows, log_sd) {
            (Some(rows), Some(log_sd)) => Some(rows + log_sd.exp() * rows.detach().randn_like()),
            (Some(rows), None) => Some(rows.shallow_clone()),
            (None, _) => None,
        };
        let rows = self.rows.iter().zip(&self.log_sds).map(draw).collect();
        let categories = self.categories.iter().map(Tensor::shallow_clone).collect();
        Estimate { rows, log_sds: self.log_sds.iter().map(|_| None).collect(), categories }
    }

    fn n_cells(&self) -> Option<(i64, tch::Device)> {
        self.rows.iter().flatten().next().map(|rows| (rows.size()[0], rows.device()))
    }
}

/// What the encoder of a modality makes of its features.
///
/// # Errors
/// When the features do not have the form that the model was built for.
pub fn encode(model: &Model, branch: &Branch, observed: Observed<'_>, training: bool) -> Result<Estimate> {
    let encoder =
        branch.encoder.as_ref().context("the model has no encoders; rows of cells are found by optimisation")?;
    let condition = model.condition_of_encoder(branch, observed.categories)?;
    let outputs = encoder.encode(observed.features, condition.as_ref(), training)?;
    let n = branch.reads.len();
    let n_expected = if model.variational { 2 * n } else { n };
    ensure!(outputs.len() == n_expected, "the encoder returned {} tensors instead of {n_expected}", outputs.len());
    let mut estimate = Estimate {
        rows: model.spaces.iter().map(|_| None).collect(),
        log_sds: model.spaces.iter().map(|_| None).collect(),
        categories: observed.categories.iter().map(Tensor::shallow_clone).collect(),
    };
    for (place, output) in outputs.into_iter().enumerate() {
        let slots = if place < n { &mut estimate.rows } else { &mut estimate.log_sds };
        slots[branch.reads[place % n]] = Some(output);
    }
    Ok(estimate)
}

/// A modality's features decoded from its own rows by its full decoder.
///
/// # Errors
/// When a row is not known.
pub fn reconstruct(model: &Model, branch: &Branch, estimate: &Estimate) -> Result<Tensor> {
    branch.decoder.decode(&estimate.read(model, branch, &branch.reads)?, false)
}

/// A modality's features decoded from its shared rows by its shared decoder; `None` if the model has none.
///
/// # Errors
/// When a row is not known.
pub fn reconstruct_shared(model: &Model, branch: &Branch, estimate: &Estimate) -> Result<Option<Tensor>> {
    let Some(decoder) = &branch.shared_decoder else { return Ok(None) };
    Ok(Some(decoder.decode(&estimate.read(model, branch, &branch.reads_shared)?, false)?))
}

/// A modality's features predicted from rows that other modalities tell.
///
/// The shared decoder reads the shared rows; without one the full decoder does, with zeros in the slots that nobody
/// tells (Zhang et al. 2026, Methods).
///
/// # Errors
/// When nothing that the modality reads is known.
pub fn predict(model: &Model, target: &Branch, estimate: &Estimate) -> Result<Tensor> {
    let (reads, decoder) = match &target.shared_decoder {
        Some(decoder) => (&target.reads_shared, decoder),
        None => (&target.reads, &target.decoder),
    };
    let known = reads.iter().any(|&space| model.is_shared(space) && estimate.rows[space].is_some());
    let (n_cells, device) = estimate.n_cells().context("the source modality tells no rows")?;
    ensure!(known, "no latent space is shared with the modality `{}`, so it cannot be predicted", target.name);
    let row = |&space: &usize| match &estimate.rows[space] {
        Some(rows) if model.is_shared(space) => rows.shallow_clone(),
        _ => Tensor::zeros([n_cells, model.spaces[space].dim], (tch::Kind::Float, device)),
    };
    let rows: Vec<Tensor> = reads.iter().map(row).collect();
    let input = model.conditioned(target, model.decoder_input(reads, &rows)?, &estimate.categories)?;
    decoder.decode(&input, false)
}
