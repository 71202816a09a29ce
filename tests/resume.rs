//! Runs that are stopped, in whatever way and at whatever moment, go on to the same bits.

use anndata::{Annotator, Categorical, Column};
use cli::simulate::Factor;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tests_support::{Measured, command_in, json, mudata, run_to, small_spec, values};

/// Long enough to be stopped often: some hundred steps of each stage; early stopping is on.
const FIT: &str = "\n[fit.latent]\nn_epochs = 12\nminibatch = 16\nvalidate_every_epochs = 3\npatience = 6\n\
                   [fit.encoders]\nn_epochs = 8\nminibatch = 16\n[fit.one_step]\nn_epochs = 10\nminibatch = 16\n\
                   [fit.dgd]\nn_epochs = 12\nminibatch = 16\nmin_epochs = 5\n";

/// A folder with cells and a spec of a kind of model.
fn folder(kind: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut all = values(&[Factor::Z1, Factor::Z2], 150);
    all.values.iter_mut().for_each(|value| *value = value.abs().round());
    let measured = [Measured::new("x", &all, 0..150), Measured::new("y", &all, 0..110)];
    mudata(&folder.path().join("cells.h5mu"), &measured);
    let is_told = kind == "conditional";
    let kind = if is_told { "apollo" } else { kind };
    let condition = "\n[condition.dye]\ncolumn = \"dye\"\nn_dims = 3\n";
    let spec = small_spec(&["x", "y"], "");
    let (head, _) = spec.split_once("\n[fit]").unwrap();
    let cells = "[data]\ncells = \"union\"\nsplit = { validation = 0.2, test = 0.1 }\n";
    let mut head = head.replace("[model]\n", &format!("[model]\nkind = \"{kind}\"\n")).replace("[data]\n", cells);
    if is_told {
        dye(&folder.path().join("cells.h5mu"), 150);
        head += condition;
    }
    if kind == "dgd" {
        head = head.replace("encoder = { hidden = [16] }\ndecoder = { hidden = [16] }\n", "");
        head = head.replace("specific = 2\n", "") + "\n[latent.shared.prior]\nn_components = 3\n";
    }
    let fit = format!("\n[fit]\nn_threads = 1\ncheckpoint_every_secs = 0.002\n{FIT}");
    std::fs::write(folder.path().join("spec.toml"), head + &fit).unwrap();
    folder
}

/// Gives cells a category, for a model that is told it.
fn dye(path: &Path, n_cells: usize) {
    let labels: Vec<Option<String>> = (0..n_cells).map(|cell| Some(["red", "green"][cell % 2].to_owned())).collect();
    let mut annotator = Annotator::in_place(path).unwrap();
    annotator.set_obs_column(None, "dye", &Column::Categorical(Categorical::from_labels(&labels))).unwrap();
    annotator.finish().unwrap();
}

/// What must be the same after any number of stops: weights and rows by their digests, and the log without its seconds.
fn learned(run: &Path) -> Vec<String> {
    let read = |name: &str| std::fs::read(run.join(name)).unwrap_or_default();
    let digest = |name: &str| format!("{name} {:x}", Sha256::digest(read(name)));
    let log = String::from_utf8(read("metrics.jsonl")).unwrap();
    let line = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("secs");
        line.to_string()
    };
    let files = ["weights.safetensors", "latents.safetensors"].map(digest);
    files.into_iter().chain(log.lines().map(line)).collect()
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = command_in(folder, "cithara");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn signal(name: &str, child: &Child) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// When the state that a run keeps was written.
fn written(run: &Path) -> Option<SystemTime> {
    std::fs::metadata(run.join("checkpoint.safetensors")).and_then(|file| file.modified()).ok()
}

