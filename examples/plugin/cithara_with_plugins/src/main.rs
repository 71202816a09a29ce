//! `cithara` with the assays of this workspace compiled in: naming a crate is all it takes.

use std::process::ExitCode;
use {electrophysiology as _, methylation as _};

fn main() -> ExitCode {
    framework::libtorch::apply_performance_environment();
    ExitCode::from(cli::run(std::env::args_os(), &mut std::io::stdout().lock(), &mut std::io::stderr()))
}
