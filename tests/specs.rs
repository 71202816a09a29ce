//! The example specs: they read, their resolved form is the same experiment, and no slip of a key goes unseen.

// Naming the built-in components keeps the linker from dropping them.
use cli::ablate::metric::{Metric, Subjects};
use plugins as _;
use registry::{Catalogue, Diagnostics, Paper, Written, WrittenAblation, paper_ablation, read, read_ablation};
use std::path::{Path, PathBuf};

/// The example specs and their texts.
fn examples() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut specs: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    specs.sort();
    assert!(!specs.is_empty(), "no specs in {}", folder.display());
    specs.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect()
}

fn read_text(path: &Path, text: &str, catalogue: &Catalogue) -> Result<framework::spec::Experiment, Diagnostics> {
    read(&Written { path, text, overrides: &[] }, catalogue)
}

#[test]
fn every_example_reads_and_its_resolved_form_is_the_same_experiment() {
    let catalogue = Catalogue::linked().unwrap();
    for (path, text) in examples() {
        let experiment = read_text(&path, &text, &catalogue).unwrap_or_else(|errors| panic!("{errors}"));
        let resolved = experiment.to_toml().unwrap();
        let written = toml::to_string(&resolved).unwrap();
        let again = read_text(Path::new("/elsewhere/spec.toml"), &written, &catalogue);
        let again = again.unwrap_or_else(|errors| panic!("{errors}\n{written}"));
        assert_eq!(again.to_toml().unwrap(), resolved, "{}", path.display());
        assert_eq!(format!("{again:?}"), format!("{experiment:?}"), "{}", path.display());
    }
}

#[test]
fn every_ablation_reads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/ablations");
    let catalogue = Catalogue::linked().unwrap();
    let mut n_variants = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let metric =
            |name: &str, experiment: &framework::spec::Experiment| Metric::named(name, &Subjects::of(experiment)).err();
        let written = WrittenAblation { path: &path, overrides: &[], metric: &metric };
        let ablation = read_ablation(&written, &catalogue).unwrap_or_else(|errors| panic!("{errors}"));
        n_variants += ablation.variants.len();
    }
    assert!(n_variants > 10, "{n_variants} variants");
}

#[test]
fn the_ablations_of_the_dgd_paper_follow_the_spec() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mop_snare_dgd.toml");
    let ablation = paper_ablation(Paper::Dgd, &path, &[], &Catalogue::linked().unwrap()).unwrap();
    let names: Vec<&str> = ablation.variants.iter().map(|variant| variant.name.as_str()).collect();
    assert_eq!(names[..5], ["base", "one_component", "no_covariates", "only_rna", "only_atac"]);
    assert_eq!((names.len(), ablation.seeds.len()), (10, 3));
    let of = |name: &str| &ablation.variants.iter().find(|variant| variant.name == name).unwrap().experiment;
    assert_eq!(of("only_atac").modalities.keys().collect::<Vec<_>>(), ["atac"]);
    assert_eq!(of("no_covariates").latents.len(), 1);
    assert_eq!(of("training_share=0.25").data.split.training_share, 0.25);
}

/// A key of a text: its bytes, its line (from 1), and whether it is a name that the user chose (of a table, or of a column of obs).
#[derive(Debug, Clone)]
struct Key {
    start: usize,
    end: usize,
    line: usize,
    is_name: bool,
}

/// All keys of a spec: the parts of table headers, of keys before `=`, and of keys of inline tables.
fn keys(text: &str) -> Vec<Key> {
    let mut found = Vec::new();
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let is_header = line.starts_with('[');
        for (from, to) in words(line) {
            let rest = line[to..].trim_start();
            let is_part = rest.starts_with('.') && !line[from..].starts_with(|letter: char| letter.is_ascii_digit());
            if is_header || is_part || rest.starts_with('=') {
                let is_column = from > 0 && line.starts_with("obs_columns ");
                let is_name = is_column
                    || is_header && is_chosen(line[..from].trim_start_matches('['), &text[start + line.len()..]);
                found.push(Key { start: start + from, end: start + to, line: index + 1, is_name });
            }
        }
        start += line.len();
    }
    found
}

