use proptest::collection::vec;
use proptest::prelude::*;

use super::Csr;
use crate::Dense;

/// A small dense matrix in which about half of the values are zero.
fn dense() -> impl Strategy<Value = Dense> {
    (0usize..12, 0usize..9).prop_flat_map(|(n_rows, n_columns)| {
        let value = prop_oneof![Just(0.0f32), -4.0f32..4.0];
        vec(value, n_rows * n_columns).prop_map(move |values| Dense { n_rows, n_columns, values })
    })
}

fn back(matrix: &Csr) -> Dense {
    matrix.dense_rows(&(0..matrix.n_rows).collect::<Vec<_>>()).unwrap()
}

proptest! {
    #[test]
    fn dense_to_sparse_and_back_is_the_same(dense in dense()) {
        let matrix = Csr::from_dense(&dense).unwrap();
        matrix.validate().unwrap();
        prop_assert_eq!(matrix.n_stored(), dense.values.iter().filter(|v| **v != 0.0).count());
        prop_assert_eq!(back(&matrix), dense);
    }

    #[test]
    fn transposing_exchanges_rows_and_columns(dense in dense()) {
        let matrix = Csr::from_dense(&dense).unwrap();
        let transposed = matrix.transpose().unwrap();
        transposed.validate().unwrap();
        let flipped = back(&transposed);
        for row in 0..dense.n_rows {
            for column in 0..dense.n_columns {
                prop_assert_eq!(dense.row(row)[column], flipped.row(column)[row]);
            }
        }
        prop_assert_eq!(transposed.transpose().unwrap(), matrix);
    }

    #[test]
    fn sums_and_counts_agree_with_the_dense_matrix(dense in dense()) {
        let matrix = Csr::from_dense(&dense).unwrap();
        let flipped = matrix.transpose().unwrap();
        prop_assert_eq!(matrix.column_sums(), flipped.row_sums());
        prop_assert_eq!(matrix.column_nonzeros(), flipped.row_nonzeros());
        let sum = |row: usize| dense.row(row).iter().map(|v| f64::from(*v)).sum::<f64>();
        prop_assert_eq!(matrix.row_sums(), (0..dense.n_rows).map(sum).collect::<Vec<_>>());
    }

    #[test]
    fn any_rows_and_any_order_of_columns_can_be_selected(
        dense in dense(), keys in vec(any::<u32>(), 9), picks in vec(any::<prop::sample::Index>(), 0..9)
    ) {
        let matrix = Csr::from_dense(&dense).unwrap();
        let mut columns: Vec<usize> = (0..dense.n_columns).filter(|column| keys[*column] % 3 > 0).collect();
        columns.sort_by_key(|column| keys[*column]);
        let narrow = matrix.select_columns(&columns).unwrap();
        narrow.validate().unwrap();
        let narrow = back(&narrow);
        for row in 0..dense.n_rows {
            let expected: Vec<f32> = columns.iter().map(|column| dense.row(row)[*column]).collect();
            prop_assert_eq!(narrow.row(row), &expected[..]);
        }
        if dense.n_rows > 0 {
            let rows: Vec<usize> = picks.iter().map(|pick| pick.index(dense.n_rows)).collect();
            let chosen = matrix.select_rows(&rows).unwrap();
            chosen.validate().unwrap();
            prop_assert_eq!(back(&chosen), matrix.dense_rows(&rows).unwrap());
        }
    }

    #[test]
    fn canonical_form_sorts_sums_and_drops_zeros(
        entries in vec((0usize..600, 0u32..7, -2i8..3), 0..80)
    ) {
        let n_rows = 600; // more than one parallel task
        let mut sums = Dense::zeros(n_rows, 7);
        let mut rows = vec![Vec::new(); n_rows];
        for (row, column, value) in entries {
            sums.values[row * 7 + column as usize] += f32::from(value);
            rows[row].push((column, f32::from(value)));
        }
        let mut matrix = Csr::zeros(0, 7);
        for row in &rows {
            matrix.indices.extend(row.iter().map(|entry| entry.0));
            matrix.values.extend(row.iter().map(|entry| entry.1));
            matrix.indptr.push(matrix.indices.len() as u64);
        }
        matrix.n_rows = n_rows;
        matrix.canonicalise();
        prop_assert_eq!(matrix, Csr::from_dense(&sums).unwrap());
    }
}

fn two_by_three() -> Csr {
    Csr { n_rows: 2, n_columns: 3, indptr: vec![0, 2, 3], indices: vec![0, 2, 1], values: vec![1.0, 2.0, 3.0] }
}

#[test]
fn broken_matrices_are_refused_with_the_place() {
    let broken = |change: &dyn Fn(&mut Csr)| {
        let mut matrix = two_by_three();
        change(&mut matrix);
        matrix.validate().unwrap_err().to_string()
    };
    assert!(two_by_three().validate().is_ok());
    assert!(broken(&|m| m.indptr[1] = 4).contains("decreases after row 1"));
    assert!(broken(&|m| m.indptr.truncate(2)).contains("2 rows need 3 entries"));
    assert!(broken(&|m| m.values.truncate(2)).contains("3 indices and 2 values"));
    assert!(broken(&|m| m.indices[1] = 0).contains("row 0 do not increase"));
    assert!(broken(&|m| m.indices[2] = 3).contains("column 3, but there are 3 columns"));
    assert!(broken(&|m| m.values[2] = f32::NAN).contains("row 1, column 1 holds NaN"));
}

#[test]
fn selections_that_do_not_exist_are_refused() {
    let matrix = two_by_three();
    let message = |result: anyhow::Result<Csr>| result.unwrap_err().to_string();
    assert_eq!(message(matrix.select_rows(&[2])), "row 2 was asked for, but there are 2 rows");
    assert_eq!(message(matrix.select_columns(&[3])), "column 3 was asked for, but there are 3 columns");
    assert!(message(matrix.select_columns(&[1, 1])).contains("asked for twice"));
}
