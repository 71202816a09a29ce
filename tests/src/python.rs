//! Reading back with Python's anndata and mudata what was written here.

use crate::files::{repository, say_skipped};
use std::process::Command;

/// Runs a function of `read_back.py` in `$CITHARA_PYTHON` (`python3` by default); says so and does nothing where that
/// has no anndata and mudata.
///
/// # Panics
/// When Python does not accept the file.
pub fn read_back(function: &str, arguments: &[&str]) {
    let python = std::env::var("CITHARA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import anndata, mudata"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        say_skipped(&format!("`{python}` has no anndata and mudata; set CITHARA_PYTHON to one that has"));
        return;
    }
    let script = repository().join("tests/read_back.py");
    let output = Command::new(&python).args(["-W", "ignore"]).arg(script).arg(function).args(arguments).output();
    let output = output.expect("python starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{function} {}:\n{text}", arguments.join(" "));
}
