//! `cithara plan`: what a run would take.

use super::model::OfInput;
use crate::arguments::PlanArguments;
use crate::console::Console;
use crate::plan::{ensure_within, plan};
use anyhow::Result;
use registry::{Catalogue, read_file};

pub(super) fn execute(arguments: &PlanArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let experiment = read_file(&arguments.spec.spec, &arguments.spec.overrides(), catalogue)?;
    let plan = plan(&experiment).of_input()?;
    if arguments.json {
        console.print_json(&plan)?;
    } else {
        console.print(&plan.to_text())?;
    }
    ensure_within(arguments.max_memory, plan.peak_memory_bytes).of_input()
}
