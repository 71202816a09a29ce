//! Real files, where they are: `$CITHARA_TEST_DATA`, or `../shared/data` beside the repository.

mod support;

use std::path::{Path, PathBuf};

use anndata::{File, Layer};

/// A file of the real data, or none, said plainly.
fn find(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("CITHARA_TEST_DATA").map_or(beside, PathBuf::from);
    let path = folder.join(name);
    if !path.is_file() {
        support::python::say_skipped(&format!(
            "no `{}`; set CITHARA_TEST_DATA to the folder with the real data",
            path.display()
        ));
        return None;
    }
    Some(path)
}

/// Checks names and shapes of all modalities, that no matrix has stored zeros, and gives back the file.
fn check(name: &str, expected: &[(&str, usize, usize)]) -> Option<File> {
    let file = File::open(find(name)?).unwrap();
    let modalities: Vec<String> = expected.iter().map(|(modality, ..)| (*modality).to_owned()).collect();
    assert_eq!(file.modalities().unwrap(), modalities);
    for (modality, n_cells, n_features) in expected {
        let data = file.modality(modality).unwrap();
        let matrix = data.matrix(&Layer::X).unwrap();
        matrix.validate().unwrap();
        assert_eq!((matrix.n_rows, matrix.n_columns), (*n_cells, *n_features), "{name} {modality}");
        assert_eq!((data.cells().len(), data.features().len()), (*n_cells, *n_features));
        assert!(matrix.values.iter().all(|value| *value != 0.0), "{name} {modality}: stored zeros");
    }
    Some(file)
}

fn n_classes(file: &File, column: &str) -> usize {
    let mut labels = file.obs().labels(column).unwrap();
    labels.sort();
    labels.dedup();
    labels.len()
}

#[test]
fn pbmc10k_cite() {
    let Some(file) = check("pbmc10k_cite.h5mu", &[("rna", 6855, 4000), ("protein", 6855, 14)]) else {
        return;
    };
    assert_eq!(n_classes(&file, "cell_type"), 8);
}

#[test]
fn mop_snare() {
    let Some(file) = check("mop_snare.h5mu", &[("rna", 10309, 1677), ("atac", 10309, 25734)]) else {
        return;
    };
    assert_eq!((n_classes(&file, "cell_type"), n_classes(&file, "batch")), (15, 12));
}

#[test]
fn snare_h1_control() {
    check("snare_h1_control.h5mu", &[("rna", 385, 8595), ("atac", 385, 36954)]);
}

#[test]
fn pbmc_mosaic() {
    let Some(file) = check("pbmc_mosaic.h5mu", &[("rna", 1200, 500), ("adt", 1200, 224)]) else {
        return;
    };
    assert_eq!((file.cells().len(), n_classes(&file, "batch"), n_classes(&file, "celltype")), (1600, 4, 8));
}

#[test]
fn transcriptome() {
    let Some(file) = check("pbmc10k_fragments/transcriptome.h5ad", &[("", 10291, 50)]) else {
        return;
    };
    assert_eq!(n_classes(&file, "celltype"), 13);
}
