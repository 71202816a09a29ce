//! Ablations by the program itself: run, stopped, moved, handed to other engines, compared.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tests_support::{Measured, command_in, json, mudata, said, small_spec, values};

/// A folder with cells, a spec and an ablation of it.
fn study(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let all = values(&[cli::simulate::Factor::Z1, cli::simulate::Factor::Z2], 120);
    let measured = ["x", "y"].map(|name| Measured::new(name, &all, 0..120));
    mudata(&folder.path().join("cells.h5mu"), &measured);
    std::fs::write(folder.path().join("base.toml"), small_spec(&["x", "y"], "")).unwrap();
    let text = "[ablation]\nbase = \"base.toml\"\nseeds = [0, 1]\nmetric = [\"x_to_y.rmse\", \"total_secs\"]\n\
                margin = { \"x_to_y.rmse\" = 0.5 }\n[ablation.variant.alone]\nset = { \"model.shared_decoders\" = false }\n";
    std::fs::write(folder.path().join("study.toml"), format!("{text}{more}")).unwrap();
    folder
}

fn ablate(folder: &Path, arguments: &[&str]) -> Output {
    command_in(folder, "cithara").arg("ablate").args(arguments).output().unwrap()
}

/// Runs a command line that must end with this code, and returns what it said.
fn ablate_to(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let output = ablate(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    said(&output)
}

fn ledger(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("runs/study/ledger.tsv")).unwrap_or_default();
    text.lines().skip(1).filter_map(|line| line.split('\t').nth(2).map(str::to_owned)).collect()
}

/// What runs keep for each other: file names and times.
fn prepared(folder: &Path) -> Vec<(String, std::time::SystemTime)> {
    let entries = std::fs::read_dir(folder.join("runs/study/prepared")).into_iter().flatten().map(Result::unwrap);
    let named = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().modified().unwrap())
    };
    let mut named: Vec<_> = entries.map(named).collect();
    named.sort();
    named
}

fn weights(folder: &Path, cell: &str) -> String {
    let path = folder.join("runs/study/cells").join(cell).join("weights.safetensors");
    format!("{:x}", Sha256::digest(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))))
}

const CELLS: [&str; 4] = ["base/seed-0", "alone/seed-0", "base/seed-1", "alone/seed-1"];

