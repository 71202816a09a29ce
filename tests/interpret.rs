//! What latent spaces are told to know of, where the truth is known; and what other programs read of it.

use std::path::Path;
use tests_support::{json, read_back, run_in, run_to, said};

fn names(findings: &serde_json::Value) -> Vec<&str> {
    findings["explained"].as_array().unwrap().iter().map(|one| one[0].as_str().unwrap()).collect()
}

fn knowledge(found: &serde_json::Value, space: &str, of: &str) -> f64 {
    let all = found["knowledge"].as_array().unwrap();
    let one = all.iter().find(|one| one["space"] == space && one["of"] == of).unwrap();
    one["value"].as_f64().unwrap()
}

/// Simulation 1: features 0 to 19 of `x` follow its own factors Z3 and Z4, 20 to 39 the shared ones.
#[test]
fn a_space_is_explained_by_the_features_of_its_factors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run_to(0, path, &["demo"]);
    let run = "runs/demo/run";
    let asked = [
        "interpret",
        run,
        "--repeats",
        "6",
        "--min-repeats",
        "5",
        "--tell",
        "Z2",
        "--two-groups",
        "Z2",
        "--classify",
        "Z3_class",
    ];
    let text = run_to(0, path, &asked);
    assert!(text.contains("written: runs/demo/run/interpretation/features.tsv"), "{text}");
    let found = json(&path.join(run).join("interpretation/interpretation.json"));
    let of = |space: &str| found["spaces"].as_array().unwrap().iter().find(|one| one["space"] == space).unwrap();
    let specific = names(of("x.x"));
    let own = |name: &&str| name[1..].parse::<usize>().unwrap() < 20;
    assert!(specific.len() >= 15 && specific.iter().all(own), "{specific:?}");
    let shared = names(of("x.shared"));
    assert!(shared.iter().filter(|name| !own(name)).count() >= 15, "{shared:?}");
    assert!(knowledge(&found, "x.shared", "Z1_class") > 0.9 && knowledge(&found, "y.shared", "Z1_class") > 0.9);
    assert!(knowledge(&found, "x.x", "Z3_class") > 0.9 && knowledge(&found, "y.y", "Z3_class") < 0.65);
    assert!(knowledge(&found, "y.y", "x.x") < 0.2, "the specific spaces know of each other");

    assert!(knowledge(&found, "x.shared", "Z2") > 0.8 && knowledge(&found, "x.x", "Z2") < 0.6);
    let all = found["knowledge"].as_array().unwrap();
    let shared = all.iter().find(|one| one["space"] == "x.shared" && one["of"] == "Z1_class").unwrap();
    let control = |name: &str| shared[name].as_f64().unwrap();
    assert!(control("random") < 0.62 && control("permuted") < 0.62 && control("zeros") == 0.5, "{shared}");
    // two components of x are of all its factors
    assert!((0.5..=1.0).contains(&control("principal_components")), "{shared}");

    // Z1 and Z2 are in both modalities: two directions, and nothing of Z3
    let agreed = &found["agreements"][0];
    assert!(agreed["space"] == "x.shared" && agreed["others"][0] == "y.shared", "{agreed}");
    assert!(agreed["held_out"][0].as_f64().unwrap() > 0.9 && agreed["n_agreed"].as_u64().unwrap() >= 1, "{agreed}");
    assert!(agreed["permuted"].as_f64().unwrap() < 0.3, "{agreed}");
    assert!(knowledge(&found, "x.shared.agreed", "Z1_class") > 0.9);
    assert!(knowledge(&found, "x.shared.agreed", "Z3_class") < 0.65);
    let table = std::fs::read_to_string(path.join(run).join("interpretation/agreed.tsv")).unwrap();
    assert!(table.contains("x.shared\ty.shared\t1\t0.9"), "{table}");

    let classified = found["classified"].as_array().unwrap().iter().find(|one| one["features"] == "x").unwrap();
    let losses = classified["losses"].as_array().unwrap();
    assert_eq!((losses.len(), classified["full"].as_array().unwrap().len()), (40, 6));
    let full: Vec<f64> = classified["full"].as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect();
    // twenty features tell the class, so that none of them is missed
    let loss = losses[0]["loss"].as_f64().unwrap();
    assert!(full.iter().all(|accuracy| *accuracy > 0.9) && (0.0..0.05).contains(&loss), "{full:?} {loss}");

    let halves = found["two_groups"].as_array().unwrap();
    let shared = halves.iter().find(|one| one["space"] == "x.shared").unwrap();
    // Z2 is Z1, 0 or 1, and some noise: the two groups of the shared space are those
    assert!(shared["differs"] == true && shared["differences"][0].as_f64().unwrap() > 0.8, "{shared}");
    assert!(text.contains("two groups of each space"), "{text}");

    for picture in ["curves_x.x_by_x.svg", "shares_x.svg", "two_groups.svg", "agreed.svg"] {
        let svg = std::fs::read_to_string(path.join(run).join("interpretation").join(picture)).unwrap();
        let space = if picture == "agreed.svg" { "x.shared" } else { "x.x" };
        assert!(svg.starts_with("<svg") && svg.contains(space), "{picture}");
    }
    read_back("interpreted_h5mu", &[path.join(run).join("annotated.h5mu").to_str().unwrap()]);
    run_to(0, path, &["report", run, "--no-umap"]);
    let page = std::fs::read_to_string(path.join(run).join("report.html")).unwrap();
    assert!(page.contains("x.x by features of x") && page.contains("Which space knows of which feature of x"));
    assert!(page.contains("On how many directions of a space that encoders share they agree"));
    slips(path, run);
}

