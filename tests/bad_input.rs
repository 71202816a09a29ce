//! Data, specs and places that nothing can be learned from: each is one clear error with exit code 2, and nothing is lost.
//!
//! What the program says is kept in `snapshots/`; `INSTA_UPDATE=always cargo test -p cithara-tests --test bad_input` rewrites it.

use anndata::{Categorical, Column, Dense, Frame, NewAnnData, NewMuData, write_new_h5mu};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tests_support::{run_in, said};

const N_CELLS: usize = 40;
/// A program that is being started holds the locks of files that another test writes, so one test runs at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
const SPEC: &str = "spec_version = 1\nname = \"small\"\n[data]\npath = \"cells.h5mu\"\nlabel = \"type\"\n\
    [modality.rna]\nkind = \"rna\"\nmin_cells_per_feature = 0\nmin_features_per_cell = 0\n\
    [modality.protein]\nkind = \"surface_protein\"\n[model]\nkind = \"apollo\"\nshared = 2\nspecific = 2\n\
    [fit.latent]\nn_epochs = 1\n[fit.encoders]\nn_epochs = 1\n";

/// A way in which something is bad: made in a folder with good cells; the spec that is then run.
type Case = (&'static str, fn(&Path) -> String);

fn names(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|place| format!("{prefix}{place}")).collect()
}

/// Counts that differ between cells and features.
fn counts(n_features: usize) -> Dense {
    let value = |place: usize| (place * place * 7 % 31 % 5) as f32;
    Dense::new(N_CELLS, n_features, (0..N_CELLS * n_features).map(value).collect()).unwrap()
}

fn modality(cells: Vec<String>, prefix: &str, x: Dense) -> NewAnnData {
    let features = names(prefix, x.n_columns);
    NewAnnData::new(Frame::new(cells), Frame::new(features), x)
}

/// Writes cells of RNA and proteins after something was done to them.
fn cells(folder: &Path, change: impl Fn(&mut NewAnnData, &mut NewAnnData)) {
    let mut rna = modality(names("c", N_CELLS), "gene", counts(6));
    let mut protein = modality(names("c", N_CELLS), "protein", counts(4));
    change(&mut rna, &mut protein);
    let mut all = rna.obs.index().to_vec();
    all.extend(protein.obs.index().iter().filter(|cell| !rna.obs.index().contains(cell)).cloned());
    let mut obs = Frame::new(all.clone());
    let types: Vec<Option<String>> = (0..all.len()).map(|cell| Some(["T", "B"][cell % 2].to_owned())).collect();
    obs.insert("type", Column::Categorical(Categorical::from_labels(&types))).unwrap();
    let modalities = [("rna".to_owned(), rna), ("protein".to_owned(), protein)].into_iter().collect();
    write_new_h5mu(folder.join("cells.h5mu"), &NewMuData { modalities, obs, ..NewMuData::default() }).unwrap();
}

/// The same with one value of RNA.
fn value(folder: &Path, value: f32) -> String {
    cells(folder, |rna, _| {
        let mut x = counts(6);
        x.values[9] = value;
        rna.x = x.into();
    });
    SPEC.to_owned()
}

/// The same with names overwritten by equal ones.
fn same_names(folder: &Path, path: &str) -> String {
    let file = hdf5_metno::File::open_rw(folder.join("cells.h5mu")).unwrap();
    let names = file.dataset(path).unwrap();
    let mut all: Vec<hdf5_metno::types::VarLenUnicode> = names.read_raw().unwrap();
    all[1] = all[0].clone();
    names.write_raw(&all).unwrap();
    SPEC.to_owned()
}

fn replaced(from: &str, to: &str) -> String {
    assert!(SPEC.contains(from), "{from}");
    SPEC.replacen(from, to, 1)
}

