//! The loss against numbers of scipy, and the values against ones worked out by hand.

use electrophysiology as _;
use framework::anndata::{Csr, Dense, Frame, NewAnnData, write_new_h5ad};
use framework::component::{AnySpec, declared};
use framework::tch::nn::VarStore;
use framework::tch::{Device, Tensor, no_grad};
use framework::testing::{close, small_h5ad};
use framework::{FeatureShape, Features, Holding, LossContext, ModalitySpec, Source, Statistics, Target, TargetValues};
use std::path::Path;

fn spec(name: &str, table: &str) -> AnySpec {
    let info = declared().find(|info| info.name == name).unwrap();
    (info.parse)(table.parse().unwrap()).unwrap()
}

/// scipy 1.17.1: `-(stats.t.logpdf(e, df=4, scale=s) - stats.t.logpdf(0, df=4))` with the scales s of 0.5 and 2.
#[test]
fn the_likelihood_is_scipys() {
    let AnySpec::Loss(spec) = spec("student_t", "") else { panic!("a loss") };
    let store = VarStore::new(Device::Cpu);
    let (training, all) = (Statistics::default(), Statistics::default());
    let loss = spec.build(&LossContext { vars: store.root(), output: FeatureShape::Vector(2), training, all }).unwrap();
    let log_scale = store.variables().remove("log_scale").unwrap();
    no_grad(|| log_scale.shallow_clone().copy_(&Tensor::from_slice(&[0.5f64.ln(), 2f64.ln()])));
    let rows = |values: [f32; 4]| Tensor::from_slice(&values).view([2, 2]);
    let target = Target::new(Features::Dense(rows([1.0, -1.0, 0.0, 3.0])));
    let found = loss.per_cell(&rows([1.5, 4.0, -20.0, 3.0]), &target).unwrap();
    let expected = [[-0.135288302274, 3.045605541721], [14.291756387706, std::f64::consts::LN_2]]
        .map(|row: [f64; 2]| (row[0] + row[1]) / 2.0);
    close(&found, &Tensor::from_slice(&expected), 1e-6);
}

fn opened(path: &Path, training: &[usize]) -> Box<dyn framework::Modality> {
    let AnySpec::Modality(spec) = spec("electrophysiology", "") else { panic!("a modality") };
    let mut modality = open(spec.as_ref(), path);
    modality.prepare(training).unwrap();
    modality
}

fn open(spec: &dyn ModalitySpec, path: &Path) -> Box<dyn framework::Modality> {
    spec.open(&Source { name: "it", path, key: None, table: None, holding: Holding::default() }, Vec::new()).unwrap()
}

#[test]
fn values_are_standardised_by_the_training_cells_zeros_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.h5ad");
    let table = Dense::new(3, 3, vec![0.0, 5.0, 1.0, 4.0, 5.0, 3.0, 2.0, 7.0, 0.0]).unwrap();
    small_h5ad(&path, &Csr::from_dense(&table).unwrap(), &[]).unwrap();
    let modality = opened(&path, &[0, 1]);
    let found = modality.gather(&[0, 1, 2], TargetValues::Processed).unwrap().input.to_dense();
    // means 2, 5, 2; standard deviations 2, 0, 1
    close(&found.view(-1), &Tensor::from_slice(&[-1.0, 0.0, -1.0, 1.0, 0.0, 1.0, 0.0, 0.0, -2.0]), 1e-6);
}

#[test]
fn a_property_that_new_data_lack_counts_as_the_mean() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, n_columns: usize, values: &[f32]| {
        let path = folder.path().join(name);
        let table = Dense::new(2, n_columns, values.to_vec()).unwrap();
        small_h5ad(&path, &Csr::from_dense(&table).unwrap(), &[]).unwrap();
        path
    };
    let trained = opened(&write("two.h5ad", 2, &[0.0, 3.0, 4.0, 5.0]), &[0, 1]);
    let AnySpec::Modality(spec) = spec("electrophysiology", "") else { panic!("a modality") };
    let mut new = open(spec.as_ref(), &write("one.h5ad", 1, &[0.0, 6.0]));
    assert_eq!(new.restore(&trained.state()).unwrap().missing, ["f1"]);
    let found = new.gather(&[0, 1], TargetValues::Processed).unwrap().input.to_dense();
    close(&found.view(-1), &Tensor::from_slice(&[-1.0, 0.0, 2.0, 0.0]), 1e-6);
}

#[test]
fn what_was_not_measured_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.h5ad");
    let names = |names: [&str; 2]| Frame::new(names.map(str::to_owned).to_vec());
    let table = Dense::new(2, 2, vec![1.0, 2.0, 3.0, f32::NAN]).unwrap();
    let file = NewAnnData::new(names(["c0", "c1"]), names(["width", "rheobase"]), table);
    write_new_h5ad(&path, &file).unwrap();
    let AnySpec::Modality(spec) = spec("electrophysiology", "") else { panic!("a modality") };
    let error = spec
        .open(&Source { name: "it", path: &path, key: None, table: None, holding: Holding::default() }, Vec::new())
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("`c1`") && error.contains("`rheobase`") && error.contains("NaN"), "{error}");
}
