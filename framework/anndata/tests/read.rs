//! Reading files that Python wrote (see `make_fixtures.py`).

mod support;

use anndata::{Annotated, Categorical, Column, File, Kind, Layer};
use support::{counts, fixture, message, names};

fn open(name: &str) -> Annotated {
    File::open(fixture(name)).unwrap().modality("").unwrap()
}

fn layer(name: &str) -> Layer {
    Layer::parse(name)
}

fn texts(texts: &[Option<&str>]) -> Vec<Option<String>> {
    texts.iter().map(|text| text.map(str::to_owned)).collect()
}

#[test]
fn every_kind_of_column_is_read() {
    let data = open("csr.h5ad");
    let obs = data.obs();
    assert_eq!(obs.column_names(), ["stage", "note", "score", "n", "kept", "small", "flag"]);
    let stage = Categorical {
        codes: vec![Some(2), Some(0), None, Some(2), Some(0), Some(2)],
        categories: ["early", "middle", "late"].map(str::to_owned).to_vec(),
        ordered: true,
    };
    assert_eq!(obs.get("stage"), Some(&Column::Categorical(stage)));
    let note = texts(&[Some("a"), Some("ä"), Some(""), Some("d"), Some("e"), Some("f")]);
    assert_eq!(obs.labels("note"), Some(note));
    let Some(Column::Float(score)) = obs.get("score") else { panic!("not float") };
    assert!(score[1].is_nan() && score[5] == 4.0);
    let n = [Some(1), None, Some(3), Some(4), Some(5), Some(6)];
    assert_eq!(obs.get("n"), Some(&Column::Int(n.to_vec())));
    let kept = [Some(true), Some(false), None, Some(true), Some(true), Some(true)];
    assert_eq!(obs.get("kept"), Some(&Column::Bool(kept.to_vec())));
    assert_eq!(obs.get("small"), Some(&Column::Int((0..6).map(Some).collect())));
    assert_eq!(obs.labels("flag").unwrap()[..2], texts(&[Some("true"), Some("false")]));
}

#[test]
fn sparse_matrices_layers_and_raw_are_read() {
    let data = open("csr.h5ad");
    assert_eq!((data.cells(), data.features()), (&names("cell", 6)[..], &names("gene", 5)[..]));
    assert_eq!(data.layers().unwrap(), [Layer::X, layer("counts"), Layer::Raw]);
    for known in [Layer::X, layer("layers/counts")] {
        assert_eq!(data.matrix(&known).unwrap(), counts(6, 5));
    }
    assert_eq!(data.matrix(&Layer::Raw).unwrap(), counts(6, 7));
    assert_eq!(data.raw_var().unwrap().index(), names("gene", 7));
    assert_eq!(data.uns_text("tool/text").as_deref(), Some("hello"));
    assert_eq!(data.uns_text("log1p/base"), None);
}

#[test]
fn any_type_of_number_and_any_encoding_gives_the_same_matrix() {
    let data = open("matrices.h5ad");
    for name in ["X", "half", "unsigned"] {
        assert_eq!(data.matrix(&layer(name)).unwrap(), counts(6, 5), "{name}");
    }
    let mut eighths = counts(6, 5);
    eighths.values.iter_mut().for_each(|value| *value /= 8.0);
    assert_eq!(data.matrix(&layer("double")).unwrap(), eighths);
    let mut truths = counts(6, 5);
    truths.values.fill(1.0);
    assert_eq!(data.matrix(&layer("truth")).unwrap(), truths);
}

#[test]
fn unsorted_duplicated_and_zero_entries_are_put_right() {
    let matrix = open("matrices.h5ad").matrix(&layer("messy")).unwrap();
    matrix.validate().unwrap();
    assert_eq!(matrix.row(0), (&[0, 1, 4][..], &[7.0, 5.0, 3.0][..]));
    assert_eq!(matrix.row(2), (&[3][..], &[9.0][..]));
    assert_eq!(matrix.n_stored(), 4);
}

#[test]
fn some_rows_are_the_rows_of_the_whole() {
    for (file, name) in [("csr.h5ad", "X"), ("csr.h5ad", "counts"), ("csr.h5ad", "raw"), ("matrices.h5ad", "half")] {
        let data = open(file);
        let whole = data.matrix(&layer(name)).unwrap();
        for (first, end) in [(0, 6), (2, 5), (3, 3), (5, 6)] {
            let rows: Vec<usize> = (first..end).collect();
            let part = data.matrix_rows(&layer(name), first..end).unwrap();
            assert_eq!(part, whole.select_rows(&rows).unwrap(), "{file} {name} {first}..{end}");
        }
        assert!(message(data.matrix_rows(&layer(name), 4..7)).contains("there are 6 cells"));
    }
}

