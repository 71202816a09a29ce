//! `embed` and `predict` on files of cells: what they write, and that everything else stays as it was.

#[path = "../framework/anndata/tests/support/digest.rs"]
mod digest;

use anndata::{Dense, File, NewAnnData, NewMuData, UnsTree, write_new_h5ad, write_new_h5mu};
use cli::simulate::Factor::{Z1, Z3, Z5};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;
use tests_support::{Measured, cithara, cithara_ok, columns, mudata, read_back, small_spec, values};

/// Cells of the run, the first of which are also the new cells.
const N_CELLS: usize = 120;
/// Features of each modality.
const N_FEATURES: usize = 20;

/// A program that is started while another test writes a file inherits HDF5's lock on it.
static ONE_TEST_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A folder with a trained run of two modalities.
struct Trained(TempDir, #[allow(dead_code)] MutexGuard<'static, ()>);

impl Trained {
    fn new() -> Trained {
        let alone = ONE_TEST_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Trained(tempfile::tempdir().unwrap(), alone);
        mudata(&folder.path("cells.h5mu"), &[x(0..N_CELLS), y(0..N_CELLS)]);
        std::fs::write(folder.path("small.toml"), small_spec(&["x", "y"], "")).unwrap();
        cithara_ok(&["-q", "run", &folder.text("small.toml"), "--out", &folder.text("run"), "--only-fit"]);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Mean of each feature of `x` over the training cells.
    fn training_means(&self) -> Vec<f32> {
        let split = framework::run::RunDirectory::open(&self.path("run")).unwrap().read_split().unwrap();
        let is_training = |cell: &usize| split[&format!("cell{cell}")].1 == framework::data::Subset::Training;
        let (training, all) = ((0..N_CELLS).filter(is_training).collect::<Vec<_>>(), x(0..N_CELLS).values);
        let sum = |feature: usize| training.iter().map(|cell| f64::from(all.row(*cell)[feature])).sum::<f64>();
        (0..N_FEATURES).map(|feature| (sum(feature) / training.len() as f64) as f32).collect()
    }

    /// `cithara COMMAND RUN DATA …`, which must succeed; what it said.
    fn tell(&self, command: &str, data: &str, more: &[&str]) -> String {
        let (run, data) = (self.text("run"), self.text(data));
        cithara_ok(&[&[command, &run, &data], more].concat()).err
    }
}

fn x(cells: std::ops::Range<usize>) -> Measured {
    Measured::new("x", &values(&[Z1, Z3], N_CELLS), cells)
}

fn y(cells: std::ops::Range<usize>) -> Measured {
    Measured::new("y", &values(&[Z1, Z5], N_CELLS), cells)
}

/// New cells in a file that holds much else.
fn write_rich(path: &Path) {
    let (measured, n) = ([x(10..50), y(10..50)], 40);
    let mut file = NewMuData { obs: measured[0].anndata().obs, ..NewMuData::default() };
    for modality in measured {
        let mut rich = modality.anndata();
        rich.layers.insert("doubled".into(), modality.values.clone().into());
        rich.obsm.insert("X_pca".into(), Dense::new(n, 2, vec![0.5; 2 * n]).unwrap());
        rich.uns.insert("protocol".into(), UnsTree::from_iter([("kit", "v3")]));
        file.modalities.insert(modality.name.clone(), rich);
    }
    file.obsm.insert("X_umap".into(), Dense::new(n, 2, vec![1.5; 2 * n]).unwrap());
    file.uns.insert("study".into(), UnsTree::Text("a study".into()));
    write_new_h5mu(path, &file).unwrap();
}

const ABOUT: [&str; 6] = ["", "/format_version", "/seed", "/spec", "/spec_sha256", "/version"];

/// Objects that `embed` adds.
fn embedded() -> Vec<String> {
    let mut paths: Vec<String> = ABOUT.iter().map(|part| format!("/uns/cithara{part}")).collect();
    paths.extend(["", "_shared", "_x", "_y"].map(|end| format!("/obsm/X_apollo{end}")));
    for name in ["x", "y"] {
        paths.extend(["", "_shared", &format!("_{name}")].map(|end| format!("/mod/{name}/obsm/X_apollo{end}")));
    }
    paths.sort();
    paths
}

/// Objects that `predict --from x --to y` adds.
fn predicted() -> Vec<String> {
    let mut paths: Vec<String> = ABOUT.iter().map(|part| format!("/uns/cithara{part}")).collect();
    paths.insert(0, "/mod/y/layers/predicted_from_x".to_owned());
    paths
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn rows_of(path: &Path, modality: &str, key: &str) -> Dense {
    File::open(path).unwrap().modality(modality).unwrap().obsm(key).unwrap()
}

/// The layer that was predicted, row after row; NaN where nothing is known.
fn predicted_layer(path: &Path, target: &str, source: &str) -> Vec<f32> {
    let file = hdf5_metno::File::open(path).unwrap();
    file.dataset(&format!("/mod/{target}/layers/predicted_from_{source}")).unwrap().read_raw().unwrap()
}

#[test]
fn a_copy_gets_rows_or_predictions_and_the_source_stays() {
    let run = Trained::new();
    write_rich(&run.path("new.h5mu"));
    let bytes = std::fs::read(run.path("new.h5mu")).unwrap();
    let before = digest::of_file(&run.path("new.h5mu"));
    assert!(before.len() > 50, "only {} objects are compared", before.len());
    let n_files = entries(run.0.path());

    let told = run.tell("embed", "new.h5mu", &[]);
    assert!(told.contains("x: 20 of 20 features found") && told.contains("new_cithara.h5mu"), "{told}");
    let changes = digest::differences(&before, &digest::of_file(&run.path("new_cithara.h5mu")));
    assert_eq!(changes, embedded());
    let more = ["--from", "x", "--to", "y", "--out", &run.text("predicted.h5mu")];
    run.tell("predict", "new.h5mu", &more);
    let changes = digest::differences(&before, &digest::of_file(&run.path("predicted.h5mu")));
    assert_eq!(changes, predicted());
    assert_eq!(predicted_layer(&run.path("predicted.h5mu"), "y", "x").len(), 40 * N_FEATURES);

    assert_eq!(std::fs::read(run.path("new.h5mu")).unwrap(), bytes, "the source has changed");
    assert_eq!(entries(run.0.path()), n_files + 2, "temporary files were left behind");
    read_back("embedded_h5mu", &[&run.text("new_cithara.h5mu"), "40"]);
    read_back("predicted_h5mu", &[&run.text("predicted.h5mu"), "40"]);
}

#[test]
fn in_place_means_the_file_itself_and_twice_is_as_once() {
    let run = Trained::new();
    write_rich(&run.path("new.h5mu"));
    let before = digest::of_file(&run.path("new.h5mu"));
    let n_files = entries(run.0.path());
    run.tell("embed", "new.h5mu", &["--in-place"]);
    let once = digest::of_file(&run.path("new.h5mu"));
    assert_eq!(digest::differences(&before, &once), embedded());
    let told = run.tell("embed", "new.h5mu", &["--in-place"]);
    assert!(told.contains("replaced: ") && told.contains("/obsm/X_apollo_shared"), "{told}");
    assert!(digest::differences(&once, &digest::of_file(&run.path("new.h5mu"))).is_empty());
    run.tell("predict", "new.h5mu", &["--from", "x", "--to", "y", "--in-place"]);
    let changes = digest::differences(&once, &digest::of_file(&run.path("new.h5mu")));
    assert_eq!(changes, ["/mod/y/layers/predicted_from_x"]);
    assert_eq!(entries(run.0.path()), n_files, "temporary files were left behind");
}

#[test]
fn cells_in_another_order_get_the_same_rows() {
    let run = Trained::new();
    run.tell("embed", "cells.h5mu", &[]);
    let mut file = NewMuData { obs: x(0..N_CELLS).anndata().obs, ..NewMuData::default() };
    for modality in [x(0..N_CELLS), y(0..N_CELLS)] {
        let values = modality.values.values.chunks(N_FEATURES).rev().flatten().copied().collect();
        let mut names = modality.anndata().obs.index().to_vec();
        names.reverse();
        let reversed = Dense::new(N_CELLS, N_FEATURES, values).unwrap();
        let reversed = NewAnnData::new(anndata::Frame::new(names), modality.anndata().var, reversed);
        file.modalities.insert(modality.name.clone(), reversed);
    }
    write_new_h5mu(run.path("reversed.h5mu"), &file).unwrap();
    run.tell("embed", "reversed.h5mu", &[]);
    for key in ["X_apollo", "X_apollo_shared", "X_apollo_y"] {
        let forth = rows_of(&run.path("cells_cithara.h5mu"), "y", key);
        let back = rows_of(&run.path("reversed_cithara.h5mu"), "y", key);
        for row in 0..N_CELLS {
            let (one, other) = (forth.row(row), back.row(N_CELLS - 1 - row));
            assert!(one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-5), "{key}, cell {row}: {one:?} {other:?}");
        }
    }
}

#[test]
fn features_are_found_by_name_and_those_that_lack_are_masked() {
    let run = Trained::new();
    let all = x(0..30);
    // Seven features in another order, and one that the model does not know.
    let kept = [13, 2, 7, 0, 19, 5, 11];
    let mut names: Vec<String> = kept.iter().map(|feature| format!("x{feature}")).collect();
    names.push("unknown".to_owned());
    let few = columns(&all.values, &[13, 2, 7, 0, 19, 5, 11, 1]);
    let few = NewAnnData::new(all.anndata().obs, anndata::Frame::new(names), few);
    write_new_h5ad(run.path("few.h5ad"), &few).unwrap();
    let means = run.training_means();
    let mut filled = all.values.clone();
    for (place, value) in filled.values.iter_mut().enumerate() {
        let feature = place % N_FEATURES;
        *value = if kept.contains(&feature) { *value } else { means[feature] };
    }
    let filled = NewAnnData::new(all.anndata().obs, all.anndata().var, filled);
    write_new_h5ad(run.path("filled.h5ad"), &filled).unwrap();

    let (folder, data) = (run.path("run"), run.path("few.h5ad"));
    let refused = cithara(&["embed", folder.to_str().unwrap(), data.to_str().unwrap(), "--modality", "x"]);
    assert!(refused.code == 2 && refused.err.contains("lack 13 of the 20 features of the model"), "{refused}");
    assert!(refused.err.contains("65.0 %, more than the 50.0 % that `max_missing` allows"), "{refused}");
    let told = run.tell("embed", "few.h5ad", &["--modality", "x", "--max-missing", "0.7"]);
    assert!(told.contains("modality x: 7 of 20 features found; 13 missing and masked (x1, x3, x4 …)"), "{told}");
    assert!(told.contains("1 unknown to the model are left aside"), "{told}");
    assert!(told.contains("modality y: not in the data"), "{told}");
    run.tell("embed", "filled.h5ad", &["--modality", "x"]);
    for key in ["X_apollo", "X_apollo_shared", "X_apollo_x"] {
        let found = rows_of(&run.path("few_cithara.h5ad"), "", key);
        assert!(found.n_rows == 30 && found.values.iter().all(|value| value.is_finite()));
        let expected = rows_of(&run.path("filled_cithara.h5ad"), "", key);
        let near = found.values.iter().zip(&expected.values).all(|(one, other)| (one - other).abs() < 1e-4);
        assert!(near, "{key}: {found:?} {expected:?}");
    }
}

#[test]
fn a_prediction_goes_beside_the_source_where_the_target_is_not() {
    let run = Trained::new();
    write_new_h5ad(run.path("x.h5ad"), &x(0..30).anndata()).unwrap();
    let told = run.tell("predict", "x.h5ad", &["--from", "x", "--to", "y"]);
    assert!(told.contains("y predicted from x: obsm[\"predicted_y\"] of `x`"), "{told}");
    let beside = rows_of(&run.path("x_cithara.h5ad"), "", "predicted_y");
    assert_eq!((beside.n_rows, beside.n_columns), (30, N_FEATURES));
    // The same cells in a file that holds the target get the same numbers as a layer.
    mudata(&run.path("both.h5mu"), &[x(0..30), y(0..30)]);
    run.tell("predict", "both.h5mu", &["--from", "x", "--to", "y"]);
    assert_eq!(predicted_layer(&run.path("both_cithara.h5mu"), "y", "x"), beside.values);
    read_back("predicted_h5ad", &[&run.text("x_cithara.h5ad"), "30"]);
}

#[test]
fn cells_without_the_source_are_not_predicted() {
    let run = Trained::new();
    mudata(&run.path("mosaic.h5mu"), &[x(0..20), y(10..40)]);
    run.tell("predict", "mosaic.h5mu", &["--from", "x", "--to", "y"]);
    let layer = predicted_layer(&run.path("mosaic_cithara.h5mu"), "y", "x");
    let known = |row: usize| layer[row * N_FEATURES..(row + 1) * N_FEATURES].iter().all(|value| value.is_finite());
    let unknown = |row: usize| layer[row * N_FEATURES..(row + 1) * N_FEATURES].iter().all(|value| value.is_nan());
    assert!((0..10).all(known) && (10..30).all(unknown), "cells 10 to 19 alone have both");
}

#[test]
fn wrong_input_ends_with_code_2_and_leaves_nothing() {
    let run = Trained::new();
    mudata(&run.path("new.h5mu"), &[x(0..30), y(0..30)]);
    mudata(&run.path("other.h5mu"), &[Measured { name: "z".into(), ..x(0..30) }]);
    write_new_h5ad(run.path("x.h5ad"), &x(0..30).anndata()).unwrap();
    std::fs::write(run.path("text.h5mu"), "no HDF5").unwrap();
    std::fs::write(run.path("there.h5mu"), "mine").unwrap();
    let there = run.text("there.h5mu");
    let n_files = entries(run.0.path());
    for (command, data, more, told) in [
        ("embed", "new.h5mu", &["--out", &there][..], "exists already"),
        ("embed", "gone.h5mu", &[], "gone.h5mu"),
        ("embed", "text.h5mu", &[], "text.h5mu"),
        ("embed", "other.h5mu", &[], "none of the modalities of the model is in the data"),
        ("embed", "x.h5ad", &[], "say which it is with `--modality`"),
        ("embed", "x.h5ad", &["--modality", "w"], "the model has no modality `w`; modalities: x, y"),
        ("embed", "x.h5ad", &["--modality", "y"], "none of the 20 features of the model is in the new data"),
        ("predict", "new.h5mu", &["--from", "w", "--to", "y"], "the model has no modality `w`; modalities: x, y"),
        ("predict", "new.h5mu", &["--from", "x", "--to", "w"], "the model has no modality `w`; modalities: x, y"),
        ("predict", "other.h5mu", &["--from", "x", "--to", "y"], "none of the modalities"),
    ] {
        let (trained, data) = (run.text("run"), run.text(data));
        let words = [&[command, &trained, &data], more].concat();
        let refused = cithara(&words);
        assert!(refused.code == 2 && refused.err.contains(told), "{}\n{refused}", words.join(" "));
        assert_eq!(entries(run.0.path()), n_files, "{} left a file", words.join(" "));
    }
    assert_eq!(std::fs::read(run.path("there.h5mu")).unwrap(), b"mine");
    run.tell("embed", "new.h5mu", &["--out", &there, "--force"]);
    assert!(File::open(run.path("there.h5mu")).is_ok());
}
