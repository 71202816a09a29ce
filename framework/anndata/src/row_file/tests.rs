use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{ColumnPlaces, RowFile, RowFileWriter};
use crate::{Csr, Dense};

fn matrix(rows: &[&[f32]]) -> Csr {
    Csr::from_dense(&Dense::new(rows.len(), rows[0].len(), rows.concat()).unwrap()).unwrap()
}

fn written(path: &Path, matrix: &Csr) -> RowFile {
    let mut writer = RowFileWriter::create(path, matrix.n_columns).unwrap();
    for start in (0..matrix.n_rows).step_by(3) {
        let rows: Vec<usize> = (start..(start + 3).min(matrix.n_rows)).collect();
        writer.append(&matrix.select_rows(&rows).unwrap()).unwrap();
    }
    writer.finish().unwrap()
}

/// Counts, large counts, a zero that is stored, and numbers that are no counts.
fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => Just(1.0f32),
        4 => (0u32..300).prop_map(|count| count as f32),
        1 => (0u32..u32::MAX).prop_map(|count| count as f32),
        1 => Just(-0.0f32),
        1 => any::<f32>().prop_filter("finite", |value| value.is_finite()),
    ]
}

fn any_matrix() -> impl Strategy<Value = Csr> {
    let row = vec((0u32..400, value()), 0..40);
    vec(row, 0..150).prop_map(|rows| {
        let mut matrix = Csr::zeros(0, 400);
        for row in rows {
            let row: std::collections::BTreeMap<u32, f32> = row.into_iter().collect();
            matrix.indices.extend(row.keys());
            matrix.values.extend(row.values());
            matrix.indptr.push(matrix.indices.len() as u64);
            matrix.n_rows += 1;
        }
        matrix
    })
}

fn bits(matrix: &Csr) -> (usize, Vec<u64>, Vec<u32>, Vec<u32>) {
    let values = matrix.values.iter().map(|value| value.to_bits()).collect();
    (matrix.n_columns, matrix.indptr.clone(), matrix.indices.clone(), values)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_come_back_to_the_bit(matrix in any_matrix(), picks in vec(any::<prop::sample::Index>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let file = written(&folder.path().join("x.rows"), &matrix);
        let all: Vec<u32> = (0..matrix.n_rows as u32).collect();
        prop_assert_eq!(bits(&file.read(&all, &ColumnPlaces::all(400)).unwrap()), bits(&matrix));
        prop_assert_eq!(file.n_stored() as usize, matrix.n_stored());
        let above: Vec<u32> = (0..matrix.n_rows)
            .map(|row| matrix.row(row).1.iter().filter(|value| **value > 0.0).count() as u32)
            .collect();
        prop_assert_eq!(file.features_per_cell(), above);
        prop_assert_eq!(file.are_counts(), matrix.values.iter().all(|value| *value >= 0.0 && value.fract() == 0.0));
        if matrix.n_rows > 0 {
            let rows: Vec<usize> = picks.iter().map(|pick| pick.index(matrix.n_rows)).collect();
            let asked: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
            file.read_ahead(&asked);
            let read = file.read(&asked, &ColumnPlaces::all(400)).unwrap();
            prop_assert_eq!(bits(&read), bits(&matrix.select_rows(&rows).unwrap()));
        }
    }

    #[test]
    fn columns_are_read_in_any_order_and_selected_again(
        matrix in any_matrix(), keys in vec(any::<u32>(), 400), again in vec(any::<bool>(), 400)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let file = written(&folder.path().join("x.rows"), &matrix);
        let mut columns: Vec<usize> = (0..400).filter(|column| keys[*column] % 3 > 0).collect();
        columns.sort_by_key(|column| keys[*column]);
        let places = ColumnPlaces::of(400, &columns.iter().copied().map(Some).collect::<Vec<_>>()).unwrap();
        let all: Vec<u32> = (0..matrix.n_rows as u32).collect();
        let narrow = matrix.select_columns(&columns).unwrap();
        prop_assert_eq!(bits(&file.read(&all, &places).unwrap()), bits(&narrow));
        let kept: Vec<usize> = (0..columns.len()).filter(|column| again[*column]).collect();
        let read = file.read(&all, &places.select(&kept).unwrap()).unwrap();
        prop_assert_eq!(bits(&read), bits(&narrow.select_columns(&kept).unwrap()));
    }

    #[test]
    fn a_file_with_another_byte_is_refused_or_reads_the_same(
        matrix in any_matrix(), at in any::<prop::sample::Index>(), flip in 1u8..=255
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.rows");
        drop(written(&path, &matrix));
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        fs::write(&path, &bytes).unwrap();
        let all: Vec<u32> = (0..matrix.n_rows as u32).collect();
        let read = RowFile::open(&path).and_then(|file| file.read(&all, &ColumnPlaces::all(400)));
        prop_assert!(read.is_err());
    }
}

#[test]
fn missing_columns_hold_nothing_and_numbers_of_columns_follow() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder.path().join("x.rows"), &matrix(&[&[1.0, 2.0, 0.0], &[3.0, 0.0, 4.0]]));
    let places = ColumnPlaces::of(3, &[Some(2), None, Some(0)]).unwrap();
    let read = file.read(&[1, 0], &places).unwrap();
    assert_eq!(read.dense_rows(&[0, 1]).unwrap().values, [4.0, 0.0, 3.0, 0.0, 0.0, 1.0]);
    assert_eq!(file.cells_per_feature(), [2, 1, 1]);
    assert_eq!(places.through(file.cells_per_feature()), [1, 0, 2]);
}

#[test]
fn damaged_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.rows");
    drop(written(&path, &matrix(&[&[1.0, 2.0, 0.0], &[3.0, 0.5, 4.0]])));
    let whole = fs::read(&path).unwrap();
    let told = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let rows = RowFile::open(&path).and_then(|file| file.read(&[0, 1], &ColumnPlaces::all(3)));
        format!("{:#}", rows.unwrap_err()).replace(&*path.to_string_lossy(), "x.rows")
    };
    assert_eq!(told(&whole[..whole.len() - 1]), "`x.rows` cannot be used: it is cut short");
    assert_eq!(told(&whole[..7]), "`x.rows` cannot be used: it is cut short");
    assert_eq!(told(&[0; 200]), "`x.rows` cannot be used: it is no file of rows");
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    assert_eq!(told(&changed(8)), "`x.rows` cannot be used: it is of version 0; this program reads version 1");
    assert_eq!(told(&changed(17)), "row 0 of `x.rows` is damaged; delete the file to have it made again");
    assert_eq!(told(&changed(whole.len() - 70)), "`x.rows` cannot be used: what it says of its rows is damaged");
}

#[test]
fn a_row_that_is_not_there_and_a_file_that_is_not_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.rows");
    let file = written(&path, &matrix(&[&[1.0, 2.0]]));
    let error = file.read(&[1], &ColumnPlaces::all(2)).unwrap_err().to_string();
    assert_eq!(error, "row 1 was asked for, but there are 1 rows");
    fs::remove_file(&path).unwrap();
    let mut writer = RowFileWriter::create(&path, 2).unwrap();
    writer.append(&matrix(&[&[1.0, 2.0]])).unwrap();
    assert!(writer.append(&matrix(&[&[1.0, 2.0, 3.0]])).unwrap_err().to_string().contains("3 columns"));
    drop(writer);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
