//! The rows of every latent space, whatever way a run has them.

use super::CELLS_AT_A_TIME;
use anyhow::{Context, Result};
use framework::data::{Dataset, Subset};
use framework::infer::{Trained, embed};
use framework::run::RunCells;
use framework::spec::Experiment;
use serde::Serialize;
use std::collections::HashMap;
use tch::{Device, Kind, Tensor};

/// A dimension whose variance is below this share of the mean of its space has collapsed.
pub const COLLAPSED: f64 = 1e-3;

/// The rows of a space.
#[derive(Debug)]
pub struct SpaceRows {
    /// What is known of it.
    pub facts: SpaceFacts,
    /// The cells of the run that have a row, ascending.
    pub cells: Vec<usize>,
    /// Their rows, on the host: n_cells × dim.
    pub rows: Tensor,
}

/// What the page says of a space.
#[derive(Debug, Clone, Serialize)]
pub struct SpaceFacts {
    /// Its name.
    pub name: String,
    /// Numbers per cell.
    pub dim: i64,
    /// The modalities whose decoders read it.
    pub modalities: Vec<String>,
    /// Its prior.
    pub prior: String,
    /// The column of obs whose classes it stands for.
    pub covariate: Option<String>,
    /// Cells with rows that were learned (or, without encoders, found).
    pub n_learned: usize,
    /// Cells with rows that encoders told, means where several do.
    pub n_encoded: usize,
    /// Variance of each dimension over these cells.
    pub variances: Vec<f64>,
}

impl SpaceFacts {
    /// Dimensions that have collapsed, counted from 1.
    pub fn collapsed(&self) -> Vec<usize> {
        let mean = self.variances.iter().sum::<f64>() / self.variances.len().max(1) as f64;
        let is_collapsed = |variance: &f64| self.variances.len() > 1 && *variance < COLLAPSED * mean;
        (1..).zip(&self.variances).filter(|(_, variance)| is_collapsed(variance)).map(|(place, _)| place).collect()
    }
}

/// Where rows come from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The model.
    pub trained: &'a Trained,
    /// Its spec.
    pub experiment: &'a Experiment,
    /// The rows that the run keeps, by space, in the order of its cells.
    pub learned: Option<&'a [(String, Tensor)]>,
    /// Its cells.
    pub cells: &'a RunCells,
    /// Its data, prepared; `None` where they are not there.
    pub dataset: Option<&'a Dataset>,
    /// Whether encoders have been taught.
    pub has_encoders: bool,
}

