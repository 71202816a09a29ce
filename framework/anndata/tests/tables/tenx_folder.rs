//! Folders of `matrix.mtx`, `features.tsv` and `barcodes.tsv`.

use anndata::{NewAnnData, read_matrix_market};

use crate::files::{BARCODES, FEATURES, MTX, assert_two_modalities, folder, matrix, write};
use crate::support::message;

const NAMES: [(&str, &str); 2] = [("features.tsv", FEATURES), ("barcodes.tsv", BARCODES)];

fn read(files: &[(&str, &str)]) -> anyhow::Result<Vec<(String, NewAnnData)>> {
    read_matrix_market(folder(files).path())
}

fn with_matrix(text: &str) -> anyhow::Result<Vec<(String, NewAnnData)>> {
    read(&[NAMES[0], NAMES[1], ("matrix.mtx", text)])
}

#[test]
fn plain_compressed_and_prefixed_folders_are_read_alike() {
    assert_two_modalities(&with_matrix(MTX).unwrap());
    let compressed = [("matrix.mtx.gz", MTX), ("features.tsv.gz", FEATURES), ("barcodes.tsv.gz", BARCODES)];
    assert_two_modalities(&read(&compressed).unwrap());
    let prefixed = [("GSM1_matrix.mtx.gz", MTX), ("GSM1_features.tsv", FEATURES), ("GSM1_barcodes.tsv", BARCODES)];
    assert_two_modalities(&read(&prefixed).unwrap());
    let windows = with_matrix(&MTX.replace('\n', "\r\n").replace("4 5\r\n1", "4 5\r\n\r\n% note\r\n1")).unwrap();
    assert_two_modalities(&windows);
}

#[test]
fn one_of_several_matrices_is_chosen_by_its_path() {
    let folder = folder(&[("a_matrix.mtx", MTX), ("a_features.tsv", FEATURES), ("a_barcodes.tsv", BARCODES)]);
    let path = write(folder.path(), "matrix.mtx", b"");
    let choice = message(read_matrix_market(folder.path()));
    assert!(choice.contains("there is a choice of") && choice.contains("a_matrix.mtx"), "{choice}");
    assert_two_modalities(&read_matrix_market(folder.path().join("a_matrix.mtx")).unwrap());
    assert!(message(read_matrix_market(path)).contains("no `barcodes.tsv` (or the same with .gz) beside"));
    let named = write(folder.path(), "counts.mtx", MTX.as_bytes());
    assert!(message(read_matrix_market(named)).contains("rename it to end with `matrix.mtx`"));
}

#[test]
fn the_lists_decide_which_way_round_the_matrix_is() {
    let turned = "%%MatrixMarket matrix coordinate real general\n4 3 5\n4 3 5\n1 1 1\n1 3 2.0\n3 2 3e0\n4 1 4\n";
    assert_two_modalities(&with_matrix(turned).unwrap());
    let square = "%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 2 7\n";
    let found = read(&[("matrix.mtx", square), ("genes.tsv", "g1\tA\ng2\tB\n"), ("barcodes.tsv", "a\nb")]).unwrap();
    assert_eq!(found[0].0, "rna");
    let anndata::Matrix::Sparse(counts) = &found[0].1.x else { panic!("dense") };
    assert_eq!((counts.row(1), counts.n_stored()), ((&[0u32][..], &[7.0f32][..]), 1));
    let other = message(read(&[("matrix.mtx", square), NAMES[0], NAMES[1]]));
    assert!(other.contains("2 rows and 2 columns, but the files beside it name 3 features and 4 cells"), "{other}");
}

