//! `cithara simulate`: cells whose causes are known.

use super::model::OfInput;
use crate::arguments::{SimulateArguments, Simulated};
use crate::console::Console;
use crate::cut::CELLS;
use crate::failure::Misuse;
use crate::simulate::{Design, SubsetFactor, simulate, simulate_nuclei, simulate_subsets};
use anyhow::{Context, Result};

/// Fewer cells cannot be divided into training, validation and test.
const MIN_CELLS: usize = 20;

pub(super) fn execute(arguments: &SimulateArguments, console: &mut Console<'_>) -> Result<()> {
    let file = match arguments.setting {
        Simulated::Factors(_) | Simulated::Subsets => arguments.out.clone(),
        Simulated::Images => arguments.out.join(CELLS),
    };
    if file.exists() && !arguments.force {
        let text = format!("`{}` exists already", file.display());
        return Err(Misuse::new(text).help("choose another name or say `--force`").into());
    }
    if arguments.cells < MIN_CELLS {
        let text = format!("{} cells are too few to learn from; ask for at least {MIN_CELLS}", arguments.cells);
        return Err(Misuse::new(text).into());
    }
    let (n_cells, seed) = (arguments.cells, arguments.seed);
    let what = match arguments.setting {
        Simulated::Factors(setting) => {
            let design = Design::of(setting).context("settings are 1 to 5")?;
            simulate(&design, n_cells, seed)?.write(&file).of_input()?;
            let [x, y] = [&design.x_blocks, &design.y_blocks].map(|blocks| 10 * blocks.len());
            format!("modalities x ({x} features) and y ({y} features); true factors Z1 … Z5 in obs")
        }
        Simulated::Subsets => {
            simulate_subsets(n_cells, seed)?.write(&file).of_input()?;
            let names = SubsetFactor::ALL.map(SubsetFactor::name).join(", ");
            format!("modalities x, y and z (40 features each); true factors {names} in obs")
        }
        Simulated::Images => {
            simulate_nuclei(n_cells, seed).write(&arguments.out).of_input()?;
            "images dna and protein (P1 or P2 in panel A, P3 or P4 in panel B; the other one is unmeasured); truth in obs"
                .to_owned()
        }
    };
    console.note(&format!("{}: {n_cells} cells, {what}", file.display()))
}
