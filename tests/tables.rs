//! Specs whose data are tables of other formats: learned from as if they had been converted, also as new data of a run.

use anndata::{Dense, File};
use cli::simulate::Factor::{Z1, Z3, Z5};
use framework::{FeatureShape, Features, LossContext, LossSpec, Statistics, Target, TargetValues};
use hdf5_metno as hdf5;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tch::{Device, Kind, Tensor, nn};
use tests_support::{Measured, cithara, cithara_ok, mudata, small_spec, values};

const N_CELLS: usize = 80;

/// A program that is started while another test writes a file inherits HDF5's lock on it.
static ONE_TEST_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The modalities of all formats.
fn modalities() -> [Measured; 2] {
    [("x", &[Z1, Z3][..]), ("y", &[Z1, Z5])]
        .map(|(name, factors)| Measured::new(name, &values(factors, N_CELLS), 0..N_CELLS))
}

fn cells(modality: &Measured) -> Vec<String> {
    modality.cells.clone().map(|cell| format!("cell{cell}")).collect()
}

fn features(modality: &Measured) -> Vec<String> {
    (0..modality.values.n_columns).map(|feature| format!("{}{feature}", modality.name)).collect()
}

fn csv(path: &Path, modality: &Measured, features_in_rows: bool) {
    let (cells, features) = (cells(modality), features(modality));
    let (rows, columns) = if features_in_rows { (&features, &cells) } else { (&cells, &features) };
    let value = |row: usize, column: usize| {
        let (cell, feature) = if features_in_rows { (column, row) } else { (row, column) };
        modality.values.row(cell)[feature]
    };
    let mut text = format!("name,{}\n", columns.join(","));
    for (row, name) in rows.iter().enumerate() {
        let fields: Vec<String> = (0..columns.len()).map(|column| value(row, column).to_string()).collect();
        let _ = writeln!(text, "{name},{}", fields.join(","));
    }
    std::fs::write(path, text).unwrap();
}

/// Both modalities side by side.
fn joined(modalities: &[Measured]) -> (Vec<String>, Dense) {
    let names: Vec<String> = modalities.iter().flat_map(features).collect();
    let values = (0..N_CELLS).flat_map(|cell| modalities.iter().flat_map(move |one| one.values.row(cell).to_vec()));
    (names.clone(), Dense::new(N_CELLS, names.len(), values.collect()).unwrap())
}

fn types(modalities: &[Measured]) -> Vec<&str> {
    modalities.iter().flat_map(|one| vec![one.name.as_str(); one.values.n_columns]).collect()
}

fn tenx_h5(path: &Path, modalities: &[Measured]) {
    let file = hdf5::File::create(path).unwrap();
    let group = file.create_group("matrix").unwrap();
    let table = group.create_group("features").unwrap();
    let texts = |group: &hdf5::Group, name: &str, texts: &[&str]| {
        let texts: Vec<hdf5::types::FixedAscii<16>> =
            texts.iter().map(|text| hdf5::types::FixedAscii::from_ascii(text).unwrap()).collect();
        group.new_dataset_builder().with_data(&texts).create(name).unwrap();
    };
    let ((names, all), cells) = (joined(modalities), cells(&modalities[0]));
    texts(&group, "barcodes", &cells.iter().map(String::as_str).collect::<Vec<_>>());
    texts(&table, "name", &names.iter().map(String::as_str).collect::<Vec<_>>());
    texts(&table, "feature_type", &types(modalities));
    let n = all.n_columns;
    group.new_dataset_builder().with_data(&all.values).create("data").unwrap();
    let indices: Vec<i64> = (0..all.values.len()).map(|place| (place % n) as i64).collect();
    group.new_dataset_builder().with_data(&indices).create("indices").unwrap();
    let indptr: Vec<i64> = (0..=N_CELLS).map(|cell| (cell * n) as i64).collect();
    group.new_dataset_builder().with_data(&indptr).create("indptr").unwrap();
    group.new_dataset_builder().with_data(&[n as i32, N_CELLS as i32]).create("shape").unwrap();
    file.close().unwrap();
}

