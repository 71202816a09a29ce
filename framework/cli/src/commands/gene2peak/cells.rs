//! The cells that genes are silenced in.

use crate::arguments::{CellSubset, Gene2peakArguments};
use crate::commands::model::{OfInput, OpenRun};
use crate::failure::Misuse;
use anyhow::{Context, Result};
use framework::data::{Dataset, Observations, Subset, data_files};
use framework::{Purpose, Seed};
use rand::seq::SliceRandom;
use std::collections::BTreeSet;
use tch::{Kind, Tensor};

/// Tells the order of cells from other draws of the same purpose.
const CELLS: u64 = (1 << 32) + 2;

/// Cells in a drawn order, with their rows.
pub(super) struct Cells {
    /// Cells of the data set.
    pub(super) chosen: Vec<usize>,
    /// Their rows, one tensor per space.
    pub(super) rows: Vec<Tensor>,
}

impl Cells {
    /// Those cells of the run that were asked for, that the source measured, and whose rows are known.
    pub(super) fn choose(
        arguments: &Gene2peakArguments,
        run: &OpenRun,
        dataset: &Dataset,
        (source, seed): (usize, Seed),
    ) -> Result<Cells> {
        let rows = run.rows(&dataset.cells)?.context("the run holds no rows of cells, so nothing can be silenced");
        let rows: Vec<Tensor> =
            rows.of_input()?.into_iter().map(|(_, rows)| rows.to_device(run.trained.device)).collect();
        let mut chosen = dataset.assays[source].measured_cells(&of_subset(arguments.subset, run, dataset)?);
        if let Some(label) = &arguments.cells {
            chosen = with_label(label, run, dataset, &chosen)?;
        }
        let mut is_known = Tensor::ones([dataset.cells.len() as i64], (Kind::Bool, run.trained.device));
        for rows in &rows {
            is_known = is_known.logical_and(&rows.isfinite().all_dim(1, false));
        }
        let is_known = Vec::<bool>::try_from(is_known)?;
        chosen.retain(|&cell| is_known[cell]);
        if chosen.is_empty() {
            let name = &dataset.assays[source].name;
            return Err(Misuse::new(format!("no such cell of the run was measured by `{name}`")).into());
        }
        chosen.shuffle(&mut seed.generator(Purpose::Evaluation, CELLS, 0));
        let order: Vec<i64> = chosen.iter().map(|&cell| cell as i64).collect();
        let order = Tensor::from_slice(&order).to_device(run.trained.device);
        Ok(Cells { rows: rows.iter().map(|rows| rows.index_select(0, &order)).collect(), chosen })
    }
}

/// Cells of the run, those of a subset.
fn of_subset(subset: CellSubset, run: &OpenRun, dataset: &Dataset) -> Result<Vec<usize>> {
    let split = run.directory.read_split().of_input()?;
    let wanted = match subset {
        CellSubset::All => None,
        CellSubset::Train => Some(Subset::Training),
        CellSubset::Test => Some(Subset::Test),
    };
    let is_wanted = |cell: &String| split.get(cell).is_some_and(|(_, own)| wanted.is_none_or(|wanted| wanted == *own));
    Ok((0..dataset.cells.len()).filter(|&cell| is_wanted(&dataset.cells[cell])).collect())
}

/// Those cells whose column of obs has a value, as `COLUMN=VALUE` says.
fn with_label(asked: &str, run: &OpenRun, dataset: &Dataset, cells: &[usize]) -> Result<Vec<usize>> {
    let Some((column, value)) = asked.split_once('=') else {
        let text = format!("`--cells {asked}` must be a column of obs and a value, such as `cell_type=Monocytes`");
        return Err(Misuse::new(text).into());
    };
    let files = data_files(&run.experiment).of_input()?;
    let observations = Observations::read(&files, &dataset.cells, &[column.to_owned()]).of_input()?;
    let labels = observations.column(column).of_input()?;
    let chosen: Vec<usize> = cells.iter().copied().filter(|&cell| labels[cell].as_deref() == Some(value)).collect();
    if chosen.is_empty() {
        let known: BTreeSet<&str> = cells.iter().filter_map(|&cell| labels[cell].as_deref()).collect();
        let known: Vec<&str> = known.into_iter().take(30).collect();
        let text = format!("no cell has `{value}` in the column `{column}` of obs; values: {}", known.join(", "));
        return Err(Misuse::new(text).into());
    }
    Ok(chosen)
}
