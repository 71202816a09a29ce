//! The rules of the house that a program can check: who imports whom, what lies where, sizes, words.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests_support::{repository, say_skipped};

/// A file longer than this holds more than one concept.
const MAX_LINES: usize = 600;
/// The only files with code that the compiler cannot check: opening libraries, and the symbol that is looked for in them.
const UNSAFE: [&str; 3] = ["framework/src/libtorch.rs", "framework/src/plugin/entry.rs", "registry/src/library.rs"];
/// Crates that other crates of ours import, beside what `plugins/*` is.
const IMPORTS: [(&str, &[&str]); 9] = [
    ("cithara-anndata", &[]),
    ("cithara-analysis", &[]),
    ("cithara-images", &[]),
    ("cithara-framework", &["cithara-anndata", "cithara-images"]),
    ("cithara-registry", &["cithara-framework"]),
    (
        "cithara-plugins",
        &[
            "cithara-atac",
            "cithara-chromatin-image",
            "cithara-protein-image",
            "cithara-rna",
            "cithara-standard",
            "cithara-surface-protein",
        ],
    ),
    (
        "cithara-cli",
        &[
            "cithara-analysis",
            "cithara-anndata",
            "cithara-framework",
            "cithara-images",
            "cithara-plugins",
            "cithara-registry",
        ],
    ),
    ("cithara-tests", &["cithara-anndata", "cithara-cli", "cithara-framework", "cithara-plugins", "cithara-registry"]),
    ("xtask", &[]),
];

/// Paths below the root of all files that git tracks or would track; `None`, and said so, outside a checkout.
fn files() -> Option<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(repository())
        .output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        say_skipped("this is no git checkout");
        return None;
    };
    let names = String::from_utf8(listed.stdout).unwrap();
    let names = names.split('\0').filter(|name| !name.is_empty() && repository().join(name).is_file());
    Some(names.map(str::to_owned).collect())
}

fn rust_files() -> Vec<(String, String)> {
    let rust = files().unwrap_or_default().into_iter().filter(|name| name.ends_with(".rs"));
    rust.map(|name| (name.clone(), std::fs::read_to_string(repository().join(name)).unwrap())).collect()
}

/// Our packages with the folder of each and those of ours that it imports (`with_tests`: in its tests, too).
fn packages(with_tests: bool) -> Vec<(String, PathBuf, BTreeSet<String>)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let told = Command::new(cargo).args(words).current_dir(repository()).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let package = |package: &Value| {
        let ours = package["dependencies"].as_array().unwrap().iter().filter(|one| !one["path"].is_null());
        let ours = ours.filter(|one| with_tests || one["kind"] != "dev").map(|one| text(&one["name"])).collect();
        (text(&package["name"]), Path::new(&text(&package["manifest_path"])).parent().unwrap().to_owned(), ours)
    };
    told["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn crates_import_what_lies_below_them_only() {
    let packages = packages(false);
    let names: BTreeSet<&str> = packages.iter().map(|(name, ..)| name.as_str()).collect();
    assert!(IMPORTS.iter().all(|(name, _)| names.contains(name)), "{names:?}");
    for (name, folder, imports) in &packages {
        let known = IMPORTS.iter().find(|(known, _)| known == name);
        let allowed: BTreeSet<&str> = match known {
            Some((_, allowed)) => allowed.iter().copied().collect(),
            None => {
                let in_plugins = folder.parent() == Some(&repository().join("plugins"));
                assert!(in_plugins, "the crate `{name}` is neither a plugin nor in the table of docs/ARCHITECTURE.md");
                BTreeSet::from(["cithara-framework"])
            }
        };
        let imports: BTreeSet<&str> = imports.iter().map(String::as_str).collect();
        let wrong: Vec<&&str> = imports.difference(&allowed).collect();
        assert!(wrong.is_empty(), "`{name}` may not import {wrong:?}");
    }
}

