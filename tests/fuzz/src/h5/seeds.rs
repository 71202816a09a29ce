//! Sound files: those that Python and scPortrait wrote for the tests of the readers, and what 10x Genomics writes.

use std::sync::LazyLock;

use anndata::{Categorical, Column, Csr, Dense, Frame, NewAnnData, NewMuData, write_new_h5ad, write_new_h5mu};
use hdf5::types::FixedAscii;
use hdf5::{File, Group};
use hdf5_metno as hdf5;

use crate::Scratch;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../framework/anndata/tests/fixtures/", $name))
    };
}

/// Sound files and all paths in each.
pub static SEEDS: LazyLock<Vec<(Vec<u8>, Vec<String>)>> = LazyLock::new(|| {
    let fixtures: [&[u8]; 8] = [
        fixture!("csr.h5ad"),
        fixture!("matrices.h5ad"),
        fixture!("strings.h5ad"),
        fixture!("anndata_0_7.h5ad"),
        fixture!("odd.h5ad"),
        fixture!("two.h5mu"),
        fixture!("cells.h5sc"),
        fixture!("cells_old.h5"),
    ];
    let made = [tenx(true), tenx(false), ours(false), ours(true)];
    fixtures.into_iter().map(<[u8]>::to_vec).chain(made).map(|file| (file.clone(), paths(&file))).collect()
});

/// The sound file of a number, and all paths in it.
pub fn seed(number: u8) -> &'static (Vec<u8>, Vec<String>) {
    &SEEDS[usize::from(number) % SEEDS.len()]
}

/// A small file of our own writer: one modality, or two.
fn ours(is_mudata: bool) -> Vec<u8> {
    let names = |name: &str, n: usize| -> Vec<String> { (0..n).map(|place| format!("{name}{place}")).collect() };
    let counts =
        Csr { n_rows: 3, n_columns: 2, indptr: vec![0, 1, 1, 3], indices: vec![1, 0, 1], values: vec![1.0, 2.0, 3.0] };
    let mut obs = Frame::new(names("cell", 3));
    let stages = [Some("late".to_owned()), None, Some("early".to_owned())];
    obs.insert("stage", Column::Categorical(Categorical::from_labels(&stages))).unwrap();
    obs.insert("n", Column::Int(vec![Some(1), None, Some(3)])).unwrap();
    let mut new = NewAnnData::new(obs.clone(), Frame::new(names("gene", 2)), counts);
    new.obsm.insert("X_pca".to_owned(), Dense::zeros(3, 2));
    new.uns.insert("tool".to_owned(), [("text", "hello")].into_iter().collect());
    let scratch = Scratch::new();
    let path = scratch.folder().join("ours");
    if is_mudata {
        let obs = Frame::new(obs.index().to_vec());
        let modalities = [("rna", new.clone()), ("protein", new)].map(|(name, new)| (name.to_owned(), new));
        let mudata = NewMuData { modalities: modalities.into_iter().collect(), obs, ..NewMuData::default() };
        write_new_h5mu(&path, &mudata).unwrap();
    } else {
        write_new_h5ad(&path, &new).unwrap();
    }
    std::fs::read(path).unwrap()
}

/// A matrix of Cell Ranger 3, or of Cell Ranger 2.
fn tenx(is_new: bool) -> Vec<u8> {
    let scratch = Scratch::new();
    let path = scratch.folder().join("tenx.h5");
    // the file is whole when the last of its groups is closed
    write_tenx(&File::create(&path).unwrap(), is_new);
    std::fs::read(path).unwrap()
}

fn write_tenx(file: &File, is_new: bool) {
    let group = file.create_group(if is_new { "matrix" } else { "GRCh38" }).unwrap();
    texts(&group, "barcodes", &["AAAC-1", "AAAG-1", "AAAT-1", "AACA-1"]);
    group.new_dataset_builder().with_data(&[1i32, 2, 3, 4, 5]).create("data").unwrap();
    group.new_dataset_builder().with_data(&[0i64, 2, 1, 0, 2]).create("indices").unwrap();
    group.new_dataset_builder().with_data(&[0i64, 2, 2, 3, 5]).create("indptr").unwrap();
    group.new_dataset_builder().with_data(&[3i32, 4]).create("shape").unwrap();
    if is_new {
        let features = group.create_group("features").unwrap();
        texts(&features, "id", &["ENSG1", "ENSG2", "CD3"]);
        texts(&features, "name", &["CD3E", "CD3E", "CD3_TotalC"]);
        texts(&features, "feature_type", &["Gene Expression", "Gene Expression", "Antibody Capture"]);
        texts(&features, "genome", &["GRCh38", "GRCh38", ""]);
    } else {
        texts(&group, "genes", &["ENSG1", "ENSG2", "CD3"]);
        texts(&group, "gene_names", &["CD3E", "CD3E", "CD3_TotalC"]);
    }
}

fn texts(group: &Group, name: &str, values: &[&str]) {
    let values: Vec<FixedAscii<32>> = values.iter().map(|value| FixedAscii::from_ascii(value).unwrap()).collect();
    group.new_dataset_builder().with_data(&values).create(name).unwrap();
}

fn paths(file: &[u8]) -> Vec<String> {
    let scratch = Scratch::new();
    let file = File::open(scratch.file("sound.h5", file)).unwrap();
    let mut found = Vec::new();
    list(&file, &mut found);
    found
}

fn list(group: &Group, found: &mut Vec<String>) {
    for name in group.member_names().unwrap() {
        found.push(format!("{}/{name}", group.name().trim_end_matches('/')));
        if let Ok(child) = group.group(&name) {
            list(&child, found);
        }
    }
}
