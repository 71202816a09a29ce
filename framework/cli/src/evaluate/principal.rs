//! Principal components of what an encoder sees: of the evaluation's cells, and of all for the report.

use super::measured::{Input, Measured, Reading};
use super::seeds::{Draw, key};
use analysis::{Matrix, Pca, PcaSpec, Solver, block_rows};
use anyhow::Result;
use framework::data::{Dataset, Subset};
use framework::infer::Trained;
use framework::spec::Experiment;
use framework::{Seed, TargetValues};
use tch::Tensor;

/// A modality's principal components, found in training cells, of all cells that it measured.
#[derive(Debug)]
pub(crate) struct Components {
    /// The cells of the data set that were measured, ascending.
    pub cells: Vec<usize>,
    /// Their scores, n_cells × n_components.
    pub scores: Tensor,
}

/// The components of one modality, at most so many; `subsets` says what each cell of the data set was used for. `None` where
/// there is nothing to decompose.
///
/// # Errors
/// When rows cannot be read.
pub(crate) fn principal_components(
    (trained, experiment): (&Trained, &Experiment),
    (dataset, subsets): (&Dataset, &[Subset]),
    modality: usize,
    most: usize,
) -> Result<Option<Components>> {
    let assay = &dataset.assays[modality];
    let all: Vec<usize> = (0..dataset.cells.len()).collect();
    let reading = reading(trained.model.target_values()[modality], experiment, &assay.name);
    let Some(measured) = Measured::gather(assay, &all, reading)? else { return Ok(None) };
    let training: Vec<usize> = all.iter().copied().filter(|&cell| subsets[cell] == Subset::Training).collect();
    let seed = key(Seed(experiment.seed), Draw::Components, modality);
    let Some(pca) = fit(&measured, &measured.held(&training), most, seed)? else { return Ok(None) };
    let cells = measured.held(&all);
    let scores = pca.transform(&measured.input().matrix()?, &measured.rows_of(&cells))?;
    Ok(Some(Components { cells, scores }))
}

/// How the values of a modality are read: counts that nothing prepared become logarithms of shares.
pub(super) fn reading(target: TargetValues, experiment: &Experiment, modality: &str) -> Reading {
    let entry = experiment.modalities.get(modality);
    let is_raw = target == TargetValues::Counts && entry.is_some_and(|entry| entry.steps.is_empty());
    Reading { target, input: if is_raw { Input::LogShares } else { Input::AsPrepared } }
}

/// At most so many components of what an encoder sees of some cells, as far as cells and features allow; `None` where they
/// do not differ.
///
/// # Errors
/// When rows cannot be read.
pub(super) fn fit(measured: &Measured<'_>, cells: &[usize], most: usize, seed: u64) -> Result<Option<Pca>> {
    let matrix = measured.input().matrix()?;
    let rows = measured.rows_of(cells);
    if rows.len() < 2 || !varies(&matrix, &rows)? {
        return Ok(None);
    }
    let n_components = most.min(rows.len()).min(matrix.n_columns());
    Pca::fit(&matrix, &rows, PcaSpec { n_components, seed, solver: Solver::Automatic }).map(Some)
}

/// Whether rows differ at all.
fn varies(matrix: &Matrix<'_>, rows: &[usize]) -> Result<bool> {
    let first = matrix.rows(&rows[..1])?;
    for block in rows.chunks(block_rows(matrix.n_columns())) {
        if matrix.rows(block)?.not_equal_tensor(&first).any().int64_value(&[]) != 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
