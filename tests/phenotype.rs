//! What images tell of a phenotype, real and as a model makes them, where the truth is known.

use serde_json::Value;
use std::path::Path;
use tests_support::{json, run_to};

/// Nothing tells the networks which protein a cell was stained for: only its image does.
const SPEC: &str = "spec_version = 1\nname = \"stains\"\nseed = 1\n[data]\npath = \"cells/cells.h5mu\"\n\
    split = { test = 0.4, validation = 0.1 }\n\
    [modality.dna]\nkind = \"chromatin_image\"\nencoder = { channels = [8, 16], n_channels_out = 24 }\n\
    decoder = { channels = [8, 16], n_channels_in = 24 }\n\
    [modality.protein]\nkind = \"protein_image\"\nencoder = { channels = [8, 16], n_channels_out = 24 }\n\
    decoder = { channels = [8, 16], n_channels_in = 24 }\n\
    [model]\nkind = \"apollo\"\nshared = 4\nspecific = 8\n[fit]\nn_threads = 1\n\
    latent = { n_epochs = 30, minibatch = 32 }\nencoders = { n_epochs = 20, minibatch = 32 }\n";

/// A learned run of 240 simulated cells.
fn stains(path: &Path) {
    run_to(0, path, &["simulate", "images", "cells", "--cells", "240"]);
    std::fs::write(path.join("spec.toml"), SPEC).unwrap();
    run_to(0, path, &["-q", "run", "spec.toml", "--out", "run", "--no-controls", "--no-annotation"]);
}

/// A narrow network learns in seconds.
const ASKED: [&str; 16] = [
    "phenotype",
    "run",
    "--label",
    "protein",
    "--modality",
    "protein",
    "--folds",
    "2",
    "--width",
    "8",
    "--minibatch",
    "16",
    "--epochs",
    "15",
    "--patience",
    "15",
];

fn input<'f>(found: &'f Value, name: &str) -> &'f Value {
    let inputs = found["modalities"][0]["inputs"].as_array().unwrap();
    inputs.iter().find(|input| input["input"] == name).unwrap_or_else(|| panic!("no `{name}`: {found}"))
}

/// Mean balanced accuracy over the splits.
fn score(found: &Value, name: &str) -> f64 {
    let splits = input(found, name)["splits"].as_array().unwrap();
    splits.iter().map(|split| split["scores"][0].as_f64().unwrap()).sum::<f64>() / splits.len() as f64
}