fn matrix_market(folder: &Path, modalities: &[Measured]) {
    std::fs::create_dir(folder).unwrap();
    let (names, all) = joined(modalities);
    let mut matrix =
        format!("%%MatrixMarket matrix coordinate real general\n{} {N_CELLS} {}\n", names.len(), all.values.len());
    for cell in 0..N_CELLS {
        for (feature, value) in all.row(cell).iter().enumerate() {
            let _ = writeln!(matrix, "{} {} {value}", feature + 1, cell + 1);
        }
    }
    let listed: Vec<String> =
        names.iter().zip(types(modalities)).map(|(name, kind)| format!("{name}\t{name}\t{kind}\n")).collect();
    for (name, text) in [
        ("matrix.mtx", matrix),
        ("features.tsv", listed.concat()),
        ("barcodes.tsv", cells(&modalities[0]).join("\n") + "\n"),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// A spec whose `[data]` and modalities say this instead of `path = "cells.h5mu"`.
fn spec(data: &str, [x, y]: [&str; 2]) -> String {
    small_spec(&["x", "y"], "")
        .replace("path = \"cells.h5mu\"\n", &format!("{data}\n"))
        .replace("[modality.x]\n", &format!("[modality.x]\n{x}\n"))
        .replace("[modality.y]\n", &format!("[modality.y]\n{y}\n"))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Runs a spec; what the evaluation found.
    fn run(&self, name: &str, spec: &str, more: &[&str]) -> String {
        std::fs::write(self.path("spec.toml"), spec).unwrap();
        let (spec, out) = (self.text("spec.toml"), self.text(name));
        cithara_ok(&[&["run", &spec, "--out", &out, "--no-controls"], more].concat());
        std::fs::read_to_string(self.path(name).join("evaluation.tsv")).unwrap()
    }

    fn rows(&self, file: &str, key: &str) -> Dense {
        File::open(self.path(file)).unwrap().obsm(key).unwrap()
    }
}

fn folder() -> Folder {
    let folder = Folder(tempfile::tempdir().unwrap());
    let modalities = modalities();
    mudata(&folder.path("cells.h5mu"), &modalities);
    csv(&folder.path("x_rows.csv"), &modalities[0], true);
    csv(&folder.path("x.csv"), &modalities[0], false);
    csv(&folder.path("y.csv"), &modalities[1], false);
    tenx_h5(&folder.path("cells.h5"), &modalities);
    matrix_market(&folder.path("matrix"), &modalities);
    folder
}

#[test]
fn every_format_gives_the_same_model_and_the_same_rows_of_new_cells() {
    let _alone = ONE_TEST_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = folder();
    let reference = folder.run("run", &spec("path = \"cells.h5mu\"", ["", ""]), &["--no-annotation"]);
    let columns = "path = \"y.csv\"\ntable = { features_in = \"columns\" }";
    let rows = "path = \"x_rows.csv\"\ntable = { features_in = \"rows\" }";
    for (name, data, own) in [
        ("tenx", "path = \"cells.h5\"", ["", ""]),
        ("mtx", "path = \"matrix\"", ["", ""]),
        ("csv", "table = { features_in = \"columns\" }", ["path = \"x.csv\"", "path = \"y.csv\""]),
        ("mixed", "path = \"cells.h5\"", [rows, columns]),
    ] {
        assert_eq!(folder.run(name, &spec(data, own), &[]), reference, "{name}");
    }
    assert!(folder.path("csv/annotated_x.h5ad").is_file() && folder.path("csv/annotated_y.h5ad").is_file());
    let annotated = File::open(folder.path("tenx/annotated.h5mu")).unwrap();
    assert!(annotated.modality("y").unwrap().layer_names().unwrap().contains(&"predicted_from_x".to_owned()));

    let run = folder.text("run");
    for (data, more, out) in [
        ("cells.h5mu", &[][..], "cells_cithara.h5mu"),
        ("cells.h5", &["--force"], "cells_cithara.h5mu"),
        ("matrix", &[], "matrix_cithara.h5mu"),
    ] {
        cithara_ok(&[&["embed", &run, &folder.text(data)], more].concat());
        let (told, expected) = (folder.rows(out, "X_apollo"), folder.rows("tenx/annotated.h5mu", "X_apollo"));
        assert!(told.values.iter().zip(&expected.values).all(|(a, b)| (a - b).abs() < 1e-5), "{data}");
    }
    let unsaid = cithara(&["embed", &run, &folder.text("x_rows.csv"), "--modality", "x"]);
    assert!(unsaid.code == 2 && unsaid.err.contains("`--features rows` or `--features columns`"), "{unsaid}");
    cithara_ok(&["embed", &run, &folder.text("x_rows.csv"), "--modality", "x", "--features", "rows"]);
    cithara_ok(&["predict", &run, &folder.text("x.csv"), "--features", "columns", "--from", "x", "--to", "y"]);
    assert_eq!(folder.rows("x_cithara.h5ad", "predicted_y").n_columns, 20);
    let in_place = cithara(&["embed", &run, &folder.text("cells.h5"), "--in-place"]);
    assert!(in_place.code == 2 && in_place.err.contains("nothing can be written into it"), "{in_place}");
}

#[test]
fn labels_splits_and_measured_cells_come_from_a_table_of_obs() {
    let _alone = ONE_TEST_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = folder();
    let mut obs = String::from("cell\ttype\tfold\thas_y\n");
    for cell in 0..N_CELLS {
        let fold = ["train", "train", "train", "test", "validation"][cell % 5];
        let _ = writeln!(obs, "cell{cell}\t{}\t{fold}\t{}", ["T", "B"][cell % 2], if cell < 50 { "yes" } else { "no" });
    }
    std::fs::write(folder.path("obs.tsv"), obs).unwrap();
    let data = "path = \"cells.h5\"\nobs = \"obs.tsv\"\nlabel = \"type\"\nsplit = { column = \"fold\" }";
    let spec = spec(data, ["", "measured = \"has_y\""]);
    let found = folder.run("run", &spec, &[]);
    assert!(found.contains("\ttype\t"), "{found}");
    let spec = folder.text("spec.toml");
    let check = cithara_ok(&["check", &spec]).out;
    assert!(check.contains("measured, before filters\n  50 cells by x + y\n  30 cells by x\n"), "{check}");
    let plan = cithara_ok(&["plan", &spec]).out;
    assert!(plan.contains("measured    50 cells by x + y (30 train, 10 validation, 10 test)"), "{plan}");
    let said = cithara_ok(&["run", &spec, "--out", &folder.text("again"), "--only-fit"]).err;
    assert!(said.contains("measured by x: 30 cells (18 train, 6 validation, 6 test)"), "{said}");
    let evaluation = std::fs::read_to_string(folder.path("run/evaluation.json")).unwrap();
    assert!(evaluation.contains("measured by x + y: 50 cells (30 train, 10 validation, 10 test)"), "{evaluation}");
    let annotated = File::open(folder.path("run/annotated.h5mu")).unwrap();
    assert_eq!(annotated.obs().labels("type").unwrap()[..2], [Some("T".to_owned()), Some("B".to_owned())]);
}

/// Something done to good tables, the spec that is then run, and what must be said.
type Case = (fn(&Folder), &'static str, [&'static str; 2], &'static str);

const TABLE: &str = "table = { features_in = \"columns\" }";
const CSV: [&str; 2] = ["path = \"x.csv\"", "path = \"y.csv\""];
const CASES: &[Case] = &[
    (|_| {}, "", CSV, "set `features_in = \"rows\"` (each row is a feature) or `\"columns\"`"),
    (|_| {}, "table = { features_in = \"rows\" }", ["path = \"x_rows.csv\"", "path = \"y.csv\""], "no cell of `x`"),
    (|_| {}, "path = \"matrix\"", ["", "key = \"z\""], "no modality `z`"),
    (|_| {}, "path = \"matrix\"\nobs = \"x_rows.csv\"", ["", "measured = \"has_y\""], "describes none of the cells"),
    (
        |folder| {
            let bytes = std::fs::read(folder.path("x.csv")).unwrap();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &bytes).unwrap();
            let whole = encoder.finish().unwrap();
            std::fs::write(folder.path("x.csv.gz"), &whole[..whole.len() / 2]).unwrap();
        },
        TABLE,
        ["path = \"x.csv.gz\"", "path = \"y.csv\""],
        "x.csv.gz`; is the file whole?",
    ),
    (
        |folder| {
            let text = std::fs::read_to_string(folder.path("x.csv")).unwrap().replacen("\ncell3,", "\ncell3,7,", 1);
            std::fs::write(folder.path("x.csv"), text).unwrap();
        },
        TABLE,
        CSV,
        "line 5: 22 fields, expected 21",
    ),
    (
        |folder| {
            let text = std::fs::read_to_string(folder.path("x.csv")).unwrap().replacen("\ncell3,", "\ncell2,", 1);
            std::fs::write(folder.path("x.csv"), text).unwrap();
        },
        TABLE,
        CSV,
        "cells 3 and 4 are both called `cell2`",
    ),
    (
        |folder| std::fs::remove_file(folder.path("matrix/features.tsv")).unwrap(),
        "path = \"matrix\"",
        ["", ""],
        "no `features.tsv`, `genes.tsv`, `peaks.bed`",
    ),
    (|_| {}, "table = { features_in = \"columns\", obs_columns = { digit = \"x99\" } }", CSV, "no column `x99`"),
];

#[test]
fn tables_that_cannot_be_learned_from_are_told() {
    let _alone = ONE_TEST_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for (place, (change, data, own, said)) in CASES.iter().enumerate() {
        let folder = folder();
        change(&folder);
        std::fs::write(folder.path("spec.toml"), spec(data, *own)).unwrap();
        let refused = cithara(&["run", &folder.text("spec.toml"), "--out", &folder.text("run")]);
        assert!(refused.code == 2 && refused.err.contains(said), "case {place}, `{said}`: {refused}");
        assert!(!folder.path("run").exists(), "case {place}");
    }
}

/// Counts of features that were not measured say nothing: the loss is that of the measured ones alone, their shares of the total
/// too, and no gradient reaches predictions of the others.
#[test]
fn losses_of_counts_leave_features_out_that_were_not_measured() {
    let (measured, lacking) = (Tensor::from_slice(&[0i64, 2, 3]), [1i64, 4]);
    let counts = Tensor::from_slice2(&[[3f32, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 2.0, 7.0, 0.0]]);
    let prediction = Tensor::from_slice2(&[[0.3f32, 5.0, -1.0, 0.2, 2.0], [1.0, -3.0, 0.5, 0.7, 9.0]]);
    let specs: [&dyn LossSpec; 2] =
        [&plugins::standard::NegativeBinomialSpec::default(), &plugins::standard::PoissonSpec::default()];
    for spec in specs {
        let loss = |n: i64| {
            let store = nn::VarStore::new(Device::Cpu);
            let (output, statistics) =
                (FeatureShape::Vector(n), Statistics { n_entries: 10.0, ..Statistics::default() });
            let context = LossContext { vars: store.root(), output, training: statistics.clone(), all: statistics };
            (spec.build(&context).unwrap(), store)
        };
        let ((whole, _kept), (few, _also)) = (loss(5), loss(3));
        let target = Target::new(Features::Dense(counts.shallow_clone())).without(&lacking, TargetValues::Counts);
        let seen = prediction.shallow_clone().set_requires_grad(true);
        let found = whole.per_cell(&target.of_measured(seen.shallow_clone()).unwrap(), &target).unwrap();
        let narrowed = Target::new(Features::Dense(counts.index_select(1, &measured)));
        let expected = few.per_cell(&prediction.index_select(1, &measured), &narrowed).unwrap();
        let difference = (&found * 5.0 - expected * 3.0).abs().max().double_value(&[]);
        assert!(difference < 1e-4, "{spec:?}: {difference}");
        found.sum(Kind::Float).backward();
        let gradient = seen.grad().index_select(1, &Tensor::from_slice(&lacking));
        assert_eq!(gradient.abs().max().double_value(&[]), 0.0);
        assert!(seen.grad().abs().max().double_value(&[]) > 0.0);
    }
}
