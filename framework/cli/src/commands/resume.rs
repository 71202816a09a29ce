//! `cithara resume`: goes on with a run that was stopped, whatever stopped it.

use super::model::OfInput;
use super::run::{Purpose, Start, Task, make};
use crate::arguments::ResumeArguments;
use crate::console::Console;
use crate::failure::Misuse;
use anyhow::{Result, ensure};
use framework::run::RunDirectory;
use framework::spec::Experiment;
use registry::{Catalogue, read_file};

pub(super) fn execute(arguments: &ResumeArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let purpose = Purpose::of(&arguments.then);
    let run = RunDirectory::open_unfinished(&arguments.run).of_input()?;
    let provenance = run.read_provenance().of_input()?;
    let out = run.path();
    if provenance.total_secs.is_some() {
        let error = Misuse::new(format!("the run `{}` has ended: there is nothing to go on with", out.display()));
        return Err(error.help(format!("judge it again with: cithara evaluate {}", out.display())).into());
    }
    let experiment = read_file(&run.file("spec.toml"), &arguments.set, catalogue)?;
    ensure_only_fit(&read_file(&run.file("spec.toml"), &[], catalogue)?, &experiment).of_input()?;
    let prepared = arguments.then.prepared.as_deref();
    let task = Task {
        experiment: &experiment,
        overrides: &arguments.set,
        out,
        start: Start::Kept,
        prepared,
        max_memory: None,
    };
    make(&task, purpose, catalogue, console)
}

/// Refuses changes of more than how learning goes on: what is learned from which data stays.
fn ensure_only_fit(then: &Experiment, now: &Experiment) -> Result<()> {
    let (mut then, mut now) = (then.to_toml()?, now.to_toml()?);
    for spec in [&mut then, &mut now] {
        spec.remove("fit");
    }
    let changed = now.keys().chain(then.keys()).find(|key| now.get(*key) != then.get(*key));
    ensure!(
        changed.is_none(),
        "`--set` changes `{}`, but a run can only go on with other values of `fit`; for another model run the spec anew",
        changed.map_or("", String::as_str)
    );
    Ok(())
}
