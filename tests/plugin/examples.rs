//! The plugins of `examples/plugin` as examples: their specs read, and they are as small as they say.

use crate::built::{cithara, library, run};
use std::path::Path;
use tests_support::{cargo, repository};

/// Lines of code of a Rust file: neither blank nor comment.
fn n_lines_of_code(file: &Path) -> usize {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn the_smallest_specs_read() {
    for folder in ["examples/plugin/methylation", "examples/plugin/electrophysiology"] {
        // wherever cargo compiles to, the library has the name that the spec gives
        let (library, folder) = (library(folder).to_str().unwrap(), repository().join(folder));
        let done = cithara(&folder, &["check", "example.toml", "--plugin", library]);
        assert_eq!(done.code, 0, "{done}");
    }
}

#[test]
fn their_own_tests_pass() {
    let words = ["test", "--package", "methylation", "--package", "electrophysiology"];
    let done = run(cargo().args(words).current_dir(repository().join("examples/plugin")));
    assert_eq!(done.code, 0, "{done}");
    for name in ["the_modality_conforms", "the_loss_conforms", "the_likelihood_is_scipys"] {
        assert_eq!(done.out.matches(&format!("test {name} ... ok")).count(), 2, "{name}: {done}");
    }
}

#[test]
fn an_assay_with_a_loss_of_its_own_is_less_than_150_lines() {
    let sources = repository().join("examples/plugin/electrophysiology/src").read_dir().unwrap();
    let n_lines: usize = sources.map(|entry| n_lines_of_code(&entry.unwrap().path())).sum();
    assert!((50..150).contains(&n_lines), "{n_lines} lines");
    let main = repository().join("examples/plugin/cithara_with_plugins/src/main.rs");
    assert_eq!(n_lines_of_code(&main), 6);
}
