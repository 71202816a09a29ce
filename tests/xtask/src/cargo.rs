//! Runs cargo inside cargo.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::setup;

/// Where `cargo xtask demo` leaves its files, below the checkout.
const DEMO_FOLDER: &str = "runs/demo";

/// Builds the program, showing cargo's progress, then trains it on its own example.
pub fn demo(arguments: &[String]) -> Result<ExitCode> {
    let built = run(&["build", "--package", "cithara-cli"], &[])?;
    if built != ExitCode::SUCCESS {
        return Ok(built);
    }
    let program = ["run", "--quiet", "--package", "cithara-cli", "--bin", "cithara", "--", "demo"];
    if arguments.iter().any(|argument| argument == "--out" || argument.starts_with("--out=")) {
        return run(&program, arguments);
    }
    run(&[&program[..], &["--out", DEMO_FOLDER]].concat(), arguments)
}

/// Runs all tests of all packages.
pub fn test(arguments: &[String]) -> Result<ExitCode> {
    run(&["test", "--workspace"], arguments)
}

fn run(command: &[&str], arguments: &[String]) -> Result<ExitCode> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(command).args(arguments).current_dir(setup::checkout()?);
    for variable in inherited() {
        cargo.env_remove(variable);
    }
    let status = cargo.status().context("cargo does not start")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Variables that the outer cargo set for this program. They would make the inner one build again what is built.
fn inherited() -> impl Iterator<Item = String> {
    let ours = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    let places = ["LIBTORCH", "CMAKE", "CPLUS_INCLUDE_PATH"].map(str::to_string);
    let from_cargo = env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(move |name| ours(name));
    from_cargo.chain(places.into_iter().filter(|name| setup::own_value(name).is_none()))
}
