//! The command line from outside: what is written where, and exit codes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Exit code, standard output and standard error of a command line.
fn cithara(args: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = std::iter::once("cithara").chain(args.iter().copied()).map(OsString::from);
    let code = cli::run(args, &mut out, &mut err);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn example(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn help_and_version_are_results() {
    let (code, out, err) = cithara(&["--help"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for command in [
        "check", "plan", "run", "embed", "predict", "evaluate", "ablate", "compare", "convert", "schema", "plugins",
        "doctor",
    ] {
        assert!(out.contains(&format!("\n  {command} ")), "{command}: {out}");
    }
    let (code, out, _) = cithara(&["--version"]);
    assert_eq!((code, out.trim()), (0, concat!("cithara ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_slip_on_the_command_line_gets_advice() {
    let (code, out, err) = cithara(&["chekc", "a.toml"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("'check'"), "{err}");
    let (code, _, err) = cithara(&["check", "a.toml", "--resolvd"]);
    assert!(code == 2 && err.contains("'--resolved'"), "{err}");
}

#[test]
fn check_says_what_a_spec_describes() {
    let (code, out, _) = cithara(&["check", &example("pbmc10k_cite.toml")]);
    assert_eq!(code, 0);
    assert!(out.contains("no errors") && out.contains("protein: surface_protein; encoder mlp"), "{out}");
    assert!(out.contains("shared: 50 numbers per cell, read by rna, protein"), "{out}");
}

#[test]
fn the_resolved_spec_reads_as_itself() {
    let (code, first, _) = cithara(&["-q", "check", &example("mop_snare.toml"), "--resolved"]);
    assert_eq!(code, 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("again.toml");
    std::fs::write(&path, &first).unwrap();
    let (code, second, err) = cithara(&["-q", "check", path.to_str().unwrap(), "--resolved"]);
    assert_eq!((code, second, err.as_str()), (0, first, ""));
}

#[test]
fn all_errors_of_a_spec_are_written_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cite.toml");
    let text = "spec_version = 1\n[data]\npath = \"x.h5mu\"\n[modality.rna]\nloss = \"msee\"\n[modality.prot]\n";
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let (code, out, err) = cithara(&["check", path, "--set", "fit.latent.epochs=3"]);
    assert_eq!((code, out.as_str()), (2, ""));
    let told = err.replace(path, "cite.toml");
    for part in [
        "error: no loss is called `msee`\n  --> cite.toml:5:8\n",
        "help: did you mean `mse`?",
        "error: `[modality.prot]` needs a `kind`: no modality is called `prot`\n  --> cite.toml:6:11\n",
        "error: unknown key `epochs` in `[fit.latent]`\n  --> --set fit.latent.epochs=3\nhelp: did you mean `n_epochs`?",
    ] {
        assert!(told.contains(part), "{part}\n---\n{told}");
    }
}

#[test]
fn a_spec_that_is_not_there_gets_its_neighbour() {
    let (code, _, err) = cithara(&["check", &example("pbmc10k_cit.toml")]);
    assert!(code == 2 && err.contains("help: did you mean `") && err.contains("pbmc10k_cite.toml`?"), "{err}");
}

#[test]
fn plugins_are_listed_and_described() {
    let (code, out, _) = cithara(&["plugins", "list"]);
    assert!(code == 0 && out.contains("\n  surface_protein  ") && out.contains("\nloss\n  bce "), "{out}");
    let (code, out, _) = cithara(&["plugins", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(code == 0 && list.as_array().unwrap().iter().any(|one| one["role"] == "prior" && one["name"] == "l2"));
    let (code, out, _) = cithara(&["plugins", "describe", "mlp"]);
    assert!(code == 0 && out.contains("mlp (encoder)") && out.contains("mlp (decoder)"), "{out}");
    assert!(out.contains("[modality.NAME.encoder]\n    kind = \"mlp\""), "{out}");
    let (code, _, err) = cithara(&["plugins", "describe", "mpl"]);
    assert!(code == 2 && err.contains("did you mean `mlp`?"), "{err}");
}

#[test]
fn the_schema_is_json_and_names_every_component() {
    let (code, out, _) = cithara(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert!(schema["definitions"]["loss.bce"]["properties"]["pos_weight"].is_object());
    let (code, out, _) = cithara(&["schema", "--ablation"]);
    let ablation: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(code == 0 && ablation["properties"]["ablation"]["properties"]["variant"].is_object(), "{out}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cithara.schema.json");
    let (code, nothing, _) = cithara(&["schema", "--out", path.to_str().unwrap()]);
    assert_eq!((code, nothing.as_str()), (0, ""));
    let written: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(written, schema);
}