#[test]
fn nobody_imports_the_command_line_but_the_tests_of_the_whole() {
    for (name, _, imports) in packages(true) {
        let above = ["cithara-cli", "cithara-tests", "xtask"];
        let wrong: Vec<&String> = imports.iter().filter(|one| above.contains(&one.as_str())).collect();
        assert!(wrong.is_empty() || name == "cithara-tests", "`{name}` imports {wrong:?}");
    }
}

#[test]
fn nothing_lies_at_the_top_but_the_rooms() {
    let rooms = ["docs", "examples", "framework", "plugins", "registry", "tests"];
    let papers = ["Cargo.lock", "Cargo.toml", "LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];
    for name in files().unwrap_or_default() {
        let known = match name.split_once('/') {
            Some((folder, _)) => rooms.contains(&folder) || folder.starts_with('.'),
            None => papers.contains(&name.as_str()) || name == "rust-toolchain.toml" || name.starts_with('.'),
        };
        assert!(known, "`{name}` has no place at the top of the repository");
    }
}

#[test]
fn no_file_is_too_long() {
    for (name, text) in rust_files() {
        let n_lines = text.lines().count();
        assert!(n_lines <= MAX_LINES, "{name} has {n_lines} lines; one concept per file, at most {MAX_LINES}");
    }
}

#[test]
fn unchecked_code_is_where_libraries_are_opened() {
    // in two pieces, so that this file does not find itself
    let keyword = ["un", "safe"].concat();
    for (name, text) in rust_files().into_iter().filter(|(name, _)| !UNSAFE.contains(&name.as_str())) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let found = code.into_iter().find(|line| has_word(line, &keyword));
        assert_eq!(found, None, "{name}");
    }
}

/// Whether a text has a word that is not part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|found| found == word)
}

#[test]
fn a_lib_says_what_a_crate_is_and_holds_no_code() {
    const STARTS: [&str; 9] = [
        "//",
        "mod ",
        "pub mod ",
        "use ",
        "pub use ",
        "#[cfg(test)]",
        "pub const EXAMPLE",
        "pub(crate) use ",
        "framework::export_plugin!();",
    ];
    // The program itself, and the one fact of the file library that has no file.
    const FUNCTIONS: [(&str, &str); 3] = [
        ("framework/cli/src/lib.rs", "pub fn run("),
        ("framework/cli/src/lib.rs", "fn usage("),
        ("framework/anndata/src/lib.rs", "pub fn hdf5_version("),
    ];
    for (name, text) in rust_files().into_iter().filter(|(name, _)| name.ends_with("src/lib.rs")) {
        assert!(text.starts_with("//! "), "{name} does not say what the crate is");
        // Lines of their own: neither continued nor closing ones.
        let own = text.lines().filter(|line| !line.is_empty() && !line.starts_with([' ', '}', ')']));
        for line in own.filter(|line| !STARTS.iter().any(|start| line.starts_with(start))) {
            let allowed = FUNCTIONS.iter().any(|(file, start)| *file == name && line.starts_with(start));
            assert!(allowed, "{name} holds `{line}`; a lib.rs is docs, `mod` and `use`");
        }
    }
}

#[test]
fn names_are_those_of_the_house() {
    const NEVER: [&str; 5] = ["util", "utils", "helpers", "common", "manager"];
    for name in files().unwrap_or_default() {
        let parts = name.split(['/', '.']).filter(|part| NEVER.contains(part)).count();
        assert_eq!(parts, 0, "`{name}` is named after no concept");
    }
}

#[test]
fn nothing_depends_on_the_place_where_it_was_written() {
    // in two pieces, so that this file does not find itself
    let never = [["/wo", "rk/"], ["/tm", "p/"], ["/ro", "ot/"], ["sparse+", "http"]].map(|parts| parts.concat());
    for name in files().unwrap_or_default().into_iter().filter(|name| name != "Cargo.lock") {
        // Files that are no text are data.
        let Ok(text) = std::fs::read_to_string(repository().join(&name)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let found = never.iter().find(|word| line.contains(word.as_str()));
            assert_eq!(found, None, "{name}:{}: {line}", number + 1);
        }
    }
}