const DATA: &[Case] = &[
    ("no file", |folder| {
        std::fs::remove_file(folder.join("cells.h5mu")).unwrap();
        SPEC.to_owned()
    }),
    ("half a file", |folder| {
        let path = folder.join("cells.h5mu");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        SPEC.to_owned()
    }),
    ("an empty file", |folder| {
        std::fs::write(folder.join("cells.h5mu"), b"").unwrap();
        SPEC.to_owned()
    }),
    ("a file of text", |folder| {
        std::fs::write(folder.join("cells.h5mu"), b"cell,gene0\nc0,3\n").unwrap();
        SPEC.to_owned()
    }),
    ("a folder", |folder| {
        std::fs::remove_file(folder.join("cells.h5mu")).unwrap();
        std::fs::create_dir(folder.join("cells.h5mu")).unwrap();
        SPEC.to_owned()
    }),
    ("HDF5 of another kind", |folder| {
        let file = hdf5_metno::File::create(folder.join("cells.h5mu")).unwrap();
        file.new_dataset_builder().with_data(&[1.0f32, 2.0]).create("numbers").unwrap();
        SPEC.to_owned()
    }),
    ("no such layer", |_| replaced("kind = \"rna\"\n", "kind = \"rna\"\nlayer = \"counts\"\n")),
    ("no such modality in the file", |_| replaced("kind = \"rna\"\n", "kind = \"rna\"\nkey = \"gex\"\n")),
    ("no such label", |_| replaced("label = \"type\"", "label = \"cell_type\"")),
    ("no such covariate", |_| {
        replaced("kind = \"apollo\"", "kind = \"dgd\"\ncovariates = [\"batch\"]")
            .replace("[fit.latent]\nn_epochs = 1\n[fit.encoders]\nn_epochs = 1\n", "")
    }),
    ("a value below 0", |folder| value(folder, -1.0)),
    ("no number", |folder| value(folder, f32::NAN)),
    ("an infinite value", |folder| value(folder, f32::INFINITY)),
    ("no count, where counts are needed", |folder| value(folder, 0.5)),
    ("two cells of one name", |folder| same_names(folder, "mod/rna/obs/_index")),
    ("no common cells", |folder| {
        cells(folder, |_, protein| *protein = modality(names("d", N_CELLS), "protein", counts(4)));
        SPEC.to_owned()
    }),
    ("a modality without cells", |folder| {
        cells(folder, |_, protein| *protein = modality(Vec::new(), "protein", Dense::zeros(0, 4)));
        SPEC.to_owned()
    }),
    ("a modality without features", |folder| {
        cells(folder, |_, protein| *protein = modality(names("c", N_CELLS), "protein", Dense::zeros(N_CELLS, 0)));
        SPEC.to_owned()
    }),
    ("nothing but zeros", |folder| {
        cells(folder, |rna, _| rna.x = Dense::zeros(N_CELLS, 6).into());
        SPEC.to_owned()
    }),
    ("a filter that no feature passes", |_| replaced("min_cells_per_feature = 0", "min_cells_per_feature = 300")),
    ("a filter that no cell passes", |_| replaced("min_features_per_cell = 0", "min_features_per_cell = 300")),
    ("a single cell", |folder| {
        cells(folder, |rna, protein| {
            let few = |n| Dense::new(1, n, (1..=n).map(|place| place as f32).collect()).unwrap();
            *rna = modality(names("c", 1), "gene", few(6));
            *protein = modality(names("c", 1), "protein", few(4));
        });
        SPEC.to_owned()
    }),
];

const SPECS: &[Case] = &[
    ("no spec", |_| String::new()),
    ("no TOML", |_| SPEC.replace("[data]", "[data")),
    ("an unknown component", |_| replaced("kind = \"surface_protein\"", "kind = \"surface_proteins\"")),
    ("an unknown key", |_| replaced("shared = 2", "shard = 2")),
    ("a wrong type", |_| replaced("shared = 2", "shared = \"two\"")),
    ("a value out of range", |_| replaced("kind = \"rna\"", "kind = \"rna\"\nencoder = { dropout = 1.5 }")),
    ("a negative number of epochs", |_| replaced("n_epochs = 1", "n_epochs = -1")),
    ("no modality", |_| {
        "spec_version = 1\nname = \"none\"\n[data]\npath = \"cells.h5mu\"\n[model]\nkind = \"apollo\"\n".to_owned()
    }),
    ("another version of specs", |_| replaced("spec_version = 1", "spec_version = 7")),
    ("two mistakes at once", |_| replaced("shared = 2", "shard = 2").replace("kind = \"rna\"", "kind = \"rnaa\"")),
];

const PLACES: &[Case] = &[
    ("a run directory that exists", |folder| {
        std::fs::create_dir(folder.join("run")).unwrap();
        std::fs::write(folder.join("run/spec.toml"), "").unwrap();
        SPEC.to_owned()
    }),
    ("a file where the run should go", |folder| {
        std::fs::write(folder.join("run"), "mine").unwrap();
        SPEC.to_owned()
    }),
];

/// What the program says, without where the folder is.
fn told(folder: &Path, spec: &str) -> String {
    std::fs::write(folder.join("spec.toml"), spec).unwrap();
    let output = run_in(folder, &["-q", "run", "spec.toml", "--out", "run"]);
    let said = said(&output).replace(&folder.display().to_string(), "FOLDER");
    assert!(!said.contains("panicked"), "{said}");
    format!("exit code {}\n{said}", output.status.code().unwrap())
}

fn all(cases: &[Case]) -> String {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut text, mut accepted) = (String::new(), String::new());
    for (name, make) in cases {
        let folder = tempfile::tempdir().unwrap();
        cells(folder.path(), |_, _| ());
        let spec = make(folder.path());
        let said = told(folder.path(), &spec);
        if !said.starts_with("exit code 2\n") {
            let _ = writeln!(accepted, "{name}: {said}");
        }
        let _ = writeln!(text, "## {name}\n{said}");
    }
    assert!(accepted.is_empty(), "{accepted}");
    text
}

#[test]
fn data_that_nothing_can_be_learned_from_are_told() {
    insta::assert_snapshot!(all(DATA));
}

#[test]
fn specs_that_mean_nothing_are_told() {
    insta::assert_snapshot!(all(SPECS));
}

#[test]
fn places_that_are_taken_are_told_and_left_as_they_are() {
    insta::assert_snapshot!(all(PLACES));
}

#[test]
fn a_forecast_above_the_limit_ends_before_anything_is_written() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    cells(folder.path(), |_, _| ());
    std::fs::write(folder.path().join("spec.toml"), SPEC).unwrap();
    let asked: [&[&str]; 2] = [&["run", "spec.toml", "--out", "run"], &["plan", "spec.toml"]];
    for asked in asked {
        let output = run_in(folder.path(), &[asked, &["--max-memory", "1MB"]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("more than the 1.0 MB of `--max-memory`"), "{}", said(&output));
        assert!(!folder.path().join("run").exists());
        let output = run_in(folder.path(), &[asked, &["--max-memory", "4GB", "-q"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let _ = std::fs::remove_dir_all(folder.path().join("run"));
    }
}
