//! `cithara import multidgd`: a checkpoint read without running it, and what it is good for afterwards.
//!
//! `golden/dgd/checkpoint.pt` holds the parameters of `golden/dgd/total_loss.json`; what they reconstruct is known.

use cli::import::{Checkpoint, read_state_dict};
use framework::run::read_tensors;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tests_support::dgd::{close, golden};
use tests_support::{GoldenCells, Outcome, cithara, cithara_ok, repository, write_golden_cells};

fn in_golden(name: &str) -> PathBuf {
    repository().join("tests/golden/dgd").join(name)
}

/// A folder with the cells of the model.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place::with(["GEX", "ATAC"], |_| {})
    }

    /// The cells, their columns of obs changed.
    fn with(names: [&str; 2], change: impl FnOnce(&mut GoldenCells<'_>)) -> Place {
        let (trained, tested) = (golden("train.json"), golden("predict.json"));
        let rows = |counts: &'static str, file: &Value| file["counts"][counts].as_array().unwrap().clone();
        let (training, validation) = (rows("train", &trained), rows("validation", &trained));
        let counts: Vec<&Value> =
            training.iter().chain(&validation).chain(tested["counts_test"].as_array().unwrap()).collect();
        let labels = trained["site_label_train"].as_array().unwrap().iter().map(Value::as_i64);
        let mut sites: Vec<String> = labels.map(|label| format!("site{}", label.unwrap() + 1)).collect();
        sites.resize(counts.len(), "site2".to_owned());
        let split = |cell| {
            if cell < 24 {
                "train"
            } else if cell < 32 {
                "validation"
            } else {
                "test"
            }
        };
        let splits = (0..counts.len()).map(|cell| split(cell).to_owned()).collect();
        let mut cells = GoldenCells { counts, columns: vec![("covariate_Site", sites), ("train_val_test", splits)] };
        change(&mut cells);
        let folder = tempfile::tempdir().unwrap();
        write_golden_cells(&folder.path().join("cells.h5mu"), names, &cells);
        Place { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn arguments(&self, checkpoint: &Path, hyperparameters: &Path) -> Vec<String> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let words = ["import", "multidgd", &text(checkpoint), "--hyperparameters", &text(hyperparameters)];
        let mut words: Vec<String> = words.map(str::to_owned).to_vec();
        words.extend(["--data".to_owned(), self.path("cells.h5mu"), "--out".to_owned(), self.path("run")]);
        words
    }

    fn import(&self) -> Vec<String> {
        self.arguments(&in_golden("checkpoint.pt"), &in_golden("checkpoint_hyperparameters.json"))
    }

    /// Imports with hyperparameters that are changed.
    fn import_with(&self, change: impl FnOnce(&mut Value)) -> Outcome {
        let text = std::fs::read_to_string(in_golden("checkpoint_hyperparameters.json")).unwrap();
        let mut changed: Value = serde_json::from_str(&text).unwrap();
        change(&mut changed);
        let path = self.folder.path().join("changed.json");
        std::fs::write(&path, changed.to_string()).unwrap();
        run(&self.arguments(&in_golden("checkpoint.pt"), &path))
    }
}

fn run(words: &[String]) -> Outcome {
    cithara(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[track_caller]
fn refused(outcome: &Outcome, why: &str) {
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.err.contains(why), "`{why}` is not in\n{outcome}");
}

#[test]
fn an_imported_model_reconstructs_as_it_did() {
    let place = Place::new();
    let mut words = place.import();
    words.extend(["--spec".to_owned(), place.path("model.toml")]);
    let outcome = run(&words);
    assert_eq!(outcome.code, 0, "{outcome}");
    let expected = &golden("total_loss.json")["cases"]["covariate"];
    let told: Vec<f64> = outcome.out.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    let [n_cells, sum, mean] = told.as_slice() else { panic!("{outcome}") };
    let recon = expected["f64"]["recon"].as_f64().unwrap();
    assert_eq!(*n_cells, 24.0);
    assert!((sum / recon - 1.0).abs() < 1e-5, "{sum} instead of {recon}");
    assert!((mean * 24.0 * 42.0 / recon - 1.0).abs() < 1e-4, "{mean} per cell and feature");
    let rows = read_tensors(&place.folder.path().join("run/latents.safetensors")).unwrap();
    close(&rows["shared"].narrow(0, 0, 24), &expected["params"]["representation.z"], 1e-6, "rows");
    close(&rows["shared"].narrow(0, 24, 8), &expected["params"]["validation_rep.z"], 1e-6, "validation rows");
    close(&rows["covariate"].narrow(0, 0, 24), &expected["params"]["correction_rep.z"], 1e-6, "rows of the covariate");
    assert!(outcome.err.contains("rows of 6 test cells are not in the checkpoint"), "{outcome}");
    cithara_ok(&["check", &place.path("model.toml")]);
}

#[test]
fn an_imported_model_is_a_run_like_any() {
    let place = Place::new();
    assert_eq!(run(&place.import()).code, 0);
    refused(&run(&place.import()), "exists already");
    let (model, cells) = (place.path("run"), place.path("cells.h5mu"));
    cithara_ok(&["embed", &model, &cells, "--out", &place.path("embedded.h5mu")]);
    cithara_ok(&["predict", &model, &cells, "--from", "GEX", "--to", "ATAC", "--out", &place.path("predicted.h5mu")]);
    cithara_ok(&["evaluate", &model]);
}

#[test]
fn data_of_another_model_are_refused() {
    let place = Place::new();
    let outcome = place.import_with(|json| json["n_features_per_modality"] = serde_json::json!([13, 29]));
    refused(&outcome, "`decoder.out_modules.1.fc.4.bias` of the checkpoint has shape [30]");
    refused(
        &place.import_with(|json| json["n_components"] = 4.into()),
        "`gmm.mean` of the checkpoint has shape [3, 4]",
    );
    refused(&place.import_with(|json| json["n_hidden"] = 3.into()), "the checkpoint lacks `decoder.main.4.");
    refused(&place.import_with(|json| json["n_hidden"] = 1.into()), "the checkpoint holds `decoder.main.2.bias`");
    refused(&place.import_with(|json| json["modalities"] = serde_json::json!(["GEX", "Peaks"])), "Peaks");
    refused(&place.import_with(|json| json["scaling"] = "mean".into()), "only `sum` is understood");
    refused(&place.import_with(|json| json.as_object_mut().unwrap().clear()), "does not hold the hyperparameters");
    assert!(!place.folder.path().join("run").exists());
}

#[test]
fn other_cells_than_those_of_the_checkpoint_are_refused() {
    let one_more = Place::with(["GEX", "ATAC"], |cells| cells.columns[1].1[24] = "train".to_owned());
    refused(&run(&one_more.import()), "`representation.z` of the checkpoint has shape [24, 4]");
    let three_sites = Place::with(["GEX", "ATAC"], |cells| cells.columns[0].1[0] = "site3".to_owned());
    refused(&run(&three_sites.import()), "components for 2 classes, but the training cells have 3");
    let swapped = Place::with(["ATAC", "GEX"], |_| {});
    let why = "has 30 features, but the model was learned from 12; a checkpoint holds no names of features";
    refused(&run(&swapped.import()), why);
    let no_split = Place::with(["GEX", "ATAC"], |cells| drop(cells.columns.pop()));
    refused(&run(&no_split.import()), "obs has no column `train_val_test`");
    let no_site = Place::with(["GEX", "ATAC"], |cells| drop(cells.columns.remove(0)));
    refused(&run(&no_site.import()), "obs has no column `covariate_Site`, the model's covariate");
}

#[test]
fn other_files_are_no_checkpoints() {
    let place = Place::new();
    let json = in_golden("checkpoint_hyperparameters.json");
    refused(&run(&place.arguments(&json, &json)), "it is not a zip archive");
    refused(&run(&place.arguments(Path::new("absent.pt"), &json)), "cannot be opened");
}

/// The description inside the committed checkpoint, which is stored as it is.
fn description() -> Vec<u8> {
    let file = std::fs::read(in_golden("checkpoint.pt")).unwrap();
    let start = file.windows(2).position(|two| two == [0x80, 2]).unwrap();
    let end = file.windows(4).skip(start).position(|four| four == b"PK\x07\x08" || four == b"PK\x03\x04").unwrap();
    file[start..start + end].to_vec()
}

#[test]
fn code_in_a_checkpoint_is_not_run() {
    let read = read_state_dict(&description()).unwrap();
    assert_eq!(read.len(), 29);
    for evil in [
        &b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."[..],
        b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.",
        b"\x80\x02ctorch\nload\n)R.",
        b"\x80\x02ccollections\nOrderedDict\nX\x01\x00\x00\x001\x85R.",
        b"\x80\x02(X\x01\x00\x00\x00aios\nsystem\n.",
    ] {
        let error = read_state_dict(evil).unwrap_err();
        assert!(format!("{error:#}").contains("not understood at byte"), "{error:#}");
    }
    let error = read_state_dict(b"\x80\x02cos\nsystem\n)R.").unwrap_err();
    assert!(format!("{error:#}").contains("it asks for `os.system`"), "{error:#}");
}

/// Numbers from a seed (Vigna's SplitMix64).
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    /// Some bytes changed, left out or put in.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let place = self.below(bytes.len().max(1)).min(bytes.len() - 1);
            match self.below(4) {
                0 => bytes[place] = self.below(256) as u8,
                1 => bytes.insert(place, b"(tR)u}bsqhQ\x85\x86\x8a"[self.below(14)]),
                2 => drop(bytes.remove(place)),
                _ => bytes.truncate(place.max(2)),
            }
        }
        bytes
    }
}

#[test]
fn a_damaged_checkpoint_is_an_error_or_other_tensors() {
    let whole = description();
    let mut draws = Draws(11);
    let mut n_refused = 0;
    for _ in 0..20_000 {
        n_refused += usize::from(read_state_dict(&draws.damage(&whole)).is_err());
    }
    assert!(n_refused > 10_000, "{n_refused} of 20000 refused");
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("damaged.pt"), std::fs::read(in_golden("checkpoint.pt")).unwrap());
    let mut n_refused = 0;
    for _ in 0..300 {
        std::fs::write(&path, draws.damage(&file)).unwrap();
        n_refused += usize::from(Checkpoint::read(&path).is_err());
    }
    assert!(n_refused > 100, "{n_refused} of 300 refused");
}
