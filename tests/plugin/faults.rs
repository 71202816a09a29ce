//! Panics inside a library, and what it logs.

use crate::built::{Done, cithara, library};
use crate::cells::spec;
use crate::doors::folder_with;
use tempfile::TempDir;

const PLUGIN: &str = "tests/faulty_plugin";

/// Generated cells, and a spec whose modality `properties` is `faulty` throughout; `more` stands in its table.
fn faulty(more: &str, end: &str) -> TempDir {
    let table = format!("kind = \"faulty\"\nkey = \"electrophysiology\"\n{more}");
    folder_with(&(spec(&[library(PLUGIN)], &[("properties", &table)], 2) + end))
}

fn trained(folder: &TempDir, more: &[&str]) -> Done {
    cithara(folder.path(), &[&["run", "spec.toml", "--out", "run"], more].concat())
}

#[test]
fn a_panic_is_an_error_that_names_the_component() {
    let panics = "{ kind = \"faulty\", panics = true }";
    for (role, more, end) in [
        ("loss", format!("loss = {panics}"), String::new()),
        ("decoder", format!("decoder = {panics}"), String::new()),
        ("encoder", format!("encoder = {panics}"), String::new()),
        ("prior", String::new(), format!("\n[latent.shared]\nprior = {panics}\n")),
        ("step", format!("steps = [{panics}]"), String::new()),
        ("modality", "panics = true".to_owned(), String::new()),
    ] {
        let done = trained(&faulty(&more, &end), &[]);
        // what cannot be opened is wrong input like any other
        let expected = if ["step", "modality"].contains(&role) { 2 } else { 1 };
        assert_eq!(done.code, expected, "{role}: {done}");
        let told = format!("the {role} `faulty` of `faulty` panicked: as it was told to (src/components.rs:");
        assert!(done.err.contains(&told) && done.err.contains("this is a fault of the component"), "{role}: {done}");
        assert!(!done.err.contains("thread '") && !done.err.contains("RUST_BACKTRACE"), "{role}: {done}");
    }
}

#[test]
fn what_a_library_logs_reaches_standard_error() {
    let folder = faulty("", "");
    let done = trained(&folder, &["--only-fit"]);
    assert_eq!(done.code, 0, "{done}");
    assert!(done.err.contains("note: faulty: a loss of 8 features is built\n"), "{done}");
    assert!(!done.err.contains("nobody asked for this") && !done.out.contains("is built"), "{done}");
    let quiet = trained(&folder, &["--only-fit", "--force", "--quiet"]);
    assert!(quiet.code == 0 && quiet.err.is_empty(), "{quiet}");
}
