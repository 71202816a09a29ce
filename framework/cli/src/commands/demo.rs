//! `cithara demo`: the embedded example, from nothing to an evaluation.

use super::model::OfInput;
use super::run::{Purpose, Start, Task, make};
use crate::arguments::DemoArguments;
use crate::console::Console;
use crate::simulate::{Design, simulate};
use anyhow::{Context, Result};
use framework::run::write_atomically;
use registry::{Catalogue, read_file};

/// The spec that is run: simulation 1 of the APOLLO paper.
const SPEC: &str = include_str!("../../../../examples/simulation1.toml");

pub(super) fn execute(arguments: &DemoArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let folder = &arguments.out;
    std::fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display())).of_input()?;
    let design = Design::of(1).context("setting 1")?;
    simulate(&design, 2048, 1)?.write(&folder.join("simulation1.h5mu")).of_input()?;
    let spec = folder.join("simulation1.toml");
    write_atomically(&spec, SPEC.as_bytes()).of_input()?;
    console.note(&format!("cells and spec: {}", folder.display()))?;
    let experiment = read_file(&spec, &[], catalogue)?;
    let run = folder.join("run");
    let task = Task {
        experiment: &experiment,
        overrides: &[],
        out: &run,
        start: Start::Anew { force: true },
        prepared: None,
        max_memory: None,
    };
    make(&task, Some(Purpose { json: false, annotate: true, beside_controls: true }), catalogue, console)
}