/// Waits until a run keeps another state than that of `before`, or ends.
fn await_checkpoint(run: &Path, before: Option<SystemTime>, child: &mut Child) {
    let start = Instant::now();
    while written(run) == before && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint in `{}`", run.display());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until a run has told of two more epochs.
fn await_epoch(run: &Path, child: &mut Child) {
    let n_lines = || std::fs::read_to_string(run.join("metrics.jsonl")).map_or(0, |text| text.lines().count());
    let before = n_lines();
    while n_lines() < before + 2 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Kills a run again and again, at moments that follow from `seed`, until it ends by itself; returns how often.
fn kill_until_it_ends(folder: &Path, run: &Path, seed: u64) -> u64 {
    let mut draw = seed;
    let mut child = start(folder, &["run", "spec.toml", "--out", "run", "--only-fit"]);
    let mut before = None;
    for n_kills in 0.. {
        await_checkpoint(run, before, &mut child);
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis((draw >> 33) % 60));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "after {n_kills} kills");
            return n_kills;
        }
        signal("-9", &child);
        child.wait().unwrap();
        if json(&run.join("provenance.json"))["total_secs"].is_number() {
            return n_kills;
        }
        before = written(run);
        child = start(folder, &["resume", "run", "--only-fit"]);
    }
    unreachable!("the loop ends with the run")
}