fn lines(path: &Path, name: &str) -> Vec<String> {
    std::fs::read_to_string(path.join(name)).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn stains_are_told_from_images_that_hold_them_and_a_seed_decides_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    stains(path);
    let words = [&ASKED[..], &["--repeats", "2"]].concat();
    let text = run_to(0, path, &words);
    assert!(text.contains("the model itself learned from none of these cells"), "{text}");
    assert!(
        text.contains("reconstructed − shared only") && text.contains("phenotype: protein, from dna, split 2"),
        "{text}"
    );
    let found = json(&path.join("run/phenotype/phenotype.json"));
    let [real, permuted, from_dna, none] =
        ["real", "real, labels permuted", "from dna", "no image: most frequent class"].map(|name| score(&found, name));
    assert!(real > 0.6, "{text}");
    assert!(score(&found, "reconstructed") > 0.45, "{text}");
    assert!(from_dna < 0.45 && permuted < 0.5 && none == 0.25, "{text}");

    let written = path.join("run/phenotype");
    judged_by_unseen_cells(&lines(&written, "answers_protein.tsv"), &found);
    let tests = lines(&written, "tests.tsv");
    assert!(
        tests.iter().any(|line| line.starts_with("protein\treal\tfrom dna\tsplit\tbalanced_accuracy\t2\t0.")),
        "{tests:?}"
    );
    // five kinds of images and none, four classes each
    assert_eq!(lines(&written, "confusion_protein.tsv").len(), 1 + 6 * 4);
    let svg = std::fs::read_to_string(written.join("scores_protein.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.matches("<circle").count() == 12);

    // one split alone is the first of several, to the last digit
    let alone = ["--repeats", "1", "--no-permuted", "--out", "again"];
    run_to(0, path, &[&ASKED[..], &alone].concat());
    let is_real = |line: &&String| line.starts_with("protein\t1\t") && !line.contains("permuted");
    let first: Vec<String> = lines(&written, "phenotype.tsv").iter().filter(is_real).cloned().collect();
    assert_eq!(first, lines(&path.join("again"), "phenotype.tsv")[1..]);
    report(path);
    slips(path);
}

/// The table of answers gives the scores again, by cells that the model never learned from.
fn judged_by_unseen_cells(answers: &[String], found: &Value) {
    let rows: Vec<Vec<&str>> = answers[1..].iter().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 96, "each test cell judges in one of the two splits");
    let mut cells: Vec<&str> = rows.iter().map(|row| row[1]).collect();
    cells.sort_unstable();
    cells.dedup();
    assert_eq!(cells.len(), 96);
    assert!(rows.iter().all(|row| row[2] == "test"));
    assert!(answers[0].starts_with("split\tcell\tmodel\ttrue\treal\treconstructed\t"), "{}", answers[0]);
    for split in 1..=2 {
        let own: Vec<_> = rows.iter().filter(|row| row[0] == split.to_string()).collect();
        let right = own.iter().filter(|row| row[3] == row[4]).count() as f64 / own.len() as f64;
        let told = input(found, "real")["splits"][split - 1]["scores"][1].as_f64().unwrap();
        assert!((right - told).abs() < 1e-9, "{right} {told}");
    }
}

fn report(path: &Path) {
    run_to(0, path, &["report", "run", "--no-umap"]);
    let page = std::fs::read_to_string(path.join("run/report.html")).unwrap();
    assert!(page.contains("id=\"phenotype\"") && page.contains("protein from images of protein"));
    assert!(page.contains("real − reconstructed") && page.contains("balanced accuracy of held-out cells"));
}

/// Numbers are told, too, and each slip is told in one line, with exit code 2, and changes nothing.
fn slips(path: &Path) {
    let numbers = ["phenotype", "run", "--label", "n_foci", "--regress", "--modality", "protein", "--repeats", "1"];
    let quick =
        ["--epochs", "1", "--width", "4", "--max-cells", "60", "--no-permuted", "--hold-out", "panel", "--out", "foci"];
    let text = run_to(0, path, &[&numbers[..], &quick].concat());
    assert!(
        text.contains("number `n_foci` from images of protein") && text.contains("of 1 held-out classes of `panel`"),
        "{text}"
    );
    assert!(text.contains("but from others of 1 of the 1 classes"), "{text}");
    let found = json(&path.join("foci/phenotype.json"));
    assert_eq!(found["scores"], serde_json::json!(["pearson", "spearman", "r_squared"]));
    assert_eq!(input(&found, "no image: mean")["splits"][0]["scores"][0], 0.0);
    assert!(!path.join("foci/confusion_protein.tsv").exists());

    let before = std::fs::read(path.join("run/phenotype/phenotype.json")).unwrap();
    let told: [(&[&str], &str); 9] = [
        (&["protein"], "holds what was told of a phenotype already"),
        (&["stain", "--force"], "no column `stain` in obs"),
        (&["area", "--force"], "has 240 classes in 240 cells"),
        (&["protein", "--force", "--regress"], "which is no number"),
        (&["protein", "--force", "--modality", "rna"], "no modality `rna`"),
        (&["protein", "--force", "--only", "panel"], "`--only panel` must be a column"),
        (&["protein", "--force", "--only", "panel=C"], "no cell has `C` in the column `panel` of obs; values: A, B"),
        (&["protein", "--force", "--minibatch", "1"], "must be 2 or more"),
        (&["protein", "--force", "--stop-share", "1"], "`--stop-share 1` must be above 0 and below 1"),
    ];
    for (words, expected) in told {
        let text = run_to(2, path, &[&["phenotype", "run", "--label"], words].concat());
        assert!(text.contains(expected), "{words:?}: {text}");
    }
    assert_eq!(std::fs::read(path.join("run/phenotype/phenotype.json")).unwrap(), before);
}