#[test]
fn a_grid_is_run_gathered_and_shown() {
    let folder = study("[ablation.variant.only_x]\nunset = [\"modality.y\"]\n");
    let path = folder.path();
    let text = ablate_to(0, path, &["study.toml", "--jobs", "2"]);
    assert!(text.contains("3 variants × 2 seeds (0, 1) = 6 runs") && text.contains("6 of 6:"), "{text}");
    assert!(text.contains("x_to_y.rmse") && text.contains("not applicable"), "{text}");
    assert_eq!(ledger(path), ["done"; 6]);
    let runs = path.join("runs/study");
    let csv = std::fs::read_to_string(runs.join("ablation.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 6 * 2, "{csv}");
    let report = std::fs::read_to_string(runs.join("report.html")).unwrap();
    assert!(report.contains("<svg") && report.contains("model.shared_decoders"));
    let found = json(&runs.join("ablation.json"));
    assert_eq!(found["metrics"][0]["rows"][1]["difference"]["n_pairs"], 2);
    assert!(found["metrics"][0]["rows"][1]["difference"]["p_equivalence"].is_number(), "{found}");

    // a cell is an ordinary run: the same as that of `cithara run`, with the split of its seed, usable alone
    let own =
        ["run", "base.toml", "--set", "seed=1", "--set", "model.shared_decoders=false", "--out", "own", "--only-fit"];
    assert!(command_in(path, "cithara").env("OMP_NUM_THREADS", "1").args(own).output().unwrap().status.success());
    let file = |run: &Path, name: &str| std::fs::read(run.join(name)).unwrap();
    let cell = runs.join("cells/alone/seed-1");
    assert_eq!(file(&path.join("own"), "weights.safetensors"), file(&cell, "weights.safetensors"));
    assert_eq!(file(&runs.join("cells/base/seed-1"), "cells.tsv"), file(&cell, "cells.tsv"));
    assert_ne!(file(&runs.join("cells/base/seed-0"), "cells.tsv"), file(&cell, "cells.tsv"));
    let evaluated = command_in(path, "cithara").arg("evaluate").arg(&cell).output().unwrap();
    assert!(evaluated.status.success(), "{}", said(&evaluated));

    // again, nothing is to be done, also after the folder and the data have moved
    assert!(ablate_to(0, path, &["study.toml"]).contains("6 of 6 runs are done, 0 to be run"));
    let moved = tempfile::tempdir().unwrap();
    for name in ["cells.h5mu", "base.toml", "study.toml"] {
        std::fs::rename(path.join(name), moved.path().join(name)).unwrap();
    }
    std::fs::rename(&runs, moved.path().join("kept")).unwrap();
    let text = ablate_to(0, moved.path(), &["study.toml", "--out", "kept"]);
    assert!(text.contains("6 of 6 runs are done, 0 to be run"), "{text}");
    assert_eq!(std::fs::read_to_string(moved.path().join("kept/ablation.csv")).unwrap(), csv);
}

#[test]
fn a_failure_hurts_no_other_run_and_can_be_tried_again() {
    let folder = study("");
    let path = folder.path();
    ablate_to(0, path, &["study.toml", "--only", "base/0"]);
    assert_eq!(ledger(path), ["done", "pending", "pending", "pending"]);
    assert_eq!(prepared(path).len(), 1);
    // a file where a run directory should be, and one where the folder of a variant should be
    let obstacles = ["base/seed-1", "alone"].map(|name| path.join("runs/study/cells").join(name));
    obstacles.iter().for_each(|obstacle| std::fs::write(obstacle, "mine").unwrap());
    let text = ablate_to(1, path, &["study.toml"]);
    assert!(text.contains("3 of 4 runs failed") && text.contains("alone seed-0 failed: error:"), "{text}");
    assert!(text.contains("base seed-1 failed: ") && text.contains("is in the way"), "{text}");
    assert_eq!(ledger(path), ["done", "failed", "failed", "failed"]);
    assert!(std::fs::read_to_string(path.join("runs/study/report.html")).unwrap().contains("alone, seed 1"));
    assert!(obstacles.iter().all(|obstacle| std::fs::read(obstacle).unwrap() == b"mine"));
    obstacles.iter().for_each(|obstacle| std::fs::remove_file(obstacle).unwrap());
    let text = ablate_to(1, path, &["study.toml"]);
    assert!(text.contains("0 to be run, 3 failed before"), "{text}");
    // both variants of a seed take the same prepared data, and those of a split of their own have others
    let kept = prepared(path);
    ablate_to(1, path, &["study.toml", "--retry-failed", "--only", "alone/0"]);
    assert_eq!(prepared(path), kept);
    ablate_to(1, path, &["study.toml", "--retry-failed", "--only", "base/1"]);
    assert_eq!(prepared(path).len(), 2);
    ablate_to(0, path, &["study.toml", "--retry-failed"]);
    assert_eq!(ledger(path), ["done"; 4]);
    assert!(prepared(path).is_empty(), "{:?}", prepared(path));
}

#[test]
fn what_cannot_be_run_is_found_before_anything_is() {
    let counts = "[ablation.variant.counts]\nset = { \"modality.x.loss.kind\" = \"negative_binomial\" }\n";
    let folder = study(counts);
    let path = folder.path();
    let text = ablate_to(2, path, &["study.toml"]);
    assert!(text.contains("error: the variant `counts` cannot be run: ") && text.contains("modality `x`"), "{text}");
    assert!(std::fs::read_dir(path.join("runs/study/cells")).unwrap().next().is_none());
    let text = ablate_to(2, path, &["study.toml", "--only", "nobody"]);
    assert!(text.contains("`--only nobody` names no run") && text.contains("base, alone, counts"), "{text}");
    let text = ablate_to(2, path, &["study.toml", "--metric", "x_to_z.rmse"]);
    assert!(text.contains("the metric `x_to_z.rmse` is not known"), "{text}");
    let text = ablate_to(2, path, &["base.toml"]);
    assert!(text.contains("the file is a spec, not an ablation of one"), "{text}");
    std::fs::create_dir(path.join("full")).unwrap();
    std::fs::write(path.join("full/letter.txt"), "mine").unwrap();
    let text = ablate_to(2, path, &["study.toml", "--out", "full"]);
    assert!(text.contains("is no ablation's folder") && path.join("full/letter.txt").exists(), "{text}");
    assert_eq!(ablate(path, &["study.toml", "--dry-run", "--out", "nothing"]).status.code(), Some(0));
    assert!(!path.join("nothing").exists());
}

#[test]
fn runs_of_another_spec_are_refused_and_replaced_if_asked() {
    let folder = study("");
    let path = folder.path();
    ablate_to(0, path, &["study.toml", "--seeds", "0"]);
    let before = weights(path, "base/seed-0");
    let changed = small_spec(&["x", "y"], "").replace("shared = 2", "shared = 3");
    std::fs::write(path.join("base.toml"), changed).unwrap();
    let text = ablate_to(2, path, &["study.toml", "--seeds", "0"]);
    assert!(text.contains("was run with another spec") && text.contains("`--force`"), "{text}");
    assert_eq!(weights(path, "base/seed-0"), before);
    ablate_to(0, path, &["study.toml", "--seeds", "0", "--force"]);
    assert_ne!(weights(path, "base/seed-0"), before);
}

/// Processes that run a cell of a folder.
fn children(folder: &Path) -> Vec<u32> {
    let own = folder.join("runs/study/cells").display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let of_folder = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let is_zombie = std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
        String::from_utf8_lossy(&line).contains(&own) && !is_zombie
    };
    entries.filter_map(|name| name.parse().ok()).filter(of_folder).collect()
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn start(folder: &Path, more: &[&str]) -> Child {
    let mut command = command_in(folder, "cithara");
    command.args(["ablate", folder.join("study.toml").to_str().unwrap()]);
    command.args(["--out", folder.join("runs/study").to_str().unwrap()]).args(more);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

fn kill(pid: u32) {
    signal("-9", pid);
}

#[test]
#[cfg(target_os = "linux")]
fn runs_end_with_the_program_that_started_them() {
    let folder = study("");
    for (name, code) in [("-9", None), ("-INT", Some(130)), ("-TERM", Some(130))] {
        // left alone, a run would take hours
        let mut parent = start(folder.path(), &["--set", "fit.latent.n_epochs=1000000"]);
        wait_for("a run", || !children(folder.path()).is_empty());
        signal(name, parent.id());
        assert_eq!(parent.wait().unwrap().code(), code, "{name}");
        wait_for("the run to end", || children(folder.path()).is_empty());
    }
    assert!(ledger(folder.path()).iter().all(|state| state != "done"), "{:?}", ledger(folder.path()));
}

#[test]
#[cfg(target_os = "linux")]
fn killed_at_any_moment_it_goes_on_to_the_same_bits() {
    let folder = study("");
    let path = folder.path();
    for n_done in 0..3 {
        let mut parent = start(path, &[]);
        wait_for("a run beside those that are done", || {
            let states = ledger(path);
            states.iter().filter(|state| *state == "done").count() >= n_done && !children(path).is_empty()
        });
        kill(parent.id());
        parent.wait().unwrap();
        wait_for("the children to end", || children(path).is_empty());
    }
    let mut parent = start(path, &[]);
    wait_for("a child", || !children(path).is_empty());
    let child = children(path)[0];
    kill(child);
    assert_eq!(parent.wait().unwrap().code(), Some(1), "one run failed");
    let failed = ledger(path).iter().filter(|state| *state == "failed").count();
    assert_eq!(failed, 1, "{:?}", ledger(path));
    ablate_to(0, path, &["study.toml", "--retry-failed", "--jobs", "1"]);
    assert_eq!(ledger(path), ["done"; 4]);
    let whole = study("");
    ablate_to(0, whole.path(), &["study.toml"]);
    for cell in CELLS {
        assert_eq!(weights(path, cell), weights(whole.path(), cell), "{cell}");
    }
}

#[test]
fn a_study_is_run_by_one_program_at_a_time() {
    let folder = study("");
    let runs = folder.path().join("runs/study");
    ablate_to(0, folder.path(), &["study.toml", "--only", "base/0"]);
    let lock = File::create(runs.join("lock")).unwrap();
    lock.try_lock().unwrap();
    let text = ablate_to(2, folder.path(), &["study.toml"]);
    assert!(text.contains("another program runs the ablation"), "{text}");
    drop(lock);
    ablate_to(0, folder.path(), &["study.toml", "--only", "base"]);
}

#[test]
fn a_ledger_that_cannot_be_written_ends_the_runs_and_loses_none() {
    let folder = study("");
    let runs = folder.path().join("runs/study");
    ablate_to(0, folder.path(), &["study.toml", "--only", "base/0"]);
    std::fs::remove_file(runs.join("ledger.tsv")).unwrap();
    std::fs::create_dir_all(runs.join("ledger.tsv/full")).unwrap();
    let text = ablate_to(1, folder.path(), &["study.toml"]);
    assert!(text.contains("ledger.tsv"), "{text}");
    assert!(children(folder.path()).is_empty());
    std::fs::remove_dir_all(runs.join("ledger.tsv")).unwrap();
    let text = ablate_to(0, folder.path(), &["study.toml"]);
    assert!(text.contains("1 of 4 runs are done, 3 to be run"), "{text}");
}

/// Runs a shell script in the folder of the study.
fn shell(folder: &Path, script: &str, task: Option<usize>) -> Output {
    let mut command = command_in(&folder.join("runs/study"), "bash");
    command.args(["-c", script]);
    if let Some(task) = task {
        command.env("SLURM_ARRAY_TASK_ID", task.to_string());
    }
    command.output().unwrap()
}

#[test]
fn other_engines_run_the_same_grid() {
    let folder = study("");
    let path = folder.path();
    let text = ablate_to(0, path, &["study.toml", "--emit", "slurm", "--threads", "1"]);
    assert!(text.contains("array.sbatch") && text.contains("4 runs"), "{text}");
    let script = std::fs::read_to_string(path.join("runs/study/array.sbatch")).unwrap();
    assert!(script.contains("#SBATCH --array=0-3\n") && script.contains("#SBATCH --mem="), "{script}");
    for task in 0..2 {
        let output = shell(path, "bash array.sbatch", Some(task));
        assert!(output.status.success(), "{}", said(&output));
    }
    // one of the commands fails, and says so
    std::fs::create_dir_all(path.join("runs/study/cells/base")).unwrap();
    std::fs::write(path.join("runs/study/cells/base/seed-1"), "in the way").unwrap();
    assert_eq!(shell(path, "bash array.sbatch", Some(2)).status.code(), Some(2));
    let text = ablate_to(1, path, &["collect", "runs/study"]);
    assert!(text.contains("1 of 4 runs failed") && text.contains("x_to_y.rmse"), "{text}");
    assert_eq!(ledger(path), ["done", "done", "failed", "pending"]);
    std::fs::remove_file(path.join("runs/study/cells/base/seed-1")).unwrap();
    // the rest, line by line
    ablate_to(0, path, &["study.toml", "--emit", "commands", "--threads", "1", "--retry-failed"]);
    let commands = std::fs::read_to_string(path.join("runs/study/commands.txt")).unwrap();
    assert_eq!(commands.lines().count(), 2, "{commands}");
    for line in commands.lines() {
        assert!(shell(path, line, None).status.success(), "{line}");
    }
    ablate_to(0, path, &["collect", "runs/study"]);
    assert_eq!(ledger(path), ["done"; 4]);
    ablate_to(0, path, &["study.toml", "--emit", "snakemake"]);
    let snakefile = std::fs::read_to_string(path.join("runs/study/Snakefile")).unwrap();
    assert!(snakefile.contains("rule collect:") && snakefile.contains("CELLS = [\n]"), "{snakefile}");
}

/// Learns and judges a run of the base spec with changes.
fn run(folder: &Path, name: &str, set: &[&str]) -> PathBuf {
    let mut command = command_in(folder, "cithara");
    command.args(["run", "base.toml", "--no-annotation", "--out", name]);
    command.args(set.iter().flat_map(|one| ["--set", one]));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    folder.join(name)
}

#[test]
fn any_runs_compare_if_their_cells_are_the_same() {
    let folder = study("");
    let path = folder.path();
    for (name, set) in [
        ("a0", &["seed=0"][..]),
        ("a1", &["seed=1"]),
        ("b0", &["seed=0", "model.shared=3", "name=wide"]),
        ("b1", &["seed=1", "model.shared=3", "name=wide"]),
        ("c0", &["seed=0", "data.split.test=0.3", "name=other"]),
    ] {
        run(path, name, set);
    }
    let compare = |arguments: &[&str]| {
        let output = command_in(path, "cithara").arg("compare").args(arguments).output().unwrap();
        (output.status.code(), said(&output))
    };
    let (code, text) = compare(&["a0", "a1", "b0", "b1", "--metric", "x_to_y.rmse", "--out", "report"]);
    assert_eq!(code, Some(0), "{text}");
    let found = json(&path.join("report/ablation.json"));
    assert_eq!(found["variants"][1]["name"], "wide");
    assert_eq!(found["metrics"][0]["rows"][1]["difference"]["n_pairs"], 2);
    let keys: Vec<&str> =
        found["variants"][1]["changes"].as_array().unwrap().iter().filter_map(|one| one["key"].as_str()).collect();
    assert_eq!(keys, ["model.shared", "latent.shared.dim"]);
    let (code, text) = compare(&["a0", "c0"]);
    assert!(
        code == Some(2) && text.contains("other validation and test cells") && text.contains("--other-split"),
        "{text}"
    );
    let (code, text) = compare(&["a0", "c0", "--other-split", "--metric", "x_to_y.rmse"]);
    assert!(code == Some(0) && text.contains("note: judged by other cells than the base: other"), "{text}");
    let (code, text) = compare(&["a0", "a0"]);
    assert!(code == Some(2) && text.contains("are the same spec and seed"), "{text}");
    let all = values(&[cli::simulate::Factor::Z1], 120);
    mudata(&path.join("cells.h5mu"), &["x", "y"].map(|name| Measured::new(name, &all, 0..120)));
    run(path, "d0", &["seed=0"]);
    let (code, text) = compare(&["a0", "d0"]);
    assert!(code == Some(2) && text.contains("learned from other data"), "{text}");
}
