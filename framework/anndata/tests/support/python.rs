//! Running Python's anndata and mudata on what this crate wrote.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Runs a function of `read_back.py` in Python; says so and does nothing where anndata or mudata is missing.
pub fn check(function: &str, arguments: &[&OsStr]) {
    let python = std::env::var("CITHARA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import anndata, mudata"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        say_skipped(&format!("`{python}` has no anndata and mudata; set CITHARA_PYTHON to one that has"));
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_back.py");
    let output =
        Command::new(&python).arg("-W").arg("ignore").arg(script).arg(function).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "Python did not accept the file:\n{text}");
}

/// Says that a test did nothing, also where the output of tests is captured.
pub fn say_skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
