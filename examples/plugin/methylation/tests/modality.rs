//! What the modality makes of a file small enough to work out by hand.

use framework::anndata::{Csr, Dense, Frame, NewAnnData, write_new_h5ad};
use framework::anyhow::Result;
use framework::component::{AnySpec, declared};
use framework::tch::Tensor;
use framework::testing::close;
use framework::{Alignment, Features, Holding, Modality, Source, Step, TargetValues};
use methylation as _;
use std::path::{Path, PathBuf};

/// 3 cells × 3 regions; nothing covers the last of the second and all of the third.
const METHYLATED: [f32; 9] = [3.0, 0.0, 1.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0];
const TOTAL: [f32; 9] = [4.0, 2.0, 1.0, 1.0, 6.0, 0.0, 0.0, 0.0, 0.0];

fn names(names: &[&str]) -> Frame {
    Frame::new(names.iter().map(|name| (*name).to_owned()).collect())
}

fn write(folder: &Path, regions: &[&str], layers: [(&str, &[f32]); 2]) -> PathBuf {
    let path = folder.join(format!("{}.h5ad", regions.join("_")));
    let matrix = |values: &[f32]| Csr::from_dense(&Dense::new(3, regions.len(), values.to_vec()).unwrap()).unwrap();
    let mut file = NewAnnData::new(names(&["a", "b", "c"]), names(regions), Csr::zeros(3, regions.len()));
    file.layers = layers.map(|(name, values)| (name.to_owned(), matrix(values).into())).into_iter().collect();
    write_new_h5ad(&path, &file).unwrap();
    path
}

fn usual(folder: &Path) -> PathBuf {
    write(folder, &["r0", "r1", "r2"], [("methylated", &METHYLATED), ("total", &TOTAL)])
}

fn open(path: &Path, table: &str, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
    let info = declared().find(|info| info.name == "methylation").unwrap();
    let Ok(AnySpec::Modality(spec)) = (info.parse)(table.parse().unwrap()) else { panic!("`{table}` reads") };
    spec.open(&Source { name: "methylation", path, key: None, table: None, holding: Holding::default() }, steps)
}

fn is(features: &Features, expected: &[f64]) {
    close(&features.to_dense().view(-1), &Tensor::from_slice(expected), 1e-6);
}