/// Letters that look random, those of features that follow factors of their own with a word among them.
fn write_motifs(path: &Path) {
    let mut state = 11u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b"ACGT"[(state >> 62) as usize]
    };
    let mut fasta = String::new();
    for feature in 0..40 {
        let mut letters: Vec<u8> = (0..80).map(|_| letter()).collect();
        if feature < 20 {
            letters[30..42].copy_from_slice(if feature % 2 == 0 { b"TGACTCATCGGA" } else { b"TCCGATGAGTCA" });
        }
        fasta.push_str(&format!(">x{feature}\n{}\n", String::from_utf8(letters).unwrap()));
    }
    let counts =
        |word: &str, row: char| word.chars().map(|letter| if letter == row { "40 " } else { "1 " }).collect::<String>();
    let motif = |name: &str, word: &str| {
        let rows: String = "ACGT".chars().map(|row| format!("{row} [ {}]\n", counts(word, row))).collect();
        format!(">{name}\n{rows}")
    };
    std::fs::write(path.join("x.fa"), fasta).unwrap();
    let both = [motif("P1 planted", "TGACTCATCGGA"), motif("N1 nowhere", "CCGTATTGACAGGTTA")].concat();
    std::fs::write(path.join("two.jaspar"), both).unwrap();
}

/// The motif in the sequences of the features that follow factors of their own is found in their own space, not in the shared
/// one, where all features differ.
#[test]
fn motifs_in_the_sequences_of_features_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let (path, run) = (folder.path(), "runs/demo/run");
    run_to(0, path, &["demo"]);
    write_motifs(path);
    let spaces = ["--space", "x.x", "--space", "x.shared", "--repeats", "6", "--min-repeats", "5"];
    let files = ["--motifs", "two.jaspar", "--sequences", "x.fa", "--out", "motifs", "--no-annotation", "--force"];
    let text = run_to(0, path, &[["interpret", run].as_slice(), &spaces, &files].concat());
    assert!(text.contains("motifs: 40 of 40 features of x have a sequence, 1 of 2 motifs occur"), "{text}");
    let found = json(&path.join("motifs/interpretation.json"));
    let first = |space: &str| {
        let all = found["spaces"].as_array().unwrap();
        all.iter().find(|one| one["space"] == space).unwrap()["sets"][0].clone()
    };
    let (own, shared) = (first("x.x"), first("x.shared"));
    assert!(own["set"] == "P1 planted" && own["test"] == "over_representation" && own["n_set"] == 20, "{own}");
    assert!(own["p"].as_f64().unwrap() < 1e-6 && shared["p"].as_f64().unwrap() > 0.05, "{own} {shared}");
    let table = std::fs::read_to_string(path.join("motifs/sets.tsv")).unwrap();
    assert!(table.contains("x.x\tx\tall\tover_representation\tP1 planted\t20\t") && !table.contains("N1"), "{table}");

    std::fs::write(path.join("bad.pfm"), "1 2\n3 four\n").unwrap();
    std::fs::write(path.join("other.fa"), ">chr1\nACGT\n").unwrap();
    let told: [(&[&str], &str); 4] = [
        (&["--motifs", "two.jaspar"], "--sequences <FASTA>"),
        (&["--motifs", "two.jaspar", "--sequences", "x.fa", "--motif-p", "0.5"], "level of matches is 0.5"),
        (&["--motifs", "bad.pfm", "--sequences", "x.fa"], "bad.pfm:2: `four` is no count"),
        (&["--motifs", "two.jaspar", "--sequences", "other.fa"], "sequences `chr1`"),
    ];
    for (more, text) in told {
        let output = run_in(path, &[&["interpret", run], more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", said(&output));
        assert!(said(&output).contains(text), "{more:?}: {}", said(&output));
    }
}

/// Each slip is told in one line, with exit code 2, and changes nothing.
fn slips(path: &Path, run: &str) {
    std::fs::write(path.join("bad.gmt"), "one\tfirst\tx0\nno set\n").unwrap();
    let numbers = path.join(run).join("interpretation/interpretation.json");
    let before = std::fs::read(&numbers).unwrap();
    let told: [(&[&str], &str); 12] = [
        (&["--force", "--min-correlation", "0"], "`--min-correlation 0` must be above 0, up to 1"),
        (&["--force", "--classify", "none"], "no column `none`"),
        (&[], "holds an interpretation already"),
        (&["--force", "--space", "nowhere"], "no rows of a space `nowhere`; spaces: x.shared, x.x"),
        (&["--force", "--features", "z"], "no modality `z`"),
        (&["--force", "--obsm", "X_none"], "array `X_none` in obsm"),
        (&["--force", "--hold-out", "none"], "`none`"),
        (&["--force", "--fold-change", "0.5"], "`--fold-change 0.5` must be from 1 to 8.0"),
        (&["--force", "--repeats", "3", "--min-repeats", "4"], "more than the 3 splits"),
        (&["--force", "--gene-sets", "bad.gmt"], "bad.gmt:2:"),
        (&["--force", "--two-groups", "x/nothing"], "`x` has no feature `nothing`"),
        (&["--force", "--group-features", "1.5"], "the threshold is 1.5; expected from 0 to below 1"),
    ];
    for (more, text) in told {
        let output = run_in(path, &[&["interpret", run], more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", said(&output));
        assert!(said(&output).contains(text) && !said(&output).contains("panicked"), "{more:?}: {}", said(&output));
    }
    assert_eq!(std::fs::read(&numbers).unwrap(), before);
}
