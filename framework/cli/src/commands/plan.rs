//! `cithara plan`: what a run would take.

use super::model::OfInput;
use crate::arguments::PlanArguments;
use crate::console::Console;
use crate::plan::plan;
use anyhow::Result;
use registry::{Catalogue, read_file};

pub(super) fn execute(arguments: &PlanArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let experiment = read_file(&arguments.spec.spec, &arguments.spec.overrides(), catalogue)?;
    let plan = plan(&experiment, arguments.max_memory).of_input()?;
    match arguments.json {
        true => console.print_json(&plan),
        false => console.print(&plan.to_text()),
    }
}