#[test]
fn peaks_and_patterns_are_read() {
    let peaks = "# from\nchr1\t10\t20\nchr1\t30\t40\nchrX\t1\t2\n";
    let pattern = "%%MatrixMarket matrix coordinate pattern general\n3 4 2\n1 1\n3 4\n";
    let files = [("matrix.mtx", pattern), ("peaks.bed", peaks), NAMES[1]];
    let found = read(&files).unwrap();
    assert_eq!(found[0].0, "atac");
    assert_eq!(found[0].1.var.index(), ["chr1:10-20", "chr1:30-40", "chrX:1-2"]);
    let anndata::Matrix::Sparse(counts) = &found[0].1.x else { panic!("dense") };
    assert_eq!(counts.row_sums(), [1.0, 0.0, 0.0, 1.0]);
    let bad = message(read(&[files[0], ("peaks.bed", "chr1\t1\t2\nchr1\tx\t2\nchr1\t3\t4\n"), NAMES[1]]));
    assert!(bad.contains("peaks.bed`, line 2: `x` is not a place"), "{bad}");
}

#[test]
fn entries_of_one_place_are_summed_and_zeros_dropped() {
    let text = MTX.replace("3 4 5\n1 1 1\n", "3 4 7\n1 1 3\n2 2 0\n1 1 -2\n");
    let found = with_matrix(&text).unwrap();
    assert_eq!(found[0].1.x, matrix(&[0, 1]));
}

#[test]
fn unsound_lines_are_refused_by_number() {
    let refused = |from: &str, to: &str| message(with_matrix(&MTX.replace(from, to)));
    let cases = [
        ("2 3 3\n", "0 3 3\n", "line 6: row 0 is out of range; expected 1 to 3"),
        ("2 3 3\n", "2 5 3\n", "line 6: column 5 is out of range; expected 1 to 4"),
        ("2 3 3\n", "2 3 x\n", "line 6: `x` is not a number"),
        ("2 3 3\n", "2 3 1.5\n", "line 6: 1.5 is not whole"),
        ("2 3 3\n", "2 3 16777217\n", "line 6: 16777217 cannot be held"),
        ("2 3 3\n", "2 3\n", "line 6: no value after row and column"),
        ("2 3 3\n", "2 3 3 3\n", "line 6: `2 3 3 3` has too many words"),
        ("2 3 3\n", "-2 3 3\n", "line 6: `-2` is not the number of a row"),
        ("2 3 3\n", "", "the file ends after 4 entries, but its header promises 5"),
        ("2 3 3\n", "2 3 3\n2 3 3\n", "line 9: more entries than the 5"),
        ("3 4 5\n", "3 4\n", "line 3: `3 4` is not a size"),
        ("coordinate", "array", "line 1: a dense `array` matrix"),
        ("general", "symmetric", "line 1: a `symmetric` matrix"),
        ("integer", "complex", "line 1: values of the kind `complex`"),
        ("%%MatrixMarket", "%%Matrix", "line 1: not the start of a MatrixMarket file"),
    ];
    for (from, to, expected) in cases {
        let message = refused(from, to);
        assert!(message.contains(expected), "{message}");
    }
    let real = message(with_matrix(&MTX.replace("integer", "real").replace("2 3 3\n", "2 3 nan\n")));
    assert!(real.contains("nan cannot be held"), "{real}");
}

#[test]
fn lists_that_do_not_serve_are_refused() {
    let gap = message(read(&[("matrix.mtx", MTX), NAMES[0], ("barcodes.tsv", "a\n\nb\nc\nd\n")]));
    assert!(gap.contains("barcodes.tsv`, line 2: no name"), "{gap}");
    let header = format!("barcode\n{BARCODES}");
    let header = message(read(&[("matrix.mtx", MTX), NAMES[0], ("barcodes.tsv", &header)]));
    assert!(header.contains("name 3 features and 5 cells") && header.contains("line of column names"), "{header}");
    let both = [("matrix.mtx", MTX), NAMES[0], NAMES[1], ("genes.tsv", FEATURES)];
    assert!(message(read(&both)).contains("keep the one that belongs"));
    assert!(message(read(&[NAMES[0]])).contains("no `matrix.mtx` or `matrix.mtx.gz` in the folder"));
    let binary = folder(&[("matrix.mtx", MTX), NAMES[0]]);
    write(binary.path(), "barcodes.tsv", b"a\n\xff\xfe\n");
    assert!(message(read_matrix_market(binary.path())).contains("barcodes.tsv`, line 2: not text in UTF-8"));
}
