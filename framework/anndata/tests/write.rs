//! Whole new files, read again by this crate and by Python.

mod support;

use anndata::{
    Categorical, Column, Csr, Dense, File, Frame, Layer, Matrix, NewAnnData, NewMuData, UnsTree, write_new_h5ad,
    write_new_h5mu,
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use support::{counts, message, names, python};

/// A program that is being started holds the lock of every file that is open, so none may be while Python is started.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn texts(texts: [Option<&str>; 6]) -> Vec<Option<String>> {
    texts.map(|text| text.map(str::to_owned)).to_vec()
}

fn obs() -> Frame {
    let mut obs = Frame::new(names("cell", 6));
    let categories = ["T", "B", "none"].map(str::to_owned).to_vec();
    let codes = vec![Some(0), Some(1), None, Some(0), Some(0), Some(1)];
    let columns = [
        ("type", Column::Categorical(Categorical { codes, categories, ordered: true })),
        ("note", Column::Text(texts([Some("a"), Some("ä"), Some(""), Some("d"), Some("e"), Some("f")]))),
        ("gap", Column::Text(texts([Some("a"), None, Some("c"), Some("d"), Some("e"), Some("f")]))),
        ("score", Column::Float(vec![0.5, -1.0, 2.0, 3.0, 4.0, 1e300])),
        ("n", Column::Int((0..6).map(Some).collect())),
        ("n_gap", Column::Int(vec![None, Some(i64::MIN), Some(2), Some(3), Some(4), Some(5)])),
        ("kept", Column::Bool(vec![Some(true); 6])),
        ("kept_gap", Column::Bool(vec![Some(true), None, Some(false), None, None, None])),
    ];
    for (name, column) in columns {
        obs.insert(name, column).unwrap();
    }
    obs
}

fn anndata() -> NewAnnData {
    let mut data = NewAnnData::new(obs(), Frame::new(names("gene", 5)), counts(6, 5));
    let mut twice = counts(6, 5).dense_rows(&[0, 1, 2, 3, 4, 5]).unwrap();
    twice.values.iter_mut().for_each(|value| *value *= 2.0);
    data.layers.insert("twice".to_owned(), Matrix::Dense(twice));
    let latent = Dense::new(6, 2, (0u8..12).map(f32::from).collect()).unwrap();
    data.obsm.insert("X_apollo".to_owned(), latent);
    let build = UnsTree::from_iter([("version", "1")]);
    let entry = UnsTree::from_iter([("spec", UnsTree::from("kind = 'apollo'")), ("build", build)]);
    data.uns.insert("cithara".to_owned(), entry);
    data
}

#[test]
fn a_new_h5ad_is_read_back_as_it_was() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.h5ad");
    let written = anndata();
    write_new_h5ad(&path, &written).unwrap();
    let file = File::open(&path).unwrap();
    let read = file.modality("").unwrap();
    assert_eq!((read.obs(), read.var()), (&written.obs, &written.var));
    assert_eq!(Matrix::Sparse(read.matrix(&Layer::X).unwrap()), written.x);
    assert_eq!(read.obsm("X_apollo").unwrap(), written.obsm["X_apollo"]);
    assert_eq!(read.uns_text("cithara/build/version").as_deref(), Some("1"));
    let twice = read.matrix(&Layer::parse("twice")).unwrap();
    assert_eq!(twice.column_sums(), counts(6, 5).column_sums().iter().map(|v| v * 2.0).collect::<Vec<_>>());
    python::check("new_h5ad", &[path.as_os_str()]);
}

fn mudata() -> NewMuData {
    let cells = ["cell5", "cell6", "cell0", "cell1"].map(str::to_owned).to_vec();
    let values = counts(4, 3).dense_rows(&[0, 1, 2, 3]).unwrap();
    let protein = NewAnnData::new(Frame::new(cells), Frame::new(names("protein", 3)), values);
    let mut data = NewMuData { obs: Frame::new(names("cell", 7)), ..NewMuData::default() };
    data.modalities.insert("rna".to_owned(), anndata());
    data.modalities.insert("protein".to_owned(), protein);
    let batch = (0..7).map(|cell| Some(["a", "b"][cell % 2].to_owned())).collect();
    data.obs.insert("batch", Column::Text(batch)).unwrap();
    data.obsm.insert("X_apollo_shared".to_owned(), Dense::new(7, 2, vec![1.0; 14]).unwrap());
    data.uns.insert("cithara".to_owned(), "text".into());
    data
}

#[test]
fn a_new_h5mu_is_read_back_as_it_was() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.h5mu");
    let written = mudata();
    write_new_h5mu(&path, &written).unwrap();
    assert!(std::fs::read(&path).unwrap().starts_with(b"MuData (format-version=0.1.0;creator=cithara"));
    let file = File::open(&path).unwrap();
    assert_eq!(file.obs(), &written.obs);
    assert_eq!(file.modalities().unwrap(), ["rna", "protein"]);
    let protein = file.modality("protein").unwrap();
    assert_eq!(protein.matrix(&Layer::X).unwrap(), counts(4, 3));
    assert_eq!(file.modality("rna").unwrap().obs(), &obs());
    assert_eq!(file.uns_text("cithara").as_deref(), Some("text"));
    python::check("new_h5mu", &[path.as_os_str()]);
}

#[test]
fn empty_files_are_files_too() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.h5ad");
    let empty = NewAnnData::new(Frame::new(Vec::new()), Frame::new(names("gene", 2)), Csr::zeros(0, 2));
    write_new_h5ad(&path, &empty).unwrap();
    let read = File::open(&path).unwrap().modality("").unwrap();
    assert_eq!(read.matrix(&Layer::X).unwrap(), Csr::zeros(0, 2));
}

#[test]
fn data_that_does_not_fit_together_is_refused_and_leaves_no_file() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.h5mu");
    let refused = |change: &dyn Fn(&mut NewMuData)| {
        let mut data = mudata();
        change(&mut data);
        let message = message(write_new_h5mu(&path, &data));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something was left behind");
        message
    };
    let shape = refused(&|data| data.modalities[0].x = counts(6, 4).into());
    assert!(shape.contains("modality `rna`: the matrix `X` has shape [6, 4], but there are 6 cells and 5 features"));
    let fewer = refused(&|data| {
        data.obs = Frame::new(names("cell", 6));
        data.obsm.clear();
    });
    assert!(fewer.contains("cell `cell6` of modality `protein` is not a row"), "{fewer}");
    assert!(refused(&|data| data.modalities[1].obs = Frame::new(names("cell", 4))).contains("is in no modality"));
    assert!(refused(&|data| data.modalities[1].obs = Frame::new(vec!["cell6".into(); 4])).contains("two cells called"));
    let zero = refused(&|data| {
        data.uns.insert("a".into(), "x\0".into());
    });
    assert!(zero.contains("zero byte"), "{zero}");
    let slash = refused(&|data| {
        data.uns.insert("a/b".into(), "x".into());
    });
    assert!(slash.contains("`a/b` cannot be a name inside a file"), "{slash}");
}
