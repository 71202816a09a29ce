//! The `.h5` matrices of 10x Genomics, versions 2 and 3.

use std::path::{Path, PathBuf};

use anndata::{File, Layer, Matrix, NewMuData, read_tenx_h5, write_new_h5ad, write_new_h5mu};
use hdf5::Group;
use hdf5::types::FixedAscii;
use hdf5_metno as hdf5;
use tempfile::TempDir;

use crate::files::{assert_two_modalities, matrix, texts};
use crate::support::message;

fn write_texts(group: &Group, name: &str, values: &[&str]) {
    let values: Vec<FixedAscii<32>> = values.iter().map(|value| FixedAscii::from_ascii(value).unwrap()).collect();
    group.new_dataset_builder().with_data(&values).create(name).unwrap();
}

/// Arrays as Cell Ranger writes them: 32-bit counts, 64-bit places.
fn write_arrays(group: &Group, shape: [i32; 2]) {
    write_texts(group, "barcodes", &["AAAC-1", "AAAG-1", "AAAT-1", "AACA-1"]);
    group.new_dataset_builder().with_data(&[1i32, 2, 3, 4, 5]).create("data").unwrap();
    group.new_dataset_builder().with_data(&[0i64, 2, 1, 0, 2]).create("indices").unwrap();
    group.new_dataset_builder().with_data(&[0i64, 2, 2, 3, 5]).create("indptr").unwrap();
    group.new_dataset_builder().with_data(&shape).create("shape").unwrap();
}

pub fn version_3(folder: &Path) -> PathBuf {
    let path = folder.join("filtered_feature_bc_matrix.h5");
    let file = hdf5::File::create(&path).unwrap();
    let group = file.create_group("matrix").unwrap();
    write_arrays(&group, [3, 4]);
    let features = group.create_group("features").unwrap();
    write_texts(&features, "id", &["ENSG1", "ENSG2", "CD3"]);
    write_texts(&features, "name", &["CD3E", "CD3E", "CD3_TotalC"]);
    write_texts(&features, "feature_type", &["Gene Expression", "Gene Expression", "Antibody Capture"]);
    write_texts(&features, "genome", &["GRCh38", "GRCh38", ""]);
    write_texts(&features, "_all_tag_keys", &["genome"]);
    file.close().unwrap();
    path
}

fn version_2(folder: &Path, genomes: &[&str]) -> PathBuf {
    let path = folder.join("filtered_gene_bc_matrices_h5.h5");
    let file = hdf5::File::create(&path).unwrap();
    for genome in genomes {
        let group = file.create_group(genome).unwrap();
        write_arrays(&group, [3, 4]);
        write_texts(&group, "genes", &["ENSG1", "ENSG2", "ENSG3"]);
        write_texts(&group, "gene_names", &["CD3E", "CD3E", "CD4"]);
    }
    file.close().unwrap();
    path
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn version_3_gives_a_modality_for_each_feature_type_and_can_be_written() {
    let folder = folder();
    let found = read_tenx_h5(version_3(folder.path())).unwrap();
    assert_two_modalities(&found);
    assert_eq!(texts(&found[0].1.var, "genome"), ["GRCh38"; 2]);
    let obs = found[0].1.obs.clone();
    let written = NewMuData { modalities: found.into_iter().collect(), obs, ..NewMuData::default() };
    let path = folder.path().join("new.h5mu");
    write_new_h5mu(&path, &written).unwrap();
    let protein = File::open(&path).unwrap().modality("protein").unwrap();
    assert_eq!(Matrix::Sparse(protein.matrix(&Layer::X).unwrap()), matrix(&[2]));
}

#[test]
fn version_2_gives_genes_of_one_genome_or_a_modality_for_each() {
    let folder = folder();
    let one = read_tenx_h5(version_2(folder.path(), &["GRCh38"])).unwrap();
    assert_eq!(one[0].0, "rna");
    assert_eq!(one[0].1.var.index(), ["CD3E", "CD3E-1", "CD4"]);
    assert_eq!(texts(&one[0].1.var, "genome"), ["GRCh38"; 3]);
    assert_eq!(one[0].1.x, matrix(&[0, 1, 2]));
    let two = read_tenx_h5(version_2(folder.path(), &["hg19", "mm10"])).unwrap();
    assert_eq!(two.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["rna_hg19", "rna_mm10"]);
}

/// What is said after something in a sound file was changed.
fn refused(change: impl Fn(&Group)) -> String {
    let folder = folder();
    let path = version_3(folder.path());
    let file = hdf5::File::open_rw(&path).unwrap();
    change(&file.group("matrix").unwrap());
    file.close().unwrap();
    message(read_tenx_h5(path))
}

fn replace<T: hdf5::H5Type>(group: &Group, name: &str, values: &[T]) {
    group.unlink(name).unwrap();
    group.new_dataset_builder().with_data(values).create(name).unwrap();
}

#[test]
fn damaged_files_are_refused_by_what_is_damaged() {
    let shape = refused(|group| replace(group, "shape", &[4i32, 3]));
    assert!(shape.contains("[4, 3], but there are 3 features and 4 barcodes"), "{shape}");
    let negative = refused(|group| replace(group, "indices", &[0i64, 2, -1, 0, 2]));
    assert!(negative.contains("holds -1, expected 0 to 2"), "{negative}");
    let outside = refused(|group| replace(group, "indices", &[0i64, 2, 3, 0, 2]));
    assert!(outside.contains("holds 3, expected 0 to 2"), "{outside}");
    let starts = refused(|group| replace(group, "indptr", &[0i64, 2, 1, 3, 5]));
    assert!(starts.contains("expected 5 entries that never decrease"), "{starts}");
    let value = refused(|group| replace(group, "data", &[1.0f64, 2.0, f64::NAN, 4.0, 5.0]));
    assert!(value.contains("holds NaN (cell `AAAT-1`, feature `CD3E`)"), "{value}");
    let absent = refused(|group| group.unlink("barcodes").unwrap());
    assert!(absent.contains("no array `barcodes`"), "{absent}");
    let length = refused(|group| replace(&group.group("features").unwrap(), "feature_type", &[0u8; 2]));
    assert!(length.contains("not text"), "{length}");
    let twice = refused(|group| {
        group.unlink("barcodes").unwrap();
        write_texts(group, "barcodes", &["a", "b", "c", "a"]);
    });
    assert!(twice.contains("cells 1 and 4 are both called `a`"), "{twice}");
}

#[test]
fn files_of_other_kinds_are_refused_with_what_was_expected() {
    let folder = folder();
    assert!(message(read_tenx_h5(folder.path().join("none.h5"))).starts_with("no file"));
    let path = folder.path().join("other.h5");
    hdf5::File::create(&path).unwrap().close().unwrap();
    assert!(message(read_tenx_h5(&path)).contains("is not a 10x matrix"));
    let mut found = read_tenx_h5(version_3(folder.path())).unwrap();
    write_new_h5ad(&path, &found.remove(0).1).unwrap();
    assert!(message(read_tenx_h5(&path)).contains("already an .h5ad"));
}
