//! `cithara repro`: repeats the first epochs of a run, and tells whether every number comes out the same.

use super::model::OfInput;
use crate::arguments::ReproArguments;
use crate::console::Console;
use crate::run::{Built, build, ensure_same_files};
use anyhow::{Context, Result, bail};
use framework::data::files_on_disk;
use framework::fit::{Checkpoints, Event, Fit, Observer};
use framework::run::{Provenance, RunDirectory};
use registry::{Catalogue, read_file};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) fn execute(arguments: &ReproArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let run = RunDirectory::open_unfinished(&arguments.run).of_input()?;
    let provenance = run.read_provenance().of_input()?;
    let experiment = read_file(&run.file("spec.toml"), &[], catalogue)?;
    ensure_same_files(&provenance.data, &files_on_disk(&experiment)?).of_input()?;
    let logged = logged(&run, arguments.epochs).of_input()?;
    tch::set_num_threads(provenance.n_threads);
    let Built { dataset, split, model, device, .. } = build(&experiment, None, &mut |_| {}).of_input()?;
    run.ensure_same_cells(&dataset, &split).of_input()?;
    let stop = AtomicBool::new(false);
    let mut repeated = Repeated { lines: Vec::new(), n_epochs: arguments.epochs, stop: &stop };
    Fit {
        experiment: &experiment,
        dataset: &dataset,
        split: &split,
        model: &model,
        device,
        observer: &mut repeated,
        interrupted: &stop,
        checkpoints: Checkpoints::none(),
    }
    .run()?;
    compare(&logged, &repeated.lines, &provenance, console)
}

/// Terms of the first epochs, as the run told of them, and of the validations between.
fn logged(run: &RunDirectory, n_epochs: u64) -> Result<Vec<Value>> {
    let path = run.file("metrics.jsonl");
    let text = std::fs::read_to_string(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let lines = text.lines().map(|line| serde_json::from_str(line).map(without_secs));
    let lines: Vec<Value> =
        lines.collect::<Result<_, _>>().with_context(|| format!("`{}` is damaged", path.display()))?;
    let Some(stage) = lines.first().map(|line| line["stage"].clone()) else {
        bail!("the run has told of no epoch yet: `{}` is empty", path.display());
    };
    let is_early =
        |line: &Value| line["stage"] == stage && line["epoch"].as_u64().is_some_and(|epoch| epoch < n_epochs);
    Ok(lines.into_iter().filter(is_early).collect())
}

fn without_secs(mut line: Value) -> Value {
    if let Some(line) = line.as_object_mut() {
        line.remove("secs");
    }
    line
}

/// Takes down what is told, in the form of the log, and stops learning after some epochs.
struct Repeated<'a> {
    lines: Vec<Value>,
    n_epochs: u64,
    stop: &'a AtomicBool,
}

impl Observer for Repeated<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        self.lines.extend(framework::run::log_line(event).map(without_secs).filter(|line| line["epoch"].is_u64()));
        if let Event::Epoch { epoch, .. } = event
            && epoch + 1 >= self.n_epochs
        {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Tells of the first number that differs.
fn compare(logged: &[Value], repeated: &[Value], provenance: &Provenance, console: &mut Console<'_>) -> Result<()> {
    let n_epochs = logged.iter().filter(|line| line.get("terms").is_some()).count();
    let mut n_numbers = 0;
    for (then, now) in logged.iter().zip(repeated) {
        for key in ["terms", "validation"] {
            let Some(terms) = then.get(key).and_then(Value::as_object) else { continue };
            for (term, value) in terms {
                n_numbers += 1;
                let found = now.get(key).and_then(|terms| terms.get(term)).unwrap_or(&Value::Null);
                if found != value {
                    let (stage, epoch) = (&then["stage"], &then["epoch"]);
                    bail!(
                        "`{term}` of epoch {epoch} of `fit.{}` was {value} and is {found} now (the run: cithara {}, {} threads, \
                         device {}); other processors, thread counts and versions differ in the last digits",
                        stage.as_str().unwrap_or_default(),
                        provenance.version,
                        provenance.n_threads,
                        provenance.device
                    );
                }
            }
        }
    }
    console.print(&format!("the same to the last bit: {n_numbers} numbers of {n_epochs} epochs"))
}