#[test]
fn shares_are_shrunken_and_centred_by_the_training_cells() {
    let folder = tempfile::tempdir().unwrap();
    let mut modality = open(&usual(folder.path()), "prior_reads = 2.0", Vec::new()).unwrap();
    modality.prepare(&[0]).unwrap();
    // of cell a 4 of 7 reads are methylated, which weighs as two reads of each region
    let share = 4.0 / 7.0;
    let means = [(3.0 + 2.0 * share) / 6.0, 2.0 * share / 4.0, (1.0 + 2.0 * share) / 3.0];
    let of = |m: f64, t: f64, region: usize| (m - means[region] * t) / (t + 2.0);
    let gathered = modality.gather(&[1, 0, 2], TargetValues::Trials).unwrap();
    let expected =
        [of(1.0, 1.0, 0), of(2.0, 6.0, 1), 0.0, of(3.0, 4.0, 0), of(0.0, 2.0, 1), of(1.0, 1.0, 2), 0.0, 0.0, 0.0];
    is(&gathered.input, &expected);
    is(&gathered.target, &[1.0, 2.0, 0.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    is(&gathered.trials.unwrap(), &[1.0, 6.0, 0.0, 4.0, 2.0, 1.0, 0.0, 0.0, 0.0]);
    is(&modality.gather(&[1, 0, 2], TargetValues::Processed).unwrap().target, &expected);
    modality.keep_cells(&[1]).unwrap();
    is(&modality.gather(&[0], TargetValues::Processed).unwrap().input, &expected[..3]);
}

#[test]
fn new_data_meet_the_regions_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut trained = open(&usual(folder.path()), "", Vec::new()).unwrap();
    trained.prepare(&[0, 1]).unwrap();
    let two = [("methylated", [0.0, 3.0, 0.0, 1.0, 0.0, 0.0].as_slice()), ("total", &[5.0, 4.0, 0.0, 1.0, 0.0, 0.0])];
    let mut new = open(&write(folder.path(), &["other", "r0"], two), "", Vec::new()).unwrap();
    let alignment = new.restore(&trained.state()).unwrap();
    let missing = vec!["r1".to_owned(), "r2".to_owned()];
    assert_eq!(alignment, Alignment { n_found: 1, missing, n_unknown: 1 });
    assert_eq!(new.features(), trained.features());
    let gathered = new.gather(&[0], TargetValues::Trials).unwrap();
    is(&gathered.trials.unwrap(), &[4.0, 0.0, 0.0]);
    // the same reads of the same region as cell a of the training data
    let of_a = trained.gather(&[0], TargetValues::Trials).unwrap().input.to_dense().double_value(&[0, 0]);
    is(&gathered.input, &[of_a, 0.0, 0.0]);
    assert_eq!(new.state(), trained.state());
}

#[test]
fn filtering_counts_covered_regions_methylated_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let table = "min_cells_per_feature = 2\nmin_features_per_cell = 2";
    let mut modality = open(&usual(folder.path()), table, Vec::new()).unwrap();
    assert_eq!(modality.filter_round(&[true; 3]).unwrap(), [true, true, false]);
    assert_eq!(modality.features(), ["r0", "r1"]);
    modality.keep_cells(&[0, 1]).unwrap();
    assert_eq!(modality.statistics(&[0, 1]).unwrap().raw_sum, 6.0);
    let error = open(&usual(folder.path()), "", Vec::new()).unwrap().filter_round(&[true; 3]).unwrap_err().to_string();
    assert_eq!(error, "no region is above 0 in at least 10 of 3 cells; lower `min_cells_per_feature`");
}

#[test]
fn files_that_hold_something_else_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let told = |path: &Path, table: &str| open(path, table, Vec::new()).err().unwrap().to_string();
    let usual = usual(folder.path());
    let error = told(&usual, "total = \"totals\"");
    assert!(error.contains("did you mean `layers/total`? available: X, layers/methylated, layers/total"), "{error}");
    let error = told(&usual, "methylated = \"total\"\ntotal = \"methylated\"");
    assert!(error.starts_with("cell `a`, region `r0` has 4 methylated of 3 reads; expected integers"), "{error}");
    let nothing = write(folder.path(), &["s0"], [("methylated", &[0.0; 3]), ("total", &[0.0; 3])]);
    let error = told(&nothing, "");
    assert!(error.starts_with("`total` of `") && error.ends_with("no cell covers any region"), "{error}");
}

#[test]
fn what_it_cannot_hand_out_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut modality = open(&usual(folder.path()), "", Vec::new()).unwrap();
    assert!(modality.gather(&[0], TargetValues::Trials).is_err(), "not prepared yet");
    let error = modality.prepare(&[2]).unwrap_err().to_string();
    assert_eq!(error, "none of the 1 training cells covers any region");
    modality.prepare(&[0, 1]).unwrap();
    for values in [TargetValues::Counts, TargetValues::Presence, TargetValues::UnitInterval] {
        let error = modality.check_target(values).unwrap_err().to_string();
        assert!(error.contains("choose a loss of successes among trials"), "{error}");
        assert!(modality.gather(&[0], values).is_err());
    }
}

#[test]
fn steps_are_refused() {
    struct Nothing;
    impl Step for Nothing {}
    let folder = tempfile::tempdir().unwrap();
    let error = open(&usual(folder.path()), "", vec![Box::new(Nothing)]).err().unwrap().to_string();
    assert!(error.starts_with("methylation takes no steps") && error.ends_with("help: leave `steps` out"), "{error}");
}

#[test]
fn one_layer_cannot_be_both() {
    let info = declared().find(|info| info.name == "methylation").unwrap();
    let problems = (info.parse)("total = \"layers/methylated\"".parse().unwrap()).unwrap().validate();
    assert!(problems.len() == 1 && problems[0].key == "total", "{problems:?}");
}
