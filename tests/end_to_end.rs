//! Simulation 1 of Zhang et al. 2026 from nothing to its evaluation, what a seed fixes, and exit codes of wrong input.

use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;
use tests_support::{cithara, cithara_ok, example, json};

/// A folder with simulated cells, and the override that points a spec to them.
fn simulated(n_cells: usize) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("simulation1.h5mu");
    let data = data.to_str().unwrap();
    cithara_ok(&["-q", "simulate", "1", data, "--seed", "1", "--cells", &n_cells.to_string()]);
    let set = format!("data.path=\"{data}\"");
    (folder, set)
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// Silhouette of a label in the rows that step 1 learned for a space.
fn silhouette(evaluation: &Value, label: &str, space: &str) -> f64 {
    let probes = evaluation["learned_rows"].as_array().unwrap().iter().filter(|probe| probe["label"] == label);
    let mut spaces = probes.flat_map(|probe| probe["spaces"].as_array().unwrap());
    let found = spaces.find(|scores| scores["name"] == space).unwrap_or_else(|| panic!("{label} in {space}"));
    found["silhouette"].as_f64().unwrap()
}

fn holds_what_a_run_leaves(run: &Path) {
    for name in [
        "spec.toml",
        "weights.safetensors",
        "latents.safetensors",
        "cells.tsv",
        "features/x.tsv",
        "features/y.tsv",
        "preparation.json",
        "metrics.jsonl",
        "provenance.json",
        "evaluation.json",
        "evaluation.tsv",
        "annotated.h5mu",
    ] {
        let length = std::fs::metadata(run.join(name)).map(|about| about.len());
        assert!(length.as_ref().is_ok_and(|&length| length > 0), "{name}: {length:?}");
    }
    let left = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.ends_with(".part") || name.ends_with(".partial")).collect();
    assert!(left.is_empty(), "temporary files were left behind: {left:?}");
}

/// Every term of both steps is logged for every epoch that ran, and is a number.
fn logs_both_steps(run: &Path) {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (stage, terms) in [
        ("latent", &["x", "y", "prior_shared", "prior_x", "prior_y"][..]),
        ("encoders", &["x_shared_rows", "x_x_rows", "y_shared_rows", "y_y_rows"]),
    ] {
        let of_stage: Vec<&Value> = lines.iter().filter(|line| line["stage"] == stage).collect();
        let epochs: Vec<&Value> = of_stage.iter().filter(|line| line["terms"].is_object()).copied().collect();
        let n_done = of_stage.iter().find_map(|line| line["finished"].as_u64()).unwrap();
        assert_eq!(epochs.len() as u64, n_done, "{stage}");
        for (line, term) in epochs.iter().flat_map(|line| terms.iter().map(move |term| (line, term))) {
            assert!(line["terms"][term].as_f64().is_some_and(f64::is_finite), "{stage}: no `{term}` in {line}");
        }
        assert!(of_stage.iter().any(|line| line["best"] == true), "{stage} was never validated");
    }
}

/// The run tells where it comes from: the data, the spec as it was used, the overrides.
fn tells_its_origin(run: &Path, set: &str) {
    let origin = json(&run.join("provenance.json"));
    assert_eq!(origin["overrides"], serde_json::json!([set]));
    assert_eq!((&origin["seed"], &origin["n_threads"]), (&Value::from(1), &Value::from(1)));
    let digest = |path: &Path| framework::run::digest_file(path).unwrap().sha256;
    assert_eq!(origin["spec_sha256"], digest(&run.join("spec.toml")));
    assert_eq!(origin["data"][0]["sha256"], digest(&run.with_file_name("simulation1.h5mu")));
    assert!(origin["fit_secs"].as_f64().is_some_and(|secs| secs > 0.0));
}

#[test]
fn simulation_1_runs_whole_and_separates_shared_from_specific() {
    let (folder, set) = simulated(2048);
    let run = path(&folder, "run");
    let done = cithara_ok(&["run", &example("simulation1.toml"), "--set", &set, "--out", &run]);
    assert!(done.err.contains("cells: 2048 ("), "{}", done.err);
    let run = Path::new(&run);
    holds_what_a_run_leaves(run);
    logs_both_steps(run);
    tells_its_origin(run, &set);

    // Z1 causes both modalities, Z3 only the first: each is where it belongs and nowhere else.
    let evaluation = json(&run.join("evaluation.json"));
    let of = |label, space| silhouette(&evaluation, label, space);
    assert!(of("Z1_class", "shared") > 0.4, "Z1 in shared: {}", of("Z1_class", "shared"));
    assert!(of("Z3_class", "shared") < 0.15, "Z3 in shared: {}", of("Z3_class", "shared"));
    assert!(of("Z3_class", "x") > 0.4, "Z3 in x: {}", of("Z3_class", "x"));
    assert!(of("Z3_class", "y") < 0.05, "Z3 in y: {}", of("Z3_class", "y"));

    let spec = run.join("spec.toml");
    let resolved = cithara_ok(&["check", spec.to_str().unwrap(), "--resolved"]);
    assert_eq!(resolved.out, std::fs::read_to_string(&spec).unwrap(), "the run's spec does not resolve to itself");
    let again = cithara_ok(&["evaluate", run.to_str().unwrap(), "--json"]);
    let again: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(again, evaluation, "a second evaluation of the same run differs");
}