/// Networks and minibatches are wide enough here that libtorch spreads products over its threads, which changes last digits
/// without the setting.
#[test]
fn the_number_of_threads_does_not_change_what_is_learned_deterministically() {
    let folder = tempfile::tempdir().unwrap();
    let all = values(&[Factor::Z1, Factor::Z2], 600);
    mudata(&folder.path().join("cells.h5mu"), &["x", "y"].map(|name| Measured::new(name, &all, 0..600)));
    let spec = small_spec(&["x", "y"], "").replace("[16]", "[512, 512]").replace("minibatch = 64", "minibatch = 256");
    std::fs::write(folder.path().join("spec.toml"), spec.replace("n_threads = 1", "deterministic = true")).unwrap();
    let run = |n_threads: &str| {
        let mut command = command_in(folder.path(), "cithara");
        command.env("OMP_NUM_THREADS", n_threads).env("RAYON_NUM_THREADS", n_threads);
        let output = command.args(["run", "spec.toml", "--out", n_threads, "--only-fit"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        learned(&folder.path().join(n_threads))
    };
    assert_eq!(run("1"), run("2"));
}

#[test]
fn a_run_that_is_killed_goes_on_to_the_same_bits() {
    let folders = ["apollo", "conditional", "dgd", "autoencoder"].map(|kind| (kind, folder(kind)));
    for (_, folder) in &folders {
        run_to(0, folder.path(), &["run", "spec.toml", "--out", "whole", "--only-fit"]);
    }
    // however fast the machine, each kind is killed, and all together often
    let mut n_kills = 0;
    for seed in 0.. {
        for (kind, folder) in &folders {
            let (whole, run) = (folder.path().join("whole"), folder.path().join("run"));
            let _ = std::fs::remove_dir_all(&run);
            n_kills += kill_until_it_ends(folder.path(), &run, seed);
            assert_eq!(learned(&run), learned(&whole), "{kind}, seed {seed}");
            assert!(!run.join("checkpoint.safetensors").exists() && !run.join("checkpoint.partial").exists());
        }
        assert!(seed < 20, "only {n_kills} kills");
        if n_kills >= 20 {
            return;
        }
    }
}

#[test]
fn a_run_that_is_asked_to_stop_goes_on() {
    let folder = folder("apollo");
    let path = folder.path();
    run_to(0, path, &["run", "spec.toml", "--out", "whole", "--only-fit"]);
    let run = path.join("run");
    let no_clock = ["--set", "fit.checkpoint_every_secs=0"];
    let words = ["run", "spec.toml", "--out", "run", "--only-fit", no_clock[0], no_clock[1]];
    for (name, words) in [("-INT", &words[..]), ("-TERM", &["resume", "run"])] {
        let mut child = start(path, words);
        await_epoch(&run, &mut child);
        signal(name, &child);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{name}");
        assert!(run.join("checkpoint.safetensors").is_file());
    }
    let text = run_to(0, path, &["resume", "run", "--no-controls"]);
    assert!(text.contains("going on in epoch") && text.contains("annotated:"), "{text}");
    let (ours, whole) = (learned(&run), learned(&path.join("whole")));
    assert_eq!(ours, whole);
    let provenance = json(&run.join("provenance.json"));
    assert_eq!(provenance["resumed_secs"].as_array().unwrap().len(), 2);
    // and what it told of its first epochs comes out again
    assert!(run_to(0, path, &["repro", "run", "--epochs", "4"]).starts_with("the same to the last bit: "));
    let log = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let (start, value) = log.split_once("\"x\":").unwrap();
    std::fs::write(run.join("metrics.jsonl"), format!("{start}\"x\":1{value}")).unwrap();
    let differs = run_to(1, path, &["repro", "run"]);
    assert!(differs.contains("error: `x` of epoch 0 of `fit.latent` was 1"), "{differs}");
    assert!(provenance["total_secs"].as_f64().unwrap() > provenance["fit_secs"].as_f64().unwrap());
}

#[test]
fn what_cannot_go_on_is_told() {
    let folder = folder("apollo");
    let path = folder.path();
    let mut child = start(path, &["run", "spec.toml", "--out", "run"]);
    let run = path.join("run");
    await_checkpoint(&run, None, &mut child);
    signal("-9", &child);
    child.wait().unwrap();

    let told = |words: &[&str]| run_to(2, path, words).replace(path.to_str().unwrap(), "DIR");
    assert_eq!(told(&["resume", "elsewhere"]), "error: `elsewhere` is not a run directory: it holds no `spec.toml`\n");
    let other = told(&["resume", "run", "--set", "model.shared=3"]);
    assert!(other.contains("changes `") && other.contains("other values of `fit`"), "{other}");

    let kept = std::fs::read(run.join("checkpoint.safetensors")).unwrap();
    std::fs::write(run.join("checkpoint.safetensors"), &kept[..kept.len() / 2]).unwrap();
    let cut = told(&["resume", "run"]);
    assert!(cut.contains("`run/checkpoint.safetensors` is not a whole safetensors file"), "{cut}");
    std::fs::write(run.join("checkpoint.safetensors"), &kept).unwrap();

    let cells = std::fs::read(path.join("cells.h5mu")).unwrap();
    std::fs::write(path.join("cells.h5mu"), [&cells[..], &[0]].concat()).unwrap();
    let changed = told(&["resume", "run"]);
    assert!(changed.contains("is not the file that the run was made from"), "{changed}");
    std::fs::write(path.join("cells.h5mu"), cells).unwrap();

    // without a checkpoint learning begins anew; a run that has ended is refused
    std::fs::remove_file(run.join("checkpoint.safetensors")).unwrap();
    assert!(run_to(0, path, &["resume", "run", "--only-fit"]).contains("learning begins anew"));
    let ended = told(&["resume", "run"]);
    assert!(ended.contains("has ended") && ended.contains("cithara evaluate run"), "{ended}");
}

#[test]
fn a_loss_that_is_not_finite_leaves_the_state_before_it() {
    let folder = folder("apollo");
    let path = folder.path();
    let deep = "modality.x.decoder={ hidden = [16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16], norm = \"none\" }";
    let wild = ["fit.checkpoint_every_secs=0", "fit.latent.learning_rate_decoder=10", deep];
    let wild = wild.iter().flat_map(|value| ["--set", value]);
    let words: Vec<&str> = ["run", "spec.toml", "--out", "run", "--only-fit"].into_iter().chain(wild).collect();
    let error = |text: String| text.lines().find(|line| line.starts_with("error:")).unwrap_or_default().to_owned();
    let first = error(run_to(1, path, &words));
    assert!(first.contains("the state before it is kept: go on with `cithara resume run"), "{first}");
    let is_named = first.contains("(terms: x inf") || first.contains("(terms: x NaN");
    assert!(first.contains("the loss is not finite at epoch") && is_named, "{first}");
    // nothing has moved: the same step fails in the same way
    let text = run_to(1, path, &["resume", "run", "--only-fit"]);
    assert!(text.contains("going on in epoch"), "{text}");
    assert_eq!(error(text), first);
}