#[test]
fn values_that_cannot_be_used_are_named_by_cell_and_feature() {
    let data = open("matrices.h5ad");
    let large = message(data.matrix(&layer("large")));
    assert!(large.contains("16777217 (cell `cell0`, feature `gene1`)"), "{large}");
    assert!(large.contains("`/layers/large` in `"), "{large}");
    let nan = message(data.matrix_rows(&layer("nan"), 2..4));
    assert!(nan.contains("NaN (cell `cell2`, feature `gene3`), expected finite numbers"), "{nan}");
}

#[test]
fn an_unknown_encoding_is_skipped_by_name() {
    let data = open("matrices.h5ad");
    let skipped = Column::Skipped { encoding: "of-the-future".to_owned() };
    assert_eq!(data.obs().get("strange"), Some(&skipped));
    assert_eq!(data.obs().labels("strange"), None);
}

#[test]
fn per_cell_arrays_and_tables_are_read() {
    let data = open("csr.h5ad");
    assert_eq!(data.obsm_names().unwrap(), ["X_pca", "proteins"]);
    let pca = data.obsm("X_pca").unwrap();
    assert_eq!((pca.n_rows, pca.n_columns, pca.row(2)), (6, 2, &[1.0, 1.25][..]));
    assert_eq!(data.obsm("proteins").unwrap().row(3), [3.0, 1.5]);
    assert!(message(data.obsm("X_pac")).contains("did you mean `X_pca`?"));
    assert!(message(open("zstd.h5ad").obsm("sparse")).contains("csr_matrix"));
}

#[test]
fn mudata_keeps_its_order_and_its_missing_cells() {
    let file = File::open(fixture("two.h5mu")).unwrap();
    assert_eq!((file.kind(), file.modalities().unwrap()), (Kind::H5mu, vec!["rna".into(), "protein".into()]));
    assert_eq!(file.cells(), names("cell", 7));
    assert_eq!(file.obs().labels("batch").unwrap()[..2], texts(&[Some("a"), Some("b")]));
    let protein = file.modality("protein").unwrap();
    assert_eq!(protein.cells(), ["cell5", "cell6", "cell0", "cell1"]);
    assert_eq!(protein.matrix(&Layer::X).unwrap(), counts(4, 3));
    assert_eq!(file.obsm("protein").unwrap().values, [1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    let error = message(file.modality("proteins"));
    assert!(error.contains("did you mean `protein`? available: rna, protein"), "{error}");
}

#[test]
fn files_of_anndata_0_13_and_0_7_are_read() {
    let data = open("strings.h5ad");
    assert_eq!((data.cells(), data.features()), (&names("cell", 6)[..], &names("gene", 5)[..]));
    let note = texts(&[Some("a"), Some("ä"), None, Some("d"), Some("d"), Some("f")]);
    assert_eq!(data.obs().get("note"), Some(&Column::Text(note)));
    assert_eq!(data.matrix(&Layer::X).unwrap(), counts(6, 5));
    let data = open("anndata_0_7.h5ad");
    let kind = texts(&[Some("B"), Some("T"), None, Some("T"), Some("T"), Some("B")]);
    assert_eq!(data.obs().labels("type"), Some(kind));
    assert!(matches!(data.obs().get("type"), Some(Column::Categorical(column)) if column.ordered));
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    let old = message(File::open(fixture("anndata_0_6.h5ad")));
    assert!(old.contains("anndata 0.6") && old.contains("write it again"), "{old}");
    if std::env::var_os("HDF5_PLUGIN_PATH").is_none() {
        let zstd = message(open("zstd.h5ad").matrix(&Layer::X));
        assert!(zstd.contains("compressed with zstd") && zstd.contains("HDF5_PLUGIN_PATH"), "{zstd}");
    }
    let data = open("csr.h5ad");
    let layer = message(data.matrix(&Layer::parse("count")));
    assert!(layer.contains("did you mean `layers/counts`? available: X, layers/counts, raw/X"), "{layer}");
    assert!(message(File::open("absent.h5ad")).contains("no file `absent.h5ad`"));
    assert!(message(File::open(fixture("../make_fixtures.py"))).contains("cannot be opened as HDF5"));
    let unnamed = message(File::open(fixture("csr.h5ad")).unwrap().modality("rna"));
    assert!(unnamed.contains("its one modality has no name"), "{unnamed}");
}

#[test]
fn an_open_file_can_be_read_from_another_thread() {
    let data = open("csr.h5ad");
    let read = std::thread::spawn(move || data.matrix(&Layer::X).unwrap());
    assert_eq!(read.join().unwrap(), counts(6, 5));
}
