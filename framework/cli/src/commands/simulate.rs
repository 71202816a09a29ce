//! `cithara simulate`: cells whose causes are known.

use super::model::OfInput;
use crate::arguments::SimulateArguments;
use crate::console::Console;
use crate::failure::Misuse;
use crate::simulate::{Design, simulate};
use anyhow::{Context, Result};

/// Fewer cells cannot be divided into training, validation and test.
const MIN_CELLS: usize = 20;

pub(super) fn execute(arguments: &SimulateArguments, console: &mut Console<'_>) -> Result<()> {
    let out = arguments.out.display();
    if arguments.out.exists() && !arguments.force {
        let text = format!("`{out}` exists already");
        return Err(Misuse::new(text).help("choose another name or say `--force`").into());
    }
    if arguments.cells < MIN_CELLS {
        let text = format!("{} cells are too few to learn from; ask for at least {MIN_CELLS}", arguments.cells);
        return Err(Misuse::new(text).into());
    }
    let design = Design::of(arguments.setting).context("settings are 1 to 5")?;
    simulate(&design, arguments.cells, arguments.seed)?.write(&arguments.out).of_input()?;
    console.note(&format!(
        "{out}: {} cells, modalities x ({} features) and y ({} features); true factors Z1 … Z5 in obs",
        arguments.cells,
        10 * design.x_blocks.len(),
        10 * design.y_blocks.len()
    ))
}
