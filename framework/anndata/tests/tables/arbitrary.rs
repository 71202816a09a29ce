//! Whatever bytes come: an error or a sound table, never a panic.

use std::path::Path;

use anndata::{DelimitedSpec, Matrix, NewAnnData, read_delimited, read_matrix_market, read_tenx_h5};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::files::{BARCODES, FEATURES, MTX, folder, gzip, write};
use crate::tenx_h5::version_3;

const TABLE: &str = ",A,B\n\"c1\",1,0\nc2,NA,2.5\n";

fn assert_sound(found: &NewAnnData) {
    let Matrix::Sparse(matrix) = &found.x else { panic!("dense") };
    matrix.validate().unwrap();
    assert_eq!((matrix.n_rows, matrix.n_columns), (found.obs.n_rows(), found.var.n_rows()));
}

fn try_folder(name: &str, content: &[u8]) {
    let folder = folder(&[("matrix.mtx", MTX), ("features.tsv", FEATURES), ("barcodes.tsv", BARCODES)]);
    std::fs::write(folder.path().join(name), content).unwrap();
    if let Ok(found) = read_matrix_market(folder.path()) {
        found.iter().for_each(|(_, modality)| assert_sound(modality));
    }
}

fn try_delimited(content: &[u8]) {
    let folder = folder(&[]);
    for name in ["a.csv", "a.txt"] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        for (features_in_rows, named_rows) in [(true, true), (false, true), (true, false)] {
            let features_in_rows = Some(features_in_rows);
            let spec =
                DelimitedSpec { features_in_rows, named_rows, missing_is_zero: true, ..DelimitedSpec::default() };
            if let Ok(found) = read_delimited(&path, &spec) {
                assert_sound(&found);
            }
        }
    }
}

fn try_h5(folder: &Path, content: &[u8]) {
    let path = write(folder, "a.h5", content);
    if let Ok(found) = read_tenx_h5(path) {
        found.iter().for_each(|(_, modality)| assert_sound(modality));
    }
}

/// A sound file with one byte replaced, cut off somewhere.
fn damaged(whole: &[u8], (place, byte, end): (usize, u8, usize)) -> Vec<u8> {
    let mut content = whole.to_vec();
    let place = place % content.len();
    content[place] = byte;
    content.truncate(end % (whole.len() + 1));
    content
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes(content in vec(any::<u8>(), 0..200)) {
        for name in ["matrix.mtx", "features.tsv", "barcodes.tsv"] {
            try_folder(name, &content);
        }
        try_delimited(&content);
        try_h5(folder(&[]).path(), &content);
    }

    #[test]
    fn any_text_of_the_right_letters(text in "[0-9a,;\"\n\r\t %.-]{0,80}") {
        try_folder("matrix.mtx", format!("%%MatrixMarket matrix coordinate real general\n3 4 2\n{text}").as_bytes());
        try_folder("matrix.mtx", format!("%%MatrixMarket matrix coordinate pattern general\n{text}").as_bytes());
        try_folder("features.tsv", text.as_bytes());
        try_delimited(text.as_bytes());
    }

    #[test]
    fn any_damage_to_sound_text(damage in (any::<usize>(), any::<u8>(), any::<usize>())) {
        try_folder("matrix.mtx", &damaged(MTX.as_bytes(), damage));
        try_folder("matrix.mtx", &damaged(&gzip(MTX.as_bytes()), damage));
        try_folder("features.tsv", &damaged(FEATURES.as_bytes(), damage));
        try_delimited(&damaged(TABLE.as_bytes(), damage));
        try_delimited(&damaged(&gzip(TABLE.as_bytes()), damage));
    }
}

#[test]
fn a_tenx_file_cut_off_anywhere() {
    let folder = folder(&[]);
    let whole = std::fs::read(version_3(folder.path())).unwrap();
    for end in (0..whole.len()).step_by(61) {
        try_h5(folder.path(), &whole[..end]);
    }
}
