//! Files whose structure nobody writes: an error that says where, and no memory for what is not there.

mod support;

use anndata::{Categorical, Column, Csr, Dense, File, Frame, Layer, NewAnnData, read_tenx_h5, write_new_h5ad};
use hdf5::{Group, SimpleExtents};
use hdf5_metno as hdf5;
use support::{fixture, message, names};
use tempfile::TempDir;

/// A sound file in which something was changed.
fn changed(change: impl Fn(&Group)) -> (TempDir, File) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.h5ad");
    let mut obs = Frame::new(names("cell", 3));
    let stages = ["late", "early", "late"].map(|stage| Some(stage.to_owned()));
    obs.insert("stage", Column::Categorical(Categorical::from_labels(&stages))).unwrap();
    let x = Csr::from_dense(&Dense::new(3, 2, vec![1.0, 0.0, 0.0, 2.0, 3.0, 0.0]).unwrap()).unwrap();
    let mut new = NewAnnData::new(obs, Frame::new(names("gene", 2)), x);
    new.obsm.insert("X_pca".to_owned(), Dense::zeros(3, 2));
    write_new_h5ad(&path, &new).unwrap();
    change(&hdf5::File::open_rw(&path).unwrap());
    let file = File::open(&path).unwrap();
    (folder, file)
}

/// An array of that shape, of which nothing is written.
fn declare(group: &Group, path: &str, shape: &[usize]) {
    let _ = group.unlink(path);
    let ones = vec![1; shape.len()];
    let builder = group.new_dataset::<i32>().shape(SimpleExtents::resizable(ones.clone())).chunk(ones);
    builder.create(path).unwrap().resize(shape).unwrap();
}

#[test]
fn arrays_that_say_more_than_their_file_holds_are_refused_before_memory_is_asked_for() {
    for shape in [vec![1 << 40], vec![1 << 40, 1 << 40], vec![1 << 62, 4, 0]] {
        let (_folder, file) = changed(|root| {
            for path in ["X/indices", "obsm/X_pca", "obs/n"] {
                declare(root, path, &shape);
            }
        });
        let modality = file.modality("").unwrap();
        let told = [message(modality.matrix(&Layer::X)), message(modality.obsm("X_pca"))];
        assert!(told.iter().all(|told| told.contains("the file is damaged") && told.contains("1")), "{told:?}");
        assert_eq!(file.obs().column_names(), ["stage"]);
    }
    let (_folder, file) = changed(|root| declare(root, "obs/stage/codes", &[1 << 40]));
    let Column::Skipped { encoding } = file.obs().column("stage").unwrap() else { panic!("it was read") };
    assert!(
        encoding.contains("is said to have the shape [1099511627776], but the file holds 0 bytes of it"),
        "{encoding}"
    );
}

#[test]
fn long_arrays_that_compress_well_are_read() {
    let (_folder, file) = changed(|root| {
        root.unlink("obsm/X_pca").unwrap();
        let zeros = ndarray::Array2::<f64>::zeros((3, 1 << 20));
        root.new_dataset_builder().deflate(9).with_data(&zeros).create("obsm/X_pca").unwrap();
    });
    let array = file.obsm("X_pca").unwrap();
    assert_eq!((array.n_rows, array.n_columns), (3, 1 << 20));
}

#[test]
fn values_of_one_place_that_are_too_large_together_are_told() {
    let replace = |root: &Group, path: &str, values: &[f32]| {
        root.unlink(path).unwrap();
        root.new_dataset_builder().with_data(values).create(path).unwrap();
    };
    let (_folder, file) = changed(|root| {
        root.dataset("X/indptr").unwrap().write_raw(&[0i32, 1, 3, 3]).unwrap();
        root.dataset("X/indices").unwrap().write_raw(&[0i32, 1, 1]).unwrap();
        replace(root, "X/data", &[1.0, 3e38, 3e38]);
    });
    let modality = file.modality("").unwrap();
    for told in [message(modality.matrix(&Layer::X)), message(modality.matrix_rows(&Layer::X, 1..2))] {
        assert!(told.contains("holds inf (cell `cell1`, feature `gene1`)"), "{told}");
    }
    assert_eq!(modality.matrix_rows(&Layer::X, 0..1).unwrap().values, [1.0]);
}

#[test]
fn categories_that_are_their_own_categories_end() {
    let (_folder, file) = changed(|root| {
        root.unlink("obs/stage/categories").unwrap();
        root.link_hard("/obs/stage", "obs/stage/categories").unwrap();
    });
    let encoding = "categorical of categorical".to_owned();
    assert_eq!(file.obs().column("stage").unwrap(), &Column::Skipped { encoding });
}

#[test]
fn a_tenx_matrix_of_endless_shape_is_refused() {
    let (folder, _file) = changed(|root| {
        let group = root.create_group("matrix").unwrap();
        declare(&group, "barcodes", &[1 << 33, 1 << 33]);
    });
    let told = message(read_tenx_h5(folder.path().join("cells.h5ad")));
    assert!(told.contains("`/matrix/barcodes`") && told.contains("the file is damaged"), "{told}");
}

#[test]
fn bytes_that_are_no_name_or_no_truth_become_one() {
    let file = File::open(fixture("odd.h5ad")).unwrap();
    assert_eq!(file.obs().column_names(), ["caf\u{fffd}", "flag"]);
    assert!(matches!(file.obs().column("caf\u{fffd}").unwrap(), Column::Skipped { .. }));
    let truths = [Some(false), Some(true), Some(true)];
    assert_eq!(file.obs().column("flag").unwrap(), &Column::Bool(truths.to_vec()));
    assert_eq!(file.obs().labels("flag").unwrap()[1].as_deref(), Some("true"));
    let x = file.modality("").unwrap().matrix(&Layer::X).unwrap();
    assert_eq!(
        x,
        Csr { n_rows: 3, n_columns: 1, indptr: vec![0, 0, 1, 2], indices: vec![0, 0], values: vec![1.0, 1.0] }
    );
}
