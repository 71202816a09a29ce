//! Texts as specs and ablations, and changes to such texts that keep them TOML.
#![cfg(feature = "spec")]

mod change;
mod dice;
mod words;

pub use change::changed;

use std::path::Path;
use std::sync::LazyLock;

use plugins as _;
use registry::{Catalogue, Diagnostics, Written, WrittenAblation, read, read_ablation};

use crate::Scratch;

/// A line that starts with this is what `--set` of the command line hands on.
const OVERRIDE: &str = "#--set ";
/// What ablations of the examples are based on, and `base.toml`.
const BASES: [(&str, &str); 4] = [
    ("base.toml", include_str!("../../../examples/simulation1.toml")),
    ("simulation1.toml", include_str!("../../../examples/simulation1.toml")),
    ("pbmc10k_cite.toml", include_str!("../../../examples/pbmc10k_cite.toml")),
    ("mop_snare_dgd.toml", include_str!("../../../examples/mop_snare_dgd.toml")),
];

/// The components of the built-in plugins.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::linked().expect("components are linked"));

/// Reads a text as a spec, or as an ablation if it speaks of one.
///
/// # Panics
/// If the reader panics, a component does, an error has no place in the text, or what is read is another experiment when
/// it is written and read again.
pub fn read_everything(text: &str) {
    if text.contains("[ablation") {
        read_as_ablation(text);
    }
    let overrides: Vec<String> =
        text.lines().filter_map(|line| line.strip_prefix(OVERRIDE)).map(str::to_owned).collect();
    let path = Path::new("specs/input.toml");
    match read(&Written { path, text, overrides: &overrides }, &CATALOGUE) {
        Ok(experiment) => {
            let resolved = toml::to_string(&experiment.to_toml().expect("an experiment is TOML")).expect("as a text");
            let again = read(&Written { path, text: &resolved, overrides: &[] }, &CATALOGUE);
            let again = again.unwrap_or_else(|errors| panic!("what was written is refused:\n{errors}\n{resolved}"));
            let rewritten = toml::to_string(&again.to_toml().expect("an experiment is TOML")).expect("as a text");
            assert_eq!(rewritten, resolved);
            assert_eq!(format!("{again:?}"), format!("{experiment:?}"));
        }
        Err(errors) => sound_errors(&errors, text),
    }
}

fn sound_errors(errors: &Diagnostics, text: &str) {
    let n_lines = text.matches('\n').count() + 1;
    assert!(!errors.is_empty());
    for one in errors.sorted() {
        let inside = errors.position(&one.place).is_none_or(|at| (1..=n_lines).contains(&at.line));
        assert!(inside && !one.message.is_empty(), "{one:?}");
    }
    let told = errors.render(true);
    assert!(told.contains("error:") && errors.to_string().contains("error:"));
    assert!(!told.contains("this is a fault of the component"), "{told}");
}

fn read_as_ablation(text: &str) {
    let scratch = Scratch::new();
    for (name, base) in BASES {
        scratch.file(name, base.as_bytes());
    }
    let folder = scratch.folder().join("ablations");
    std::fs::create_dir(&folder).expect("a folder for the ablation");
    let path = folder.join("input.toml");
    std::fs::write(&path, text).expect("room for the ablation");
    let written = WrittenAblation { path: &path, overrides: &[], metric: &|_, _| None };
    match read_ablation(&written, &CATALOGUE) {
        Ok(ablation) => assert!(!ablation.variants.is_empty()),
        Err(errors) if errors.file() == path.display().to_string() => sound_errors(&errors, text),
        Err(errors) => assert!(!errors.is_empty()),
    }
}
