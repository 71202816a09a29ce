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
    let asked = ["interpret", run, "--repeats", "6", "--min-repeats", "5", "--tell", "Z2", "--two-groups", "Z2"];
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
    let halves = found["two_groups"].as_array().unwrap();
    let shared = halves.iter().find(|one| one["space"] == "x.shared").unwrap();
    // Z2 is Z1, 0 or 1, and some noise: the two groups of the shared space are those
    assert!(shared["differs"] == true && shared["differences"][0].as_f64().unwrap() > 0.8, "{shared}");
    assert!(text.contains("two groups of each space"), "{text}");

    for picture in ["curves_x.x_by_x.svg", "shares_x.svg"] {
        let svg = std::fs::read_to_string(path.join(run).join("interpretation").join(picture)).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("x.x"), "{picture}");
    }
    read_back("interpreted_h5mu", &[path.join(run).join("annotated.h5mu").to_str().unwrap()]);
    run_to(0, path, &["report", run, "--no-umap"]);
    let page = std::fs::read_to_string(path.join(run).join("report.html")).unwrap();
    assert!(page.contains("x.x by features of x") && page.contains("Which space knows of which feature of x"));
    slips(path, run);
}

/// Each slip is told in one line, with exit code 2, and changes nothing.
fn slips(path: &Path, run: &str) {
    std::fs::write(path.join("bad.gmt"), "one\tfirst\tx0\nno set\n").unwrap();
    let numbers = path.join(run).join("interpretation/interpretation.json");
    let before = std::fs::read(&numbers).unwrap();
    let told: [(&[&str], &str); 10] = [
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
