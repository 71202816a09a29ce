//! All cells of a data set through the encoders, and from one modality to another, a minibatch at a time.

use super::{Estimate, infer_rows, map_all, predict, reconstruct};
use crate::TargetValues;
use crate::data::{Dataset, Loader};
use crate::model::Model;
use anyhow::{Context, Result, ensure};
use tch::{Device, Kind, Tensor, no_grad};

/// Rows of the cells that one modality measured, as its encoder tells them.
#[derive(Debug)]
pub struct Embedding {
    /// The cells of the data set that were measured, ascending.
    pub cells: Vec<usize>,
    /// Rows per space, n_cells × dim on the host; `None` for spaces that the modality does not read.
    pub rows: Vec<Option<Tensor>>,
}

impl Embedding {
    /// The rows of some spaces side by side: n_cells × sum of dims; `None` if one is not known.
    pub fn side_by_side(&self, spaces: &[usize]) -> Option<Tensor> {
        let rows: Option<Vec<&Tensor>> = spaces.iter().map(|&space| self.rows[space].as_ref()).collect();
        rows.filter(|rows| !rows.is_empty()).map(|rows| Tensor::cat(&rows, 1))
    }
}

/// Rows of the cells of a data set.
#[derive(Debug)]
pub enum Embeddings {
    /// What the encoder of each modality tells.
    ByModality(Vec<Embedding>),
    /// Rows found from all that was measured of a cell, one tensor per space: a row per cell of the data set.
    Joint(Vec<Tensor>),
}

impl Embeddings {
    /// One row per cell of the data set for a space: NaN where nothing is known.
    pub fn of_space(&self, space: usize, dim: i64, n_cells: usize) -> Tensor {
        match self {
            Embeddings::ByModality(embeddings) => combine(embeddings, space, dim, n_cells),
            Embeddings::Joint(rows) => rows[space].shallow_clone(),
        }
    }

    /// What the encoders of the modalities tell; nothing where rows were found jointly.
    pub fn by_modality(&self) -> &[Embedding] {
        match self {
            Embeddings::ByModality(embeddings) => embeddings,
            Embeddings::Joint(_) => &[],
        }
    }
}

/// Rows of all measured cells: from the encoder of each modality, in evaluation mode, or found by optimisation in a model
/// without encoders.
///
/// # Errors
/// When rows cannot be read or an encoder refuses them.
pub fn embed(model: &Model, dataset: &Dataset, device: Device, minibatch: usize) -> Result<Embeddings> {
    if model.mapping.is_some() {
        let all: Vec<usize> = (0..dataset.cells.len()).collect();
        return Ok(Embeddings::Joint(on_host(map_all(model, dataset, &all, device)?)));
    }
    let targets = model.target_values();
    let loader = Loader { dataset, minibatch, targets: &targets, device };
    let mut embeddings = Vec::new();
    for index in 0..model.branches.len() {
        let all: Vec<usize> = (0..dataset.cells.len()).collect();
        let cells = dataset.assays[index].measured_cells(&all);
        let mut pieces: Vec<Vec<Tensor>> = model.spaces.iter().map(|_| Vec::new()).collect();
        loader.for_each_of(index, &cells, |part| {
            let estimate = infer_rows(model, index, &part)?;
            for (pieces, rows) in pieces.iter_mut().zip(estimate.rows) {
                pieces.extend(rows.map(|rows| rows.to_device(Device::Cpu)));
            }
            Ok(())
        })?;
        let rows = pieces.into_iter().map(|pieces| (!pieces.is_empty()).then(|| Tensor::cat(&pieces, 0))).collect();
        embeddings.push(Embedding { cells, rows });
    }
    Ok(Embeddings::ByModality(embeddings))
}

fn on_host(rows: Vec<Tensor>) -> Vec<Tensor> {
    rows.into_iter().map(|rows| rows.to_device(Device::Cpu)).collect()
}

/// One row per cell of the data set for a space: the mean over the modalities that tell it; NaN where none does.
pub fn combine(embeddings: &[Embedding], space: usize, dim: i64, n_cells: usize) -> Tensor {
    let mut sum = Tensor::zeros([n_cells as i64, dim], (Kind::Float, Device::Cpu));
    let mut count = Tensor::zeros([n_cells as i64, 1], (Kind::Float, Device::Cpu));
    for embedding in embeddings {
        let Some(rows) = &embedding.rows[space] else { continue };
        let cells: Vec<i64> = embedding.cells.iter().map(|&cell| cell as i64).collect();
        let cells = Tensor::from_slice(&cells);
        let _ = sum.index_add_(0, &cells, rows);
        let _ = count.index_add_(0, &cells, &Tensor::ones([rows.size()[0], 1], (Kind::Float, Device::Cpu)));
    }
    sum / count
}

