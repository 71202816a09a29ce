//! Tests of the modality as a whole, on matrices small enough to check by hand.

use super::*;
use crate::minibatch::Features;
use anyhow::bail;
use serde_json::json;

/// Multiplies every value by the largest value of the training cells; keeps columns where it is told to.
struct Toy {
    factor: f64,
    keep: Option<Vec<usize>>,
}

impl Step for Toy {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        let values = training.iter().flat_map(|row| matrix.row(*row).1);
        self.factor = values.map(|value| f64::from(*value)).fold(0.0, f64::max);
        Ok(())
    }

    fn selected(&self) -> Option<&[usize]> {
        self.keep.as_deref()
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        matrix.values.iter_mut().for_each(|value| *value *= self.factor as f32);
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        json!(self.factor)
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        let Some(factor) = state.as_f64() else { bail!("not a number") };
        self.factor = factor;
        Ok(())
    }
}

fn names(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|place| format!("{prefix}{place}")).collect()
}

fn csr(n_columns: usize, rows: &[&[(u32, f32)]]) -> Csr {
    let mut matrix = Csr::zeros(0, n_columns);
    for row in rows {
        matrix.indices.extend(row.iter().map(|entry| entry.0));
        matrix.values.extend(row.iter().map(|entry| entry.1));
        matrix.indptr.push(matrix.indices.len() as u64);
    }
    matrix.n_rows = rows.len();
    matrix
}

/// 4 cells × 3 genes:
/// 1 0 2
/// 0 0 3
/// 4 0 0
/// 5 1 6
fn measured() -> Measured {
    let matrix = csr(3, &[&[(0, 1.0), (2, 2.0)], &[(2, 3.0)], &[(0, 4.0)], &[(0, 5.0), (1, 1.0), (2, 6.0)]]);
    Measured { origin: None, cells: names("c", 4), features: names("g", 3), matrix }
}

fn modality(reading: &MatrixReading, keep: Option<Vec<usize>>) -> MatrixModality {
    MatrixModality::new(measured(), reading, vec![Box::new(Toy { factor: 1.0, keep })]).unwrap()
}

fn dense(features: &Features) -> Vec<f32> {
    Vec::try_from(features.to_dense().flatten(0, -1)).unwrap()
}

#[test]
fn filtering_drops_rare_features_then_poor_cells() {
    let reading = MatrixReading { min_cells_per_feature: 2, min_features_per_cell: 2, ..MatrixReading::default() };
    let mut modality = modality(&reading, None);
    // g1 is above 0 in one cell only; then c1 and c2 have one feature left
    let kept = modality.filter_round(&[true; 4]).unwrap();
    assert_eq!(modality.features(), ["g0", "g2"]);
    assert_eq!(kept, [true, false, false, true]);
    modality.keep_cells(&[0, 3]).unwrap();
    assert_eq!(modality.cells(), ["c0", "c3"]);
    assert_eq!(modality.filter_round(&[true; 2]).unwrap(), [true, true]);
}

#[test]
fn filtering_counts_kept_cells_only() {
    let reading = MatrixReading { min_cells_per_feature: 2, ..MatrixReading::default() };
    let mut modality = modality(&reading, None);
    modality.filter_round(&[false, true, true, true]).unwrap();
    assert_eq!(modality.features(), ["g0", "g2"]);
    let error = modality.filter_round(&[true, false, false, false]).unwrap_err().to_string();
    assert_eq!(error, "no feature is above 0 in at least 2 of 1 cells; lower `min_cells_per_feature`");
}

#[test]
fn steps_are_fitted_on_training_rows_and_selections_take_both_values() {
    let mut modality = modality(&MatrixReading::default(), Some(vec![0, 2]));
    modality.prepare(&[0, 1]).unwrap();
    assert_eq!(modality.features(), ["g0", "g2"]);
    let gathered = modality.gather(&[3, 0], TargetValues::Counts).unwrap();
    // the largest training value is 3
    assert_eq!(dense(&gathered.input), [15.0, 18.0, 3.0, 6.0]);
    assert_eq!(dense(&gathered.target), [5.0, 6.0, 1.0, 2.0]);
    let seen = dense(&modality.gather(&[3, 0], TargetValues::Presence).unwrap().target);
    let expected: Vec<f32> = dense(&gathered.target).iter().map(|count| f32::from(u8::from(*count > 0.0))).collect();
    assert_eq!(seen, expected);
    let processed = modality.gather(&[1], TargetValues::Processed).unwrap();
    assert_eq!(dense(&processed.target), [0.0, 9.0]);
}

#[test]
fn keeping_cells_after_preparing_keeps_their_values() {
    let mut modality = modality(&MatrixReading::default(), None);
    modality.prepare(&[0, 1, 2, 3]).unwrap();
    modality.keep_cells(&[2, 0]).unwrap();
    assert_eq!(
        dense(&modality.gather(&[0, 1], TargetValues::Processed).unwrap().input),
        [24.0, 0.0, 0.0, 6.0, 0.0, 12.0]
    );
}

#[test]
fn statistics_are_totals_over_the_rows() {
    let mut modality = modality(&MatrixReading::default(), None);
    modality.prepare(&[0, 1]).unwrap();
    // 1 + 2 and 5 + 1 + 6; the largest training value is 3
    let expected = Statistics { n_entries: 6.0, n_nonzero: 5.0, raw_sum: 15.0, processed_sum: 45.0 };
    assert_eq!(modality.statistics(&[0, 3]).unwrap(), expected);
    assert_eq!(modality.statistics(&[]).unwrap(), Statistics::default());
}

