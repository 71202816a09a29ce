//! One spec through both doors: a library that is loaded, and a program that the crate is compiled into.

use crate::built::{Done, cithara, library, run, with_plugins};
use crate::cells::{SMALL, spec, write};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;
use tempfile::TempDir;
use tests_support::{command_in, json};

/// A folder with generated cells and a spec.
pub fn folder_with(spec: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    std::fs::write(folder.path().join("spec.toml"), spec).unwrap();
    folder
}

/// Runs the spec of a folder in the program that has the plugins compiled in.
fn compiled_in(folder: &Path, words: &[&str]) -> Done {
    run(command_in(folder, with_plugins().to_str().unwrap()).args(words))
}

fn checksum(file: &Path) -> String {
    Sha256::digest(std::fs::read(file).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How the prediction of one modality from another stands to the mean of each feature.
fn against_the_mean(run: &Path, subject: &str) -> String {
    let evaluation = json(&run.join("evaluation.json"));
    let verdicts = evaluation["verdicts"].as_array().unwrap();
    let is_it = |verdict: &&Value| verdict["subject"] == subject && verdict["against"] == "feature_mean";
    let found = verdicts.iter().find(is_it).unwrap_or_else(|| panic!("{subject}: {verdicts:#?}"));
    found["outcome"].as_str().unwrap().to_owned()
}

/// Trains an assay together with `rna` through both doors; the folder, with the runs `loaded` and `compiled_in`.
fn trained(assay: &str, plugin: &'static str, n_epochs: usize) -> TempDir {
    let modalities = [(assay, SMALL)];
    let folder = folder_with(&spec(&[library(plugin)], &modalities, n_epochs));
    let at = folder.path();
    std::fs::write(at.join("without.toml"), spec(&[], &modalities, n_epochs)).unwrap();
    let done = cithara(at, &["run", "spec.toml", "--out", "loaded"]);
    assert_eq!(done.code, 0, "{done}");
    let done = compiled_in(at, &["run", "without.toml", "--out", "compiled_in"]);
    assert_eq!(done.code, 0, "{done}");
    for file in ["weights.safetensors", "latents.safetensors", "preparation.json", "evaluation.json"] {
        let [loaded, compiled] = ["loaded", "compiled_in"].map(|run| checksum(&at.join(run).join(file)));
        assert_eq!(loaded, compiled, "{assay}: {file} depends on the door");
    }
    folder
}

#[test]
fn methylation_is_the_same_through_both_doors_and_is_predicted() {
    let folder = trained("methylation", "examples/plugin/methylation", 60);
    let (at, run) = (folder.path(), folder.path().join("loaded"));
    assert_eq!(against_the_mean(&run, "rna → methylation"), "better");
    assert_eq!(against_the_mean(&run, "methylation → rna"), "better");
    let scores = json(&run.join("evaluation.json"));
    let of_methylation = &scores["reconstructions"].as_array().unwrap()[1];
    assert_eq!(of_methylation["values"], "share of trials");
    let share = of_methylation["measured"]["share"].as_f64().unwrap();
    assert!((0.6..0.73).contains(&share), "two in three regions are covered, not {share}");

    // the run names its library: nobody else has to
    for words in [
        &["evaluate", "loaded"][..],
        &["embed", "loaded", "cells.h5mu", "--out", "embedded.h5mu"],
        &["predict", "loaded", "cells.h5mu", "--from", "rna", "--to", "methylation", "--out", "predicted.h5mu"],
    ] {
        let done = cithara(at, words);
        assert_eq!(done.code, 0, "{words:?}: {done}");
    }
    assert!(at.join("embedded.h5mu").is_file() && at.join("predicted.h5mu").is_file());
    let spec = std::fs::read_to_string(run.join("spec.toml")).unwrap();
    assert!(spec.contains("libmethylation.so"), "{spec}");
    let origin = std::fs::read_to_string(run.join("provenance.json")).unwrap();
    assert!(origin.contains(&checksum(library("examples/plugin/methylation"))), "{origin}");

    // a program that has the plugin compiled in cannot take it a second time
    let done = compiled_in(at, &["check", "spec.toml"]);
    assert_eq!(done.code, 2, "{done}");
    assert!(done.err.contains("declared twice, by `methylation` and by `methylation` (`"), "{done}");
}

#[test]
fn electrophysiology_is_the_same_through_both_doors_and_is_predicted() {
    let folder = trained("electrophysiology", "examples/plugin/electrophysiology", 40);
    assert_eq!(against_the_mean(&folder.path().join("loaded"), "rna → electrophysiology"), "better");
}

#[test]
fn a_component_of_one_library_serves_a_modality_of_another() {
    let libraries = ["examples/plugin/methylation", "examples/plugin/electrophysiology", "tests/faulty_plugin"];
    // a loss, a step, networks and a prior, each in a table of somebody else's modality
    let methylation = format!("{SMALL}\nloss = {{ kind = \"student_t\", degrees_of_freedom = 8.0 }}");
    let properties = "kind = \"values\"\nkey = \"electrophysiology\"\nsteps = [\"faulty\"]\nencoder = \"faulty\"\n\
                      decoder = \"faulty\"\nloss = \"student_t\"";
    let text = spec(&libraries.map(library), &[("methylation", &methylation), ("properties", properties)], 2);
    let folder = folder_with(&(text + "\n[latent.shared]\nprior = \"faulty\"\n"));
    let done = cithara(folder.path(), &["run", "spec.toml", "--out", "run"]);
    assert_eq!(done.code, 0, "{done}");
    let resolved = std::fs::read_to_string(folder.path().join("run/spec.toml")).unwrap();
    assert_eq!(resolved.matches("kind = \"student_t\"").count(), 2, "{resolved}");
    assert_eq!(resolved.matches("kind = \"faulty\"").count(), 4, "{resolved}");
}

#[test]
fn a_loss_that_cannot_use_the_values_says_so() {
    let text = spec(&[library("examples/plugin/methylation")], &[], 2);
    let folder = folder_with(&text.replace("[modality.rna]\n", "[modality.rna]\nloss = \"beta_binomial\"\n"));
    let done = cithara(folder.path(), &["run", "spec.toml", "--out", "run"]);
    assert_eq!(done.code, 2, "{done}");
    assert!(done.err.contains("modality `rna`: the loss compares successes with trials"), "{done}");
}