/// Learns for a few epochs and gives back the weights.
fn weights(folder: &TempDir, set: &str, seed: u64, name: &str) -> Vec<u8> {
    let (out, seed) = (path(folder, name), format!("seed={seed}"));
    let mut words = vec!["-q", "run", "--only-fit", "--out", &out];
    let spec = example("simulation1.toml");
    words.push(&spec);
    for value in [set, &seed, "fit.n_threads=1", "fit.latent.n_epochs=3", "fit.encoders.n_epochs=2"] {
        words.extend(["--set", value]);
    }
    cithara_ok(&words);
    assert!(!Path::new(&out).join("evaluation.json").exists(), "`--only-fit` evaluated");
    let mut bytes = std::fs::read(Path::new(&out).join("weights.safetensors")).unwrap();
    bytes.extend(std::fs::read(Path::new(&out).join("latents.safetensors")).unwrap());
    bytes
}

#[test]
fn a_seed_fixes_every_byte_of_the_weights() {
    let (folder, set) = simulated(300);
    let first = weights(&folder, &set, 1, "first");
    assert!(first == weights(&folder, &set, 1, "second"), "the same seed gave other weights");
    assert!(first != weights(&folder, &set, 2, "third"), "another seed gave the same weights");
}

#[test]
fn a_run_is_not_replaced_unless_asked() {
    let (folder, set) = simulated(100);
    let (spec, out) = (example("simulation1.toml"), path(&folder, "run"));
    let few = "fit={ n_threads = 1, latent = { n_epochs = 1 }, encoders = { n_epochs = 1 } }";
    let words = ["-q", "run", &spec, "--set", &set, "--set", few, "--only-fit", "--out", &out];
    cithara_ok(&words);
    let before = std::fs::read(Path::new(&out).join("provenance.json")).unwrap();
    let refused = cithara(&words);
    assert!(refused.code == 2 && refused.err.contains("exists already"), "{refused}");
    assert_eq!(std::fs::read(Path::new(&out).join("provenance.json")).unwrap(), before);
    cithara_ok(&[&words[..], &["--force"]].concat());
    let inside = path(&folder, "run/mine.h5mu");
    std::fs::copy(path(&folder, "simulation1.h5mu"), &inside).unwrap();
    let data = format!("data.path=\"{inside}\"");
    let refused = cithara(&["-q", "run", &spec, "--set", &data, "--set", few, "--out", &out, "--force"]);
    assert!(refused.code == 2 && refused.err.contains("are in the run directory"), "{refused}");
    assert!(Path::new(&inside).is_file(), "the data were deleted");
    let elsewhere = path(&folder, "mine");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(Path::new(&elsewhere).join("thesis.txt"), "years of work").unwrap();
    let refused = cithara(&["-q", "run", &spec, "--set", &set, "--only-fit", "--out", &elsewhere, "--force"]);
    assert!(refused.code == 2 && refused.err.contains("not a run directory"), "{refused}");
    assert!(Path::new(&elsewhere).join("thesis.txt").is_file());
}

#[test]
fn wrong_input_ends_with_code_2_and_leaves_nothing() {
    let (folder, set) = simulated(60);
    let (spec, out) = (example("simulation1.toml"), path(&folder, "run"));
    let lacking = path(&folder, "lacking.h5mu");
    for (value, told) in [
        ("fit.latent.n_epoch=3", "did you mean `n_epochs`?"),
        ("fit.latent.minibatch=1", "must be at least 2 cells"),
        ("fit.device=cuda:77", "GPUs were found"),
        ("modality.x.key=xx", "`xx`"),
        ("data.label=Z9_class", "Z9_class"),
        ("modality.x.kind=rna", "not counts"),
        (&format!("data.path=\"{lacking}\""), "lacking.h5mu"),
    ] {
        let refused = cithara(&["run", &spec, "--set", &set, "--set", value, "--out", &out]);
        assert!(refused.code == 2 && refused.err.contains(told), "{value}: {refused}");
        assert!(!refused.err.contains("panicked") && refused.err.contains("error: "), "{value}: {refused}");
        assert!(!Path::new(&out).exists(), "{value} left a run directory");
    }
    for words in [["evaluate", &out], ["embed", &out], ["predict", &out]] {
        let data = path(&folder, "simulation1.h5mu");
        let more: &[&str] = match words[0] {
            "evaluate" => &[],
            "embed" => &[&data],
            _ => &[&data, "--from", "x", "--to", "y"],
        };
        let refused = cithara(&[&words[..], more].concat());
        assert!(refused.code == 2 && refused.err.contains("is not a run directory"), "{refused}");
    }
}
