//! Tables of other formats opened like an .h5ad or .h5mu.

use std::path::Path;

use anndata::{
    Annotator, Column, ColumnPlace, Csr, DelimitedSpec, Dense, File, Frame, Kind, Layer, files_of, read_frame,
};

use crate::files::{BARCODES, COUNTS, FEATURES, MTX, folder, matrix};
use crate::support::message;
use crate::tenx_h5::version_3;

fn counts(columns: &[usize]) -> Csr {
    let values = COUNTS.iter().flat_map(|row| columns.iter().map(|column| row[*column])).collect();
    Csr::from_dense(&Dense::new(COUNTS.len(), columns.len(), values).unwrap()).unwrap()
}

/// Checks both modalities, whole and in part, as they are opened and as they are annotated.
fn assert_opens(path: &Path) {
    let file = File::open(path).unwrap();
    assert!(file.is_table() && file.kind() == Kind::H5mu);
    assert_eq!(file.modalities().unwrap(), ["rna", "protein"]);
    assert_eq!(file.cells(), ["AAAC-1", "AAAG-1", "AAAT-1", "AACA-1"]);
    for (name, columns) in [("rna", &[0, 1][..]), ("protein", &[2][..])] {
        let part = file.modality(name).unwrap();
        assert_eq!(part.layers().unwrap(), [Layer::X]);
        let all = counts(columns);
        assert_eq!(part.matrix(&Layer::X).unwrap(), all);
        assert_eq!(part.matrix_rows(&Layer::X, 1..3).unwrap(), all.select_rows(&[1, 2]).unwrap());
        assert_eq!(part.matrix_rows(&Layer::X, 0..4).unwrap(), all);
        assert!(part.matrix_rows(&Layer::X, 3..5).is_err() && part.raw_var().is_err());
    }
    assert!(message(file.modality("atac")).contains("no modality `atac`"));
    let out = path.with_file_name("annotated.h5mu");
    let mut copy = Annotator::copy_of_file(&file, &out).unwrap();
    copy.set_obsm(None, "X_rows", &Dense::zeros(4, 2)).unwrap();
    copy.finish().unwrap();
    let copy = File::open(&out).unwrap();
    assert!(!copy.is_table() && copy.obsm("X_rows").unwrap().n_columns == 2);
    assert_eq!(copy.modality("protein").unwrap().matrix(&Layer::X).unwrap(), counts(&[2]));
}

#[test]
fn both_10x_formats_open_as_their_modalities() {
    let h5 = tempfile::tempdir().unwrap();
    assert_opens(&version_3(h5.path()));
    let files = [("matrix.mtx.gz", MTX), ("features.tsv.gz", FEATURES), ("barcodes.tsv.gz", BARCODES)];
    let inside = tempfile::tempdir().unwrap();
    let folder = inside.path().join("filtered");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in files {
        crate::files::write(&folder, name, text.as_bytes());
    }
    assert_opens(&folder);
    let parts: Vec<_> = ["matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"].map(|name| folder.join(name)).into();
    assert_eq!(files_of(&folder).unwrap(), parts);
    std::fs::remove_file(folder.join("barcodes.tsv.gz")).unwrap();
    assert!(message(File::open(&folder)).contains("no `barcodes.tsv`"));
}

#[test]
fn a_folder_without_types_is_one_modality_without_a_name() {
    let genes = "ENSG1\tCD3E\nENSG2\tCD3E\nENSG3\tCD4\n";
    let folder = folder(&[("matrix.mtx", MTX), ("genes.tsv", genes), ("barcodes.tsv", BARCODES)]);
    let file = File::open(folder.path()).unwrap();
    assert_eq!((file.kind(), file.modalities().unwrap()), (Kind::H5ad, vec![String::new()]));
    assert_eq!(file.modality("").unwrap().features(), ["CD3E", "CD3E-1", "CD4"]);
}

#[test]
fn columns_of_text_that_describe_cells_are_no_features() {
    let text = "x,0,1,0\nc1,1,0,2\nc2,0,0,1\n";
    let folder = folder(&[("a.csv.gz", text), ("obs.tsv", "cell\tkind\nc2\tT\nd\tB\n")]);
    let path = folder.path().join("a.csv.gz");
    let columns = |obs_columns: Vec<(String, ColumnPlace)>| DelimitedSpec {
        features_in_rows: Some(false),
        obs_columns,
        ..DelimitedSpec::default()
    };
    let named = |place: ColumnPlace| columns(vec![("digit".to_owned(), place)]);
    let mut file = File::open_as(&path, &named(ColumnPlace::Position(-1))).unwrap();
    assert_eq!(file.obs().labels("digit").unwrap(), [Some("2".to_owned()), Some("1".to_owned())]);
    let part = file.modality("").unwrap();
    assert_eq!(part.features(), ["0", "1"]);
    assert_eq!(part.matrix(&Layer::X).unwrap().values, [1.0]);
    assert_eq!(file.describe(&read_frame(folder.path().join("obs.tsv"), true).unwrap()).unwrap(), 1);
    assert_eq!(file.obs().labels("kind").unwrap(), [None, Some("T".to_owned())]);
    let out = folder.path().join("a.h5ad");
    Annotator::copy_of_file(&file, &out).unwrap().finish().unwrap();
    let copy = File::open(&out).unwrap();
    assert_eq!(copy.obs().column_names(), ["digit", "kind"]);
    let told = |spec: &DelimitedSpec| message(File::open_as(&path, spec));
    assert!(told(&named(ColumnPlace::Name("0".into()))).contains("several columns are called `0`"));
    assert!(told(&named(ColumnPlace::Name("label".into()))).contains("no column `label`"));
    assert!(told(&named(ColumnPlace::Position(4))).contains("no column 4; expected 1 to 3, or -1 (the last) to -3"));
    assert!(told(&named(ColumnPlace::Position(0))).contains("no column 0"));
    let twice = [1, -3].map(|place| ("it".to_owned(), ColumnPlace::Position(place)));
    assert!(told(&columns(twice.to_vec())).contains("column 1 describes cells twice"));
    let rows = DelimitedSpec { features_in_rows: Some(true), ..named(ColumnPlace::Position(1)) };
    assert!(told(&rows).contains("only where each row is a cell"));
    assert!(told(&DelimitedSpec::default()).contains("whether its rows are features or cells"));
}

#[test]
fn described_cells_of_an_annotated_file_are_written_into_its_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5ad");
    let names = |names: &[&str]| Frame::new(names.iter().map(|name| (*name).to_owned()).collect());
    let cells = names(&["a", "b", "c", "d"]);
    let var = names(&["x", "y", "z"]);
    anndata::write_new_h5ad(&path, &anndata::NewAnnData::new(cells, var, matrix(&[0, 1, 2]))).unwrap();
    let mut file = File::open(&path).unwrap();
    let mut known = names(&["b", "a"]);
    known.insert("dose", Column::Float(vec![2.0, 1.0])).unwrap();
    known.insert("seen", Column::Bool(vec![Some(true), Some(false)])).unwrap();
    assert_eq!(file.describe(&known).unwrap(), 2);
    let out = folder.path().join("b.h5ad");
    Annotator::copy_of_file(&file, &out).unwrap().finish().unwrap();
    let copy = File::open(&out).unwrap();
    let dose = copy.obs().get("dose").unwrap().numbers().unwrap();
    assert!(dose[..2] == [1.0, 2.0] && dose[2].is_nan());
    assert_eq!(copy.obs().labels("seen").unwrap()[..3], [Some("false".to_owned()), Some("true".to_owned()), None]);
}