impl Sources<'_> {
    /// Whether cells have rows only where encoders tell them, so that the data are needed.
    pub fn needs_data(&self) -> bool {
        self.has_encoders && self.trained.model.mapping.is_none()
    }

    /// All spaces: learned rows where cells have them, of training cells in models with encoders, else what encoders tell.
    ///
    /// # Errors
    /// When a file of the run is damaged or an encoder refuses cells.
    pub fn all(&self) -> Result<Vec<SpaceRows>> {
        let encoded = self.encoded()?;
        let spaces = self.trained.model.spaces.iter().enumerate();
        spaces
            .map(|(place, space)| {
                let learned = self.learned.and_then(|rows| rows.iter().find(|(name, _)| *name == space.name));
                let encoded = encoded.as_ref().map(|encoded| &encoded[place]);
                self.of_space(place, learned.map(|(_, rows)| rows), encoded)
                    .with_context(|| format!("rows of `{}`", space.name))
            })
            .collect()
    }

    /// What the encoders tell of every cell of the run, for each space; NaN where they tell nothing.
    fn encoded(&self) -> Result<Option<Vec<Tensor>>> {
        let (Some(dataset), true) = (self.dataset, self.needs_data()) else { return Ok(None) };
        let model = &self.trained.model;
        let embeddings = embed(model, dataset, self.trained.device, CELLS_AT_A_TIME)?;
        let places: HashMap<&str, usize> = dataset.cells.iter().map(String::as_str).zip(0..).collect();
        let order: Vec<Option<usize>> =
            self.cells.names.iter().map(|cell| places.get(cell.as_str()).copied()).collect();
        let of_space = |(place, space): (usize, &framework::model::Space)| {
            let rows = embeddings.of_space(place, space.dim, dataset.cells.len());
            reordered(&rows.to_kind(Kind::Double), &order)
        };
        model.spaces.iter().enumerate().map(of_space).collect::<Result<_>>().map(Some)
    }

    fn of_space(&self, place: usize, learned: Option<&Tensor>, encoded: Option<&Tensor>) -> Result<SpaceRows> {
        let model = &self.trained.model;
        let space = &model.spaces[place];
        let dim = space.dim;
        let nothing = || Tensor::full([self.cells.n() as i64, dim], f64::NAN, (Kind::Double, Device::Cpu));
        let is_learned: Vec<bool> = (0..self.cells.n()).map(|cell| self.is_learned(cell, &space.modalities)).collect();
        let which = Tensor::from_slice(&is_learned).view([-1, 1]);
        let encoded = encoded.map_or_else(nothing, Tensor::shallow_clone);
        let rows = match learned {
            Some(learned) => learned.to_kind(Kind::Double).f_where_self(&which, &encoded)?,
            None => encoded,
        };
        let known: Vec<bool> = Vec::try_from(rows.isfinite().all_dim(1, false))?;
        let cells: Vec<usize> = (0..known.len()).filter(|&cell| known[cell]).collect();
        let rows =
            rows.index_select(0, &Tensor::from_slice(&cells.iter().map(|&cell| cell as i64).collect::<Vec<_>>()));
        let n_learned = match learned {
            Some(_) => cells.iter().filter(|&&cell| is_learned[cell]).count(),
            None => 0,
        };
        let entry = self.experiment.latents.get(&space.name);
        let facts = SpaceFacts {
            name: space.name.clone(),
            dim,
            modalities: space.modalities.iter().map(|&modality| model.branches[modality].name.clone()).collect(),
            prior: String::new(),
            covariate: entry.and_then(|entry| entry.covariate.clone()),
            n_learned,
            n_encoded: cells.len() - n_learned,
            variances: variances(&rows)?,
        };
        Ok(SpaceRows { facts, cells, rows })
    }

    fn is_learned(&self, cell: usize, modalities: &[usize]) -> bool {
        let is_read = modalities.iter().any(|&modality| self.cells.measured[modality][cell]);
        is_learned(self.trained, self.cells.subsets[cell], is_read)
    }
}

/// Whether the row of a cell in a space was learned from the cell: any measured cell's in a model without encoders, else a
/// training cell's; `is_read` says whether a modality that reads the space measured it.
pub(crate) fn is_learned(trained: &Trained, subset: Subset, is_read: bool) -> bool {
    (trained.model.mapping.is_some() || subset == Subset::Training) && is_read
}

/// Rows in another order; NaN where there is none.
///
/// # Shapes
/// n × dim to order.len() × dim.
///
/// # Errors
/// When the order names a row that is not there.
pub(crate) fn reordered(rows: &Tensor, order: &[Option<usize>]) -> Result<Tensor> {
    let (n_rows, dim) = rows.size2()?;
    let order: Vec<i64> = order.iter().map(|row| row.map_or(n_rows, |row| row as i64)).collect();
    let nothing = Tensor::full([1, dim], f64::NAN, (rows.kind(), rows.device()));
    Ok(Tensor::f_cat(&[rows.shallow_clone(), nothing], 0)?.f_index_select(0, &Tensor::from_slice(&order))?)
}

fn variances(rows: &Tensor) -> Result<Vec<f64>> {
    if rows.size()[0] < 2 {
        return Ok(Vec::new());
    }
    Ok(Vec::try_from(rows.var_dim([0i64].as_slice(), true, false))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_that_hardly_vary_have_collapsed() {
        let rows = Tensor::from_slice(&[0.0, 1.0, 5.0, 2.0, 1.0, 5.0001, 4.0, 3.0, 5.0]).view([3, 3]);
        let facts = SpaceFacts {
            name: "shared".into(),
            dim: 3,
            modalities: Vec::new(),
            prior: String::new(),
            covariate: None,
            n_learned: 3,
            n_encoded: 0,
            variances: variances(&rows).unwrap(),
        };
        assert_eq!(facts.variances[0], 4.0);
        assert_eq!(facts.collapsed(), [3]);
        let alone = SpaceFacts { variances: vec![0.0], ..facts };
        assert!(alone.collapsed().is_empty());
    }
}
