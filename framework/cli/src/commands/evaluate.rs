//! `cithara evaluate`: a run judged beside controls.

use super::model::{OfInput, OpenRun};
use crate::arguments::EvaluateArguments;
use crate::console::Console;
use crate::evaluate::{Evaluation, EvaluationTask, evaluate};
use anyhow::{Context, Result};
use framework::Seed;
use framework::data::{Observations, Split};
use framework::run::read_tensors;
use registry::Catalogue;
use tch::Tensor;

pub(super) fn execute(arguments: &EvaluateArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let run = OpenRun::open(&arguments.run, catalogue)?;
    let evaluation = evaluate_run(&run, console)?;
    show(&evaluation, arguments.json, console)
}

/// Judges a run on its own data and writes `evaluation.json` and `evaluation.tsv`.
///
/// # Errors
/// When the data are not those of the run.
pub fn evaluate_run(run: &OpenRun, console: &mut Console<'_>) -> Result<Evaluation> {
    let experiment = &run.experiment;
    let (mut dataset, _) = run.trained.data(experiment, None).of_input()?;
    let subsets = run.directory.read_split().of_input()?;
    let cells: Vec<usize> =
        (0..dataset.cells.len()).filter(|&cell| subsets.contains_key(&dataset.cells[cell])).collect();
    dataset.keep(&cells)?;
    let split = Split::new(dataset.cells.iter().map(|cell| subsets[cell].1).collect());
    dataset.observations = Observations::of_experiment(experiment, &dataset.cells).of_input()?;
    let order: Vec<i64> = dataset.cells.iter().map(|cell| subsets[cell].0 as i64).collect();
    let rows = learned_rows(run, &order)?;
    let task = EvaluationTask {
        trained: &run.trained,
        experiment,
        dataset: &dataset,
        split: &split,
        rows: rows.as_deref(),
        seed: Seed(experiment.seed),
    };
    let mut notes = Vec::new();
    let evaluation = evaluate(&task, &mut |text| notes.extend(console.note(&format!("evaluating: {text}")).err()))?;
    evaluation.write(&run.directory)?;
    Ok(evaluation)
}

/// The rows of step 1, each space's in this order of the run's cells; `None` where the run has none.
fn learned_rows(run: &OpenRun, order: &[i64]) -> Result<Option<Vec<(String, Tensor)>>> {
    let path = run.directory.file("latents.safetensors");
    if !path.is_file() {
        return Ok(None);
    }
    let stored = read_tensors(&path).of_input()?;
    let order = Tensor::from_slice(order);
    let rows = run.experiment.latents.keys().map(|name| {
        let rows = stored.get(name).with_context(|| format!("`{}` lacks the space `{name}`", path.display()))?;
        Ok((name.clone(), rows.index_select(0, &order)))
    });
    rows.collect::<Result<_>>().map(Some).of_input()
}

/// Prints an evaluation.
///
/// # Errors
/// When the stream is closed.
pub fn show(evaluation: &Evaluation, json: bool, console: &mut Console<'_>) -> Result<()> {
    if json { console.print_json(evaluation) } else { console.print(&evaluation.to_text(console.colour)) }
}
