//! What whole-project checks share: the command line in this process, the repository, real data, simulated files.
//!
//! The checks themselves are the files beside `src`.

mod cithara;
pub mod dgd;
mod files;
mod golden_cells;
mod markdown;
mod processor;
mod program;
mod python;
mod spec;

pub use cithara::{Outcome, cithara, cithara_ok};
pub use files::{example, json, real_data, repository, say_skipped};
pub use golden_cells::{GoldenCells, write_golden_cells};
pub use markdown::{Block, blocks};
pub use processor::processor_secs;
pub use program::{cargo, command_in, program, run_in, run_to, said, target_folder};
pub use python::read_back;
pub use spec::{Measured, columns, mudata, small_spec, values};