/// Predicts the features of one modality from the measurements of another (or of itself).
pub struct Predictor<'a> {
    /// The trained model.
    pub model: &'a Model,
    /// The measurements.
    pub dataset: &'a Dataset,
    /// Index of the modality that is read.
    pub source: usize,
    /// Index of the modality that is predicted; the source itself is reconstructed by its full decoder.
    pub target: usize,
    /// Total of a cell where the loss predicts shares and the target was not measured.
    pub usual_total: f64,
    /// Where the model is.
    pub device: Device,
    /// Cells at a time.
    pub minibatch: usize,
    /// For each condition of the model the category that all cells are decoded as; `None`, or none given, for their own.
    /// Encoders are told each cell's own in any case (Zhang et al. 2026, code).
    pub decoded_as: &'a [Option<i64>],
}

impl Predictor<'_> {
    /// Calls `each` with the expected values of some of `cells` at a time (n × n_features on the host, images with their
    /// shape), in the order given; `cells` must be measured by the source.
    ///
    /// # Errors
    /// When the modalities share no space, rows cannot be read, a category is not known, or `each` fails.
    pub fn for_each(&self, cells: &[usize], mut each: impl FnMut(Tensor) -> Result<()>) -> Result<()> {
        let targets = self.model.target_values();
        let loader =
            Loader { dataset: self.dataset, minibatch: self.minibatch, targets: &targets, device: self.device };
        let (source, target) = (&self.model.branches[self.source], &self.model.branches[self.target]);
        self.ensure_categories(cells)?;
        let mut done = 0;
        loader.for_each_of(self.source, cells, |part| {
            let n = part.n_cells() as usize;
            let expected = no_grad(|| -> Result<Tensor> {
                let estimate = infer_rows(self.model, self.source, &part)?.decoded_as(self.decoded_as);
                let prediction = self.decode(&estimate)?;
                let totals = self.totals(&cells[done..done + n])?;
                target.loss.expectation(&prediction, totals.as_ref())
            })?;
            done += n;
            each(expected.to_device(Device::Cpu))
        })?;
        ensure!(
            done == cells.len(),
            "{} of {} cells were not measured by `{}`",
            cells.len() - done,
            cells.len(),
            source.name
        );
        Ok(())
    }

    /// Refuses cells without a category that the source's encoder is told, or the target's decoder unless all are decoded as one.
    ///
    /// # Errors
    /// Naming the first cell.
    pub fn ensure_categories(&self, cells: &[usize]) -> Result<()> {
        self.dataset.ensure_categories(self.source, cells)?;
        let own = |condition: &usize| self.decoded_as.get(*condition).copied().flatten().is_none();
        let told: Vec<usize> = self.model.branches[self.target].conditions.iter().map(|told| told.condition).collect();
        match told.iter().any(own) {
            true => self.dataset.ensure_categories(self.target, cells),
            false => Ok(()),
        }
    }

    fn decode(&self, estimate: &Estimate) -> Result<Tensor> {
        let target = &self.model.branches[self.target];
        if self.source == self.target {
            reconstruct(self.model, target, estimate)
        } else {
            predict(self.model, target, estimate)
        }
    }

    /// Totals of counts, for losses that predict shares of them; measured ones where there are any.
    fn totals(&self, cells: &[usize]) -> Result<Option<Tensor>> {
        if self.model.branches[self.target].loss.target() != TargetValues::Counts {
            return Ok(None);
        }
        let assay = &self.dataset.assays[self.target];
        let usual = self.usual_total as f32;
        let mut totals = vec![usual; cells.len()];
        for (total, &cell) in totals.iter_mut().zip(cells) {
            if let Some(row) = assay.rows[cell] {
                *total = assay.modality.statistics(&[row as usize])?.raw_sum as f32;
            }
        }
        Ok(Some(Tensor::from_slice(&totals).to_device(self.device)))
    }
}

impl Loader<'_> {
    /// Calls `each` with one modality's part of every minibatch of `cells`, other modalities unread.
    ///
    /// # Errors
    /// The first error of reading or of `each`.
    pub fn for_each_of(
        &self,
        modality: usize,
        cells: &[usize],
        mut each: impl FnMut(crate::Part) -> Result<()>,
    ) -> Result<()> {
        let assay = &self.dataset.assays[modality];
        for cells in cells.chunks(self.minibatch) {
            let part = self.dataset.part(modality, cells, self.targets[modality]);
            if let Some(part) = part.with_context(|| format!("modality `{}`", assay.name))? {
                each(part.to_device(self.device))?;
            }
        }
        Ok(())
    }
}
