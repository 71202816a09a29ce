//! The program as users run it: its own process, built with whatever these tests are built with.

use crate::files::repository;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The folder that cargo compiles into.
///
/// # Panics
/// When this is no test that cargo built.
pub fn target_folder() -> PathBuf {
    let exe = std::env::current_exe().expect("the path of this test");
    // target/debug/deps/test
    exe.ancestors().nth(3).expect("a folder of cargo").to_owned()
}

/// A cargo that knows nothing of the one that runs this test, and compiles into the same folder.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    alone(&mut command);
    command
}

/// The program `cithara`, built once.
///
/// # Panics
/// When it does not compile.
pub fn program() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let words = ["build", "--quiet", "--package", "cithara-cli", "--bin", "cithara"];
        let status = cargo().args(words).current_dir(repository()).status().expect("cargo starts");
        assert!(status.success(), "cithara does not compile");
    });
    target_folder().join("debug/cithara")
}

/// A command that runs with `cithara` on the path, in a folder.
///
/// # Panics
/// When the program does not compile.
pub fn command_in(folder: &Path, name: &str) -> Command {
    let program = program();
    let mut path = std::ffi::OsString::from(program.parent().expect("a folder"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut command = Command::new(name);
    alone(&mut command);
    command.env("PATH", path).current_dir(folder);
    command
}

/// Runs a command line of `cithara` in a folder, in a process of its own.
///
/// # Panics
/// When the program does not compile or start.
pub fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    command_in(folder, "cithara").args(arguments).output().expect("cithara starts")
}

/// All that a process said.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a command line that must end with this code, and returns what it said.
///
/// # Panics
/// When it ends with another one.
pub fn run_to(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let output = run_in(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// Takes out what cargo told this test, so that an inner cargo builds nothing twice.
fn alone(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.env("CARGO_TARGET_DIR", target_folder());
}
