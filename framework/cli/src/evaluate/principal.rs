//! Principal components of what an encoder sees, for other parts than the evaluation that set something beside them.

use super::measured::{Input, Measured, Reading};
use super::seeds::{Draw, key};
use analysis::{Pca, PcaSpec, Solver};
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
    let target = trained.model.target_values()[modality];
    let entry = experiment.modalities.get(&assay.name);
    let is_raw = target == TargetValues::Counts && entry.is_some_and(|entry| entry.steps.is_empty());
    let input = if is_raw { Input::LogShares } else { Input::AsPrepared };
    let all: Vec<usize> = (0..dataset.cells.len()).collect();
    let Some(measured) = Measured::gather(assay, &all, Reading { target, input })? else { return Ok(None) };
    let matrix = measured.input().matrix()?;
    let training: Vec<usize> = all.iter().copied().filter(|&cell| subsets[cell] == Subset::Training).collect();
    let rows = measured.rows_of(&training);
    let n_components = most.min(rows.len()).min(matrix.n_columns());
    if rows.len() < 2 || !super::task::varies(&matrix, &rows)? {
        return Ok(None);
    }
    let seed = key(Seed(experiment.seed), Draw::Components, modality);
    let pca = Pca::fit(&matrix, &rows, PcaSpec { n_components, seed, solver: Solver::Automatic })?;
    let cells = measured.held(&all);
    let scores = pca.transform(&matrix, &measured.rows_of(&cells))?;
    Ok(Some(Components { cells, scores }))
}
