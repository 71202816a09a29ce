//! The program `cithara`.

use std::process::ExitCode;

fn main() -> ExitCode {
    framework::libtorch::apply_performance_environment();
    ExitCode::from(cli::run(std::env::args_os(), &mut std::io::stdout().lock(), &mut std::io::stderr()))
}