#[test]
fn sparse_matrices_travel_sparse_and_say_the_same() {
    let n_features = 100;
    let rows: [&[(u32, f32)]; 3] = [&[(1, 1.0), (19, 2.0)], &[], &[(0, 3.0), (7, 4.0), (8, 5.0)]];
    let matrix = csr(n_features, &rows);
    let measured =
        Measured { origin: None, cells: names("c", 3), features: names("g", n_features), matrix: matrix.clone() };
    let mut modality = MatrixModality::new(measured, &MatrixReading::default(), Vec::new()).unwrap();
    modality.prepare(&[0]).unwrap();
    let wanted = [2, 1, 0, 2];
    let gathered = modality.gather(&wanted, TargetValues::Counts).unwrap();
    assert!(matches!(gathered.input, Features::Sparse(_)));
    assert_eq!(dense(&gathered.input), matrix.dense_rows(&wanted).unwrap().values);
    assert_eq!(dense(&gathered.target), dense(&gathered.input));
}

#[test]
fn rows_are_handed_out_with_any_values_of_one_structure() {
    let matrix = measured().matrix;
    let rows = Rows::new(&matrix, &[3, 1, 3]).unwrap();
    let doubled: Vec<f32> = matrix.values.iter().map(|value| value * 2.0).collect();
    let expected = [10.0, 2.0, 12.0, 0.0, 0.0, 6.0, 10.0, 2.0, 12.0];
    assert_eq!(dense(&rows.features(&doubled).unwrap()), expected);
    let error = rows.features(&doubled[1..]).unwrap_err().to_string();
    assert_eq!(error, "there are 6 values for 7 stored entries");
    assert!(Rows::new(&matrix, &[4]).is_err());
}

#[test]
fn new_data_are_brought_into_the_order_of_the_model() {
    let mut trained = modality(&MatrixReading::default(), Some(vec![0, 2]));
    trained.prepare(&[0, 1]).unwrap();
    // the new file has g2, an unknown feature and g0, but no g1
    let matrix = csr(3, &[&[(0, 7.0), (1, 9.0)], &[(2, 8.0)]]);
    let features = ["g2", "other", "g0"].map(str::to_owned).to_vec();
    let new = Measured { origin: None, cells: names("n", 2), features, matrix };
    let steps: Vec<Box<dyn Step>> = vec![Box::new(Toy { factor: 0.0, keep: None })];
    let mut restored = MatrixModality::new(new, &MatrixReading::default(), steps).unwrap();
    let alignment = restored.restore(&trained.state()).unwrap();
    assert_eq!(alignment, Alignment { n_found: 2, missing: vec!["g1".into()], n_unknown: 1 });
    assert_eq!(restored.features(), trained.features());
    assert_eq!(dense(&restored.gather(&[0, 1], TargetValues::Processed).unwrap().input), [0.0, 21.0, 24.0, 0.0]);
    assert_eq!(restored.state(), trained.state());
}

#[test]
fn data_without_a_known_feature_are_refused_with_examples() {
    let mut trained = modality(&MatrixReading::default(), None);
    trained.prepare(&[0]).unwrap();
    let new = Measured { features: names("ENSG", 3), ..measured() };
    let steps: Vec<Box<dyn Step>> = vec![Box::new(Toy { factor: 0.0, keep: None })];
    let mut other = MatrixModality::new(new, &MatrixReading::default(), steps).unwrap();
    assert_eq!(
        other.restore(&trained.state()).unwrap_err().to_string(),
        "none of the 3 features of the model is in the new data\nhelp: the model knows `g0`, `g1`, `g2`; the data have \
         `ENSG0`, `ENSG1`, `ENSG2`; are they named in the same way?"
    );
}

#[test]
fn values_that_are_not_counts_are_refused_by_name() {
    let mut measured = measured();
    measured.matrix.values[3] = 1.386;
    let reading = MatrixReading { counts: true, feature: "gene", ..MatrixReading::default() };
    let error = MatrixModality::new(measured, &reading, Vec::new()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the matrix holds values that are not counts (cell `c2`, gene `g0`: 1.386)\nhelp: raw counts are needed: integers of \
         at least 0, before any normalisation"
    );
}

#[test]
fn values_above_one_are_refused_for_losses_of_the_unit_interval() {
    let mut modality = modality(&MatrixReading::default(), None);
    modality.prepare(&[0]).unwrap();
    assert!(modality.check_target(TargetValues::Processed).is_ok());
    assert!(modality.check_target(TargetValues::Counts).is_ok());
    let error = modality.check_target(TargetValues::UnitInterval).unwrap_err().to_string();
    assert!(error.starts_with("the values after the steps are not in [0, 1] (cell `c0`, feature `g0`: 2)"), "{error}");
}

#[test]
fn a_step_that_leaves_no_number_is_named() {
    let mut measured = measured();
    measured.matrix.values.iter_mut().for_each(|value| *value = f32::MAX);
    let steps: Vec<Box<dyn Step>> = vec![Box::new(Toy { factor: 1.0, keep: None })];
    let mut modality = MatrixModality::new(measured, &MatrixReading::default(), steps).unwrap();
    let error = format!("{:#}", modality.prepare(&[0]).unwrap_err());
    assert_eq!(error, "step 1 of 1: the step leaves values that are not finite");
}

#[test]
fn rows_cannot_be_gathered_before_preparing_nor_beyond_the_end() {
    let mut modality = modality(&MatrixReading::default(), None);
    assert!(modality.gather(&[0], TargetValues::Processed).is_err());
    modality.prepare(&[0]).unwrap();
    let error = modality.gather(&[4], TargetValues::Processed).unwrap_err().to_string();
    assert_eq!(error, "row 4 was asked for, but there are 4 cells");
}