/// Whether the last part of a table's header is a name of the user's: of a modality, of a condition, or of a latent space that
/// says itself who reads it. `before` is the header up to there, `after` what follows its line.
fn is_chosen(before: &str, after: &str) -> bool {
    let mut own = after.lines().take_while(|line| !line.starts_with('['));
    match before {
        "modality." | "condition." => true,
        "latent." => own.any(|line| line.starts_with("modalities =")),
        _ => false,
    }
}

/// Runs of letters that a bare key may have, outside strings and comments.
fn words(line: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut in_string = false;
    for (at, letter) in line.char_indices() {
        match letter {
            '#' if !in_string => break,
            '"' => in_string = !in_string,
            _ if in_string => {}
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => match found.last_mut() {
                Some((_, end)) if *end == at => *end = at + 1,
                _ => found.push((at, at + 1)),
            },
            _ => {}
        }
    }
    found
}

/// Every slip of one character of a key: left out, replaced, added, or swapped with the next.
fn slips(text: &str, key: &Key) -> Vec<String> {
    const LETTERS: [&str; 10] = ["a", "e", "s", "Z", "0", "_", "-", ".", "\"", "="];
    let mut found = Vec::new();
    for at in key.start..key.end {
        found.push(format!("{}{}", &text[..at], &text[at + 1..]));
        for letter in LETTERS {
            found.push(format!("{}{letter}{}", &text[..at], &text[at + 1..]));
            found.push(format!("{}{letter}{}", &text[..at], &text[at..]));
        }
        if at + 1 < key.end {
            found.push(format!("{}{}{}{}", &text[..at], &text[at + 1..at + 2], &text[at..at + 1], &text[at + 2..]));
        }
    }
    found.retain(|slipped| slipped != text);
    found
}

/// What is wrong with how a slip was met, if anything.
///
/// A slip in `[modality.NAME]` makes another name, and names are the user's to choose: that is no error where the table
/// says its own `kind` (a latent space: its own `modalities`), and where other tables use the name, they are the ones that say so.
fn unseen(result: &Result<framework::spec::Experiment, Diagnostics>, key: &Key) -> Option<String> {
    match result {
        Ok(_) if key.is_name => None,
        Ok(_) => Some("reads without errors".to_owned()),
        Err(_) if key.is_name => None,
        Err(errors) => {
            let lines = errors.sorted().into_iter().filter_map(|one| errors.position(&one.place));
            let told = lines.into_iter().any(|at| at.line == key.line);
            (!told).then(|| format!("no error at line {}:\n{errors}", key.line))
        }
    }
}

#[test]
fn a_slip_of_any_character_of_any_key_is_caught_at_its_line() {
    let catalogue = Catalogue::linked().unwrap();
    for (path, text) in examples() {
        let keys = keys(&text);
        assert!(keys.len() > 10 && keys.iter().filter(|key| key.is_name).count() >= 2, "{keys:?}");
        for key in &keys {
            for slipped in slips(&text, key) {
                let result = read_text(&path, &slipped, &catalogue);
                if let Some(why) = unseen(&result, key) {
                    let line = slipped.lines().nth(key.line - 1).unwrap_or_default();
                    panic!("{}, line {}: `{line}` {why}", path.display(), key.line);
                }
            }
        }
    }
}

#[test]
fn a_slip_of_a_modality_without_a_kind_is_caught_at_its_line() {
    let catalogue = Catalogue::linked().unwrap();
    let text = "spec_version = 1\n[modality.rna]\npath = \"cells.h5ad\"\n";
    read_text(Path::new("spec.toml"), text, &catalogue).unwrap_or_else(|errors| panic!("{errors}"));
    for key in keys(text) {
        for slipped in slips(text, &key) {
            let result = read_text(Path::new("spec.toml"), &slipped, &catalogue);
            let strict = Key { is_name: false, ..key.clone() };
            assert_eq!(unseen(&result, &strict), None, "{slipped}");
        }
    }
}
