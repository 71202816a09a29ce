//! `cithara evaluate`: a run judged beside controls.

use super::model::OpenRun;
use crate::arguments::EvaluateArguments;
use crate::console::Console;
use crate::evaluate::{Evaluation, EvaluationTask, evaluate};
use anyhow::Result;
use framework::Seed;
use registry::Catalogue;

pub(super) fn execute(arguments: &EvaluateArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let run = OpenRun::open(&arguments.run, catalogue)?;
    let evaluation = evaluate_run(&run, !arguments.no_controls, console)?;
    show(&evaluation, arguments.json, console)
}

/// Judges a run on its own data and writes `evaluation.json` and `evaluation.tsv`.
///
/// # Errors
/// When the data are not those of the run.
pub fn evaluate_run(run: &OpenRun, beside_controls: bool, console: &mut Console<'_>) -> Result<Evaluation> {
    let experiment = &run.experiment;
    let (dataset, split) = run.own_data()?;
    let rows = run.rows(&dataset.cells)?;
    let task = EvaluationTask {
        trained: &run.trained,
        experiment,
        dataset: &dataset,
        split: &split,
        rows: rows.as_deref(),
        seed: Seed(experiment.seed),
        beside_controls,
    };
    let mut notes = Vec::new();
    let evaluation = evaluate(&task, &mut |text| notes.extend(console.note(&format!("evaluating: {text}")).err()))?;
    evaluation.write(&run.directory)?;
    Ok(evaluation)
}

/// Prints an evaluation.
///
/// # Errors
/// When the stream is closed.
pub fn show(evaluation: &Evaluation, json: bool, console: &mut Console<'_>) -> Result<()> {
    if json { console.print_json(evaluation) } else { console.print(&evaluation.to_text(console.colour)) }
}
