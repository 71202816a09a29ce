//! Models of one, two and three modalities, of cells that lack some, of the tails of minibatches, of other settings.

use cli::simulate::Factor::{Z1, Z3, Z5};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tests_support::{Measured, Outcome, cithara_ok, json, mudata, small_spec, values};

/// A folder with data and a spec.
struct Case {
    folder: TempDir,
}

impl Case {
    fn new(modalities: &[Measured], more: &str) -> Case {
        let case = Case { folder: tempfile::tempdir().unwrap() };
        mudata(&case.path("cells.h5mu"), modalities);
        let names: Vec<&str> = modalities.iter().map(|modality| modality.name.as_str()).collect();
        std::fs::write(case.path("small.toml"), small_spec(&names, more)).unwrap();
        case
    }

    /// Two modalities with a common factor, each with one of its own.
    fn of_two(n_cells: usize, more: &str) -> Case {
        let measured = |name, own| Measured::new(name, &values(&[Z1, own], n_cells), 0..n_cells);
        Case::new(&[measured("x", Z3), measured("y", Z5)], more)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the spec with overrides into `run`.
    fn run(&self, overrides: &[&str]) -> Outcome {
        let (spec, out) = (self.path("small.toml"), self.path("run"));
        let mut words = vec!["run", spec.to_str().unwrap(), "--out", out.to_str().unwrap(), "--force"];
        overrides.iter().for_each(|value| words.extend(["--set", value]));
        cithara_ok(&words)
    }

    /// The `finished` line of a stage: epochs, and steps of its last epoch line.
    fn epochs_and_steps(&self, stage: &str) -> Option<(u64, u64)> {
        let text = std::fs::read_to_string(self.path("run/metrics.jsonl")).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of_stage = || lines.iter().filter(|line| line["stage"] == stage);
        for (name, value) in of_stage().filter_map(|line| line["terms"].as_object()).flatten() {
            assert!(value.as_f64().is_some_and(f64::is_finite), "{stage}: `{name}` is {value}");
        }
        let n_epochs = of_stage().find_map(|line| line["finished"].as_u64())?;
        Some((n_epochs, of_stage().filter_map(|line| line["step"].as_u64()).max()?))
    }

    /// Names and widths of the learned rows; every row belongs to a cell.
    fn latents(&self, n_cells: i64) -> Vec<(String, i64)> {
        let rows = framework::run::read_tensors(&self.path("run/latents.safetensors")).unwrap();
        let mut found: Vec<(String, i64)> = rows.iter().map(|(name, rows)| (name.clone(), rows.size()[1])).collect();
        assert!(rows.iter().all(|(_, rows)| rows.size()[0] == n_cells));
        found.sort();
        found
    }

    fn evaluation(&self) -> Value {
        json(&self.path("run/evaluation.json"))
    }
}

/// `source → target` of every cross-prediction, with the cells that it was judged by.
fn cross_predictions(evaluation: &Value) -> Vec<(String, u64)> {
    let task = |one: &Value| {
        let name = format!("{} → {}", one["source"].as_str().unwrap(), one["target"].as_str().unwrap());
        assert!(one["methods"][0]["rmse"].as_f64().is_some_and(f64::is_finite), "{one}");
        (name, one["n_cells"].as_u64().unwrap())
    };
    evaluation["cross_predictions"].as_array().unwrap().iter().map(task).collect()
}

fn named(list: &[(&str, i64)]) -> Vec<(String, i64)> {
    list.iter().map(|&(name, dim)| (name.to_owned(), dim)).collect()
}

#[test]
fn one_modality_has_one_space_and_no_cross_prediction() {
    let case = Case::new(&[Measured::new("x", &values(&[Z1, Z3], 200), 0..200)], "");
    case.run(&[]);
    assert_eq!(case.latents(200), named(&[("x", 4)]));
    let evaluation = case.evaluation();
    assert_eq!(cross_predictions(&evaluation), []);
    assert_eq!(evaluation["reconstructions"].as_array().unwrap().len(), 1);
}

#[test]
fn three_modalities_may_share_a_space_by_twos() {
    let measured = |name, factors: &[_]| Measured::new(name, &values(factors, 400), 0..400);
    let modalities = [measured("x", &[Z1, Z3]), measured("y", &[Z3, Z1]), measured("z", &[Z1, Z5])];
    let case = Case::new(&modalities, "\n[latent.xy]\ndim = 3\nmodalities = [\"x\", \"y\"]\n");
    case.run(&[]);
    assert_eq!(case.latents(400), named(&[("shared", 2), ("x", 2), ("xy", 3), ("y", 2), ("z", 2)]));
    assert_eq!(cross_predictions(&case.evaluation()).len(), 6);
    let file = anndata::File::open(case.path("run/annotated.h5mu")).unwrap();
    let width = |modality: &str, key: &str| file.modality(modality).unwrap().obsm(key).map(|rows| rows.n_columns).ok();
    assert_eq!((width("y", "X_apollo_xy"), width("z", "X_apollo_xy")), (Some(3), None));
    assert_eq!((width("y", "X_apollo"), width("z", "X_apollo")), (Some(7), Some(4)));
}

#[test]
fn modalities_that_share_nothing_predict_nothing() {
    let case = Case::of_two(200, "");
    case.run(&["model.shared=0"]);
    assert_eq!(case.latents(200), named(&[("x", 2), ("y", 2)]));
    assert_eq!(cross_predictions(&case.evaluation()), []);
}

#[test]
fn modalities_may_lie_in_files_of_their_own_even_if_called_alike() {
    let case = Case::of_two(200, "");
    let mut files = Vec::new();
    for (name, own) in [("x", Z3), ("y", Z5)] {
        let path = case.path(name).join("cells.h5ad");
        std::fs::create_dir(case.path(name)).unwrap();
        let measured = Measured::new(name, &values(&[Z1, own], 200), 0..200);
        anndata::write_new_h5ad(&path, &measured.anndata()).unwrap();
        files.push(format!("modality.{name}.path=\"{name}/cells.h5ad\""));
    }
    std::fs::remove_file(case.path("cells.h5mu")).unwrap();
    case.run(&[&files[0], &files[1]]);
    assert_eq!(case.latents(200).len(), 3);
    for (name, file) in [("x", "annotated_cells.h5ad"), ("y", "annotated_2_cells.h5ad")] {
        let annotated = anndata::File::open(case.path("run").join(file)).unwrap().modality("").unwrap();
        assert!(annotated.obsm(&format!("X_apollo_{name}")).is_ok(), "{file}");
        assert_eq!(annotated.features()[0], format!("{name}0"), "{file}");
    }
}

#[test]
fn cells_may_lack_modalities() {
    let x = Measured::new("x", &values(&[Z1, Z3], 500), 0..300);
    let y = Measured::new("y", &values(&[Z1, Z5], 500), 150..500);
    let case = Case::new(&[x, y], "");
    let told = case.run(&[]).err;
    for pattern in ["measured by y: 200 cells", "measured by x: 150 cells", "measured by x + y: 150 cells"] {
        assert!(told.contains(pattern), "{pattern}: {told}");
    }
    assert_eq!(case.latents(500).len(), 3);
    let judged = cross_predictions(&case.evaluation());
    assert!(judged.len() == 2 && judged.iter().all(|(_, n_cells)| (1..75).contains(n_cells)), "{judged:?}");
    // Predictions stand where the source was measured, and nowhere else.
    let file = anndata::File::open(case.path("run/annotated.h5mu")).unwrap();
    let rows = file.modality("y").unwrap().obsm("X_apollo_shared").unwrap();
    assert!(rows.n_rows == 350 && rows.values.iter().all(|value| value.is_finite()));
    let plan = cithara_ok(&["plan", case.path("small.toml").to_str().unwrap(), "--json"]);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    let patterns = serde_json::json!([["y", 200], ["x", 150], ["x + y", 150]]);
    assert_eq!(plan["patterns"], patterns);
    case.run(&["data.cells=intersection"]);
    assert_eq!(case.latents(150).len(), 3);
}

#[test]
fn a_minibatch_may_hold_a_single_measured_cell_of_a_modality() {
    let x = Measured::new("x", &values(&[Z1, Z3], 300), 0..300);
    let y = Measured::new("y", &values(&[Z1, Z5], 300), 0..12);
    let case = Case::new(&[x, y], "");
    case.run(&["fit.latent.minibatch=16", "fit.encoders.minibatch=16"]);
    case.run(&["model.kind=autoencoder", "fit.one_step.minibatch=16"]);
}

#[test]
fn a_tail_of_one_cell_joins_the_minibatch_before() {
    let case = Case::of_two(129, "");
    let all_train = ["data.split.test=0", "data.split.validation=0"];
    let told = case.run(&all_train).err;
    assert!(told.contains("129 train, 0 validation, 0 test"), "{told}");
    // 129 cells by 64 are 64 and 65: two steps an epoch.
    assert_eq!(case.epochs_and_steps("latent"), Some((4, 8)));
    assert_eq!(case.epochs_and_steps("encoders"), Some((3, 6)));
    case.run(&[&all_train[..], &["model.kind=autoencoder"]].concat());
    assert_eq!(case.epochs_and_steps("one_step"), Some((3, 6)));
    assert_eq!(case.evaluation()["cells"]["in_sample"], true);
}

#[test]
fn the_one_step_baseline_trains_jointly_and_by_turns() {
    let case = Case::of_two(200, "");
    let told = case.run(&["model.kind=autoencoder", "fit.one_step.schedule=joint"]).err;
    assert!(told.contains("one step, encoders and decoders: 3 epochs"), "{told}");
    assert!(!case.path("run/latents.safetensors").exists(), "the baseline has no learned rows");
    assert!(case.epochs_and_steps("latent").is_none() && case.epochs_and_steps("encoders").is_none());
    let joint = std::fs::read(case.path("run/weights.safetensors")).unwrap();
    case.run(&["model.kind=autoencoder", "fit.one_step.schedule=alternating"]);
    assert!(std::fs::read(case.path("run/weights.safetensors")).unwrap() != joint);
    // A pass over the cells is an epoch of each modality in turn.
    assert_eq!(case.epochs_and_steps("one_step"), Some((6, 18)));
    assert_eq!(cross_predictions(&case.evaluation()).len(), 2);
    let file = anndata::File::open(case.path("run/annotated.h5mu")).unwrap();
    assert!(file.modality("x").unwrap().obsm("X_autoencoder_shared").is_ok());
}

#[test]
fn published_settings_resolve_and_train() {
    let case = Case::of_two(200, "");
    // The preset alone: no key of [fit] of our own.
    let spec = std::fs::read_to_string(case.path("small.toml")).unwrap();
    let preset = spec[..spec.find("\n[fit]").unwrap()].to_owned() + "settings = \"published\"\n";
    std::fs::write(case.path("small.toml"), preset).unwrap();
    let few = ["fit.n_threads=1", "fit.latent.n_epochs=2", "fit.encoders.n_epochs=2", "fit.one_step.n_epochs=2"];
    for kind in ["model.kind=apollo", "model.kind=autoencoder"] {
        case.run(&[&few[..], &[kind]].concat());
        assert_settings_are_the_papers(&case.path("run/spec.toml"));
    }
}

fn assert_settings_are_the_papers(resolved: &Path) {
    let spec: toml::Table = toml::from_str(&std::fs::read_to_string(resolved).unwrap()).unwrap();
    let fit = &spec["fit"];
    assert_eq!(fit["latent"]["learning_rate_latent"].as_float(), Some(1e-3));
    assert_eq!(fit["latent"]["learning_rate_decoder"].as_float(), Some(1e-4));
    assert_eq!(fit["latent"]["order"].as_str(), Some("fixed"));
    assert_eq!(fit["encoders"]["learning_rate"].as_float(), Some(1e-4));
    assert_eq!(fit["one_step"]["schedule"].as_str(), Some("alternating"));
}

#[test]
fn without_encoders_there_are_rows_and_nothing_else() {
    let case = Case::of_two(200, "");
    let out = case.path("run");
    let spec = case.path("small.toml");
    let words = ["run", spec.to_str().unwrap(), "--out", out.to_str().unwrap(), "--set", "fit.encoders.n_epochs=0"];
    cithara_ok(&[&words[..], &["--only-fit"]].concat());
    assert_eq!(case.latents(200), named(&[("shared", 2), ("x", 2), ("y", 2)]));
    assert!(case.epochs_and_steps("encoders").is_none_or(|(n_epochs, _)| n_epochs == 0));
}
