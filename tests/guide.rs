//! The guide for authors of assays, followed word by word: its commands are run in a clean folder, its files written.

use std::fmt::Write as _;
use tests_support::{blocks, command_in, repository};

/// The guide as one script: blocks marked `sh` are run, of those marked with a language and a path the file is written.
fn script(text: &str) -> String {
    let mut script = String::from("set -euo pipefail\n");
    for block in blocks(text) {
        let lines = block.lines.join("\n");
        match block.info.split_once(' ') {
            Some((_, path)) => writeln!(script, "cat > {path} <<'END_OF_FILE'\n{lines}\nEND_OF_FILE").unwrap(),
            None if block.info == "sh" => writeln!(script, "{lines}").unwrap(),
            None => {}
        }
    }
    script
}

#[test]
fn the_guide_leads_to_a_model_trained_on_a_new_assay() {
    let text = std::fs::read_to_string(repository().join("docs/ADDING_AN_ASSAY.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = command_in(folder.path(), "bash").arg("-c").arg(script(&text)).output().unwrap();
    let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let run = folder.path().join("cell_shape/runs/shapes");
    let spec = std::fs::read_to_string(run.join("spec.toml")).unwrap();
    assert!(spec.contains("kind = \"cell_shape\"") && spec.contains("scale = 2.0"), "{spec}");
    assert!(spec.contains("libcell_shape.so"), "{spec}");
    assert!(run.join("evaluation.json").is_file() && run.join("weights.safetensors").is_file());
    let evaluation = std::fs::read_to_string(folder.path().join("cell_shape/evaluation.txt")).unwrap();
    assert!(evaluation.contains("rest"), "{evaluation}");
    // all of the conformance and parity tests of the new crate, twice
    assert_eq!(said.matches("test the_loss_conforms ... ok").count(), 2, "{said}");
}

#[test]
fn the_guide_links_to_what_is_there() {
    let text = std::fs::read_to_string(repository().join("docs/ADDING_AN_ASSAY.md")).unwrap();
    let targets: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(targets.len() > 10, "{targets:?}");
    for target in targets.into_iter().filter(|target| !target.starts_with('#')) {
        assert!(repository().join("docs").join(target).exists(), "`{target}` is not there");
    }
}
