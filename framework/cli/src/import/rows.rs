//! The rows of a multiDGD model's cells, and how well they reconstruct them.

use super::checkpoint::Checkpoint;
use super::multidgd::ROWS;
use anyhow::{Result, ensure};
use framework::data::{Dataset, Loader, Split, Subset};
use framework::infer::map_all;
use framework::latent::LatentTable;
use framework::model::{Model, Objective};
use framework::spec::LatentOptimizer;
use std::ops::ControlFlow;
use tch::{Device, Kind, Tensor, no_grad};

/// Cells that are reconstructed at a time.
const CELLS_AT_A_TIME: usize = 256;

/// The rows of all cells, and how many of them had to be found anew.
pub struct Rows {
    /// One table per space.
    pub tables: Vec<LatentTable>,
    /// Test cells whose rows the checkpoint does not hold.
    pub n_mapped: usize,
}

/// Takes the rows of a checkpoint; those of test cells are found anew where it has none, or those of other cells.
///
/// # Errors
/// When it has other numbers of training or validation cells than the data.
pub fn rows_of_cells(
    model: &Model,
    checkpoint: &mut Checkpoint,
    (dataset, split): (&Dataset, &Split),
    device: Device,
) -> Result<Rows> {
    let n_cells = dataset.cells.len() as i64;
    let whole = |dim| Tensor::zeros([n_cells, dim], (Kind::Float, device));
    let tables: Vec<Tensor> = model.spaces.iter().map(|space| whole(space.dim)).collect();
    let mut n_mapped = 0;
    for (subset, names) in ROWS {
        let cells = split.of(subset);
        let has_own = checkpoint.size(names[0]).is_some_and(|size| size.first() == Some(&(cells.len() as i64)));
        let rows = if subset == Subset::Test && !has_own {
            names.iter().for_each(|name| checkpoint.discard(name));
            n_mapped = cells.len();
            if cells.is_empty() { continue } else { map_all(model, dataset, &cells, device)? }
        } else if cells.is_empty() && checkpoint.size(names[0]).is_none() {
            continue;
        } else {
            let size = |dim| [cells.len() as i64, dim];
            let take = |(space, name): (&framework::model::Space, &str)| checkpoint.take(name, &size(space.dim));
            model.spaces.iter().zip(names).map(take).collect::<Result<Vec<_>>>()?
        };
        let places = Tensor::from_slice(&cells.iter().map(|&cell| cell as i64).collect::<Vec<_>>()).to_device(device);
        for (table, rows) in tables.iter().zip(rows) {
            let mut table = table.shallow_clone();
            let _ = no_grad(|| table.index_copy_(0, &places, &rows.to_device(device)));
        }
    }
    let left = checkpoint.left();
    ensure!(
        left.is_empty(),
        "the checkpoint holds `{}`, which a model of these hyperparameters does not have",
        left.join("`, `")
    );
    let tables = tables.into_iter().map(|rows| LatentTable::new(rows, LatentOptimizer::DenseAdam)).collect();
    Ok(Rows { tables, n_mapped })
}

/// Minus the log-likelihood of the counts of some cells, summed over cells and features (in 64 bits, minibatch by minibatch).
///
/// # Errors
/// When data cannot be read.
pub fn reconstruction(
    model: &Model,
    tables: &[LatentTable],
    (dataset, cells): (&Dataset, &[usize]),
    device: Device,
) -> Result<f64> {
    let targets = model.target_values();
    let loader = Loader { dataset, minibatch: CELLS_AT_A_TIME, targets: &targets, device };
    let n_features = |name: &str| model.branch(name).map_or(0.0, |branch| model.branches[branch].n_features as f64);
    let mut sum = 0.0;
    loader.for_each(cells, |_, minibatch| {
        let rows: Vec<Tensor> = tables.iter().map(|table| table.rows().index_select(0, &minibatch.cells)).collect();
        let terms = no_grad(|| Objective::EVALUATION.terms(model, &rows, &minibatch))?;
        let values = Vec::<f64>::try_from(terms.values())?;
        let summed = terms.names().zip(values).map(|(name, mean)| mean * n_features(name) * minibatch.n_cells() as f64);
        sum += summed.sum::<f64>();
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(sum)
}
