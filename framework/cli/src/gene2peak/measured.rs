//! What was measured of the cells that features are silenced in.

use anyhow::{Context, Result};
use framework::data::Dataset;
use framework::{Features, TargetValues};
use tch::{Kind, Tensor};

/// Cells that are read at a time.
const CELLS_AT_A_TIME: usize = 1024;

/// Totals of one modality over some cells.
#[derive(Debug, Clone)]
pub struct CellCounts {
    /// Sum over the features of each cell, in the order of the cells.
    pub totals: Vec<f64>,
    /// Mean of each feature over the cells.
    pub means: Vec<f64>,
}

impl CellCounts {
    /// Reads the totals of these cells, all of which the modality measured.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn read(dataset: &Dataset, modality: usize, values: TargetValues, cells: &[usize]) -> Result<CellCounts> {
        let n_features = dataset.assays[modality].modality.features().len();
        let (mut totals, mut means) = (vec![0f64; cells.len()], vec![0f64; n_features]);
        each_entry(dataset, modality, values, cells, |cell, feature, value| {
            totals[cell] += value;
            means[feature] += value;
        })?;
        means.iter_mut().for_each(|mean| *mean /= cells.len().max(1) as f64);
        Ok(CellCounts { totals, means })
    }
}

/// The cells in which features were found.
#[derive(Debug, Clone, Default)]
pub struct Expressing {
    /// Places among the cells, at most so many as were asked for.
    pub cells: Vec<usize>,
    /// Number of all such cells.
    pub n_all: usize,
}

impl Expressing {
    /// For each of `features` the first `n_most` of these cells that have it.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn read(
        dataset: &Dataset,
        (modality, values): (usize, TargetValues),
        cells: &[usize],
        (features, n_most): (&[usize], usize),
    ) -> Result<Vec<Expressing>> {
        let n_features = dataset.assays[modality].modality.features().len();
        let mut wanted = vec![usize::MAX; n_features];
        features.iter().enumerate().for_each(|(place, &feature)| wanted[feature] = place);
        let mut found = vec![Expressing::default(); features.len()];
        each_entry(dataset, modality, values, cells, |cell, feature, _| {
            if let Some(own) = found.get_mut(wanted[feature]) {
                own.n_all += 1;
                if own.cells.len() < n_most {
                    own.cells.push(cell);
                }
            }
        })?;
        Ok(found)
    }
}

/// Calls `each` with the place of a cell, a feature and its value, for all values that are not zero, cell by cell.
fn each_entry(
    dataset: &Dataset,
    modality: usize,
    values: TargetValues,
    cells: &[usize],
    mut each: impl FnMut(usize, usize, f64),
) -> Result<()> {
    for (chunk, some) in cells.chunks(CELLS_AT_A_TIME).enumerate() {
        let part = dataset.part(modality, some, values);
        let part = part.with_context(|| format!("modality `{}`", dataset.assays[modality].name))?;
        let Some(part) = part else { continue };
        let first = chunk * CELLS_AT_A_TIME;
        match part.target.features() {
            Features::Sparse(sparse) => {
                let offsets = Vec::<i64>::try_from(&sparse.offsets)?;
                let (indices, values) = (Vec::<i64>::try_from(&sparse.indices)?, numbers(&sparse.values)?);
                for (row, bounds) in offsets.windows(2).enumerate() {
                    let stored = bounds[0] as usize..bounds[1] as usize;
                    for (&feature, &value) in indices[stored.clone()].iter().zip(&values[stored]) {
                        if value != 0.0 {
                            each(first + row, feature as usize, value);
                        }
                    }
                }
            }
            Features::Dense(dense) => {
                let n_features = part.target.features().n_features().max(1) as usize;
                for (place, &value) in numbers(dense)?.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                    each(first + place / n_features, place % n_features, value);
                }
            }
        }
    }
    Ok(())
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(Vec::<f64>::try_from(tensor.to_kind(Kind::Double).contiguous().flatten(0, -1))?)
}
