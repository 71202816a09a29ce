//! Where things are: the repository, its examples, real data.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The root of the repository.
///
/// # Panics
/// When this crate is not in it.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the folder above this crate")
}

/// Path of an example spec.
///
/// # Panics
/// When it is not UTF-8.
pub fn example(name: &str) -> String {
    repository().join("examples").join(name).to_str().expect("UTF-8").to_owned()
}

/// A file of real data: in `$CITHARA_TEST_DATA`, or in `../shared/data` beside the repository; `None`, and said so,
/// where it is not.
///
/// # Panics
/// When `$CITHARA_TEST_DATA` is set but lacks the file, or the path is not UTF-8.
pub fn real_data(name: &str) -> Option<String> {
    let asked = std::env::var_os("CITHARA_TEST_DATA").map(PathBuf::from);
    let folder = asked.clone().unwrap_or_else(|| repository().join("../shared/data"));
    let path = folder.join(name);
    if !path.is_file() {
        assert!(asked.is_none(), "$CITHARA_TEST_DATA is `{}`, which has no `{name}`", folder.display());
        say_skipped(&format!("no real data `{name}` in `{}`; set CITHARA_TEST_DATA to their folder", folder.display()));
        return None;
    }
    Some(path.to_str().expect("UTF-8").to_owned())
}

/// Says that a check did nothing, also where the output of tests is captured.
pub fn say_skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// Reads a file of JSON.
///
/// # Panics
/// When it cannot be read.
pub fn json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
