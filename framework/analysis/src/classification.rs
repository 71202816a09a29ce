//! How well predicted labels agree with true ones.

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::labels::check_pair;

/// Agreement of predicted with true labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassificationReport {
    /// Cells compared.
    pub n_cells: usize,
    /// Share of cells whose label is right.
    pub accuracy: f64,
    /// Mean over true classes of the share of their cells that is found (scikit-learn's `balanced_accuracy_score`).
    pub balanced_accuracy: f64,
    /// Mean over classes, true or predicted, of 2 TP / (2 TP + FP + FN) (scikit-learn's `f1_score`, `average="macro"`).
    pub macro_f1: f64,
    /// `confusion[true][predicted]`: numbers of cells, n_classes × n_classes.
    pub confusion: Vec<Vec<u64>>,
}

/// Compares predicted with true labels, both below `n_classes`.
///
/// # Errors
/// When lengths differ, there is no cell, or a label is out of range.
pub fn classification(truth: &[u32], predicted: &[u32], n_classes: usize) -> Result<ClassificationReport> {
    check_pair(truth, predicted)?;
    let mut confusion = vec![vec![0u64; n_classes]; n_classes];
    for (&truth, &predicted) in truth.iter().zip(predicted) {
        let largest = truth.max(predicted) as usize;
        ensure!(largest < n_classes, "label {largest} is out of range; there are {n_classes} classes, counted from 0");
        confusion[truth as usize][predicted as usize] += 1;
    }
    let hits = |class: usize| confusion[class][class] as f64;
    let n_true: Vec<f64> = confusion.iter().map(|row| row.iter().sum::<u64>() as f64).collect();
    let n_predicted: Vec<f64> =
        (0..n_classes).map(|class| confusion.iter().map(|row| row[class]).sum::<u64>() as f64).collect();
    let recalls = (0..n_classes).filter(|&class| n_true[class] > 0.0).map(|class| hits(class) / n_true[class]);
    let f1s = (0..n_classes)
        .filter(|&class| n_true[class] + n_predicted[class] > 0.0)
        .map(|class| 2.0 * hits(class) / (n_true[class] + n_predicted[class]));
    Ok(ClassificationReport {
        n_cells: truth.len(),
        accuracy: (0..n_classes).map(hits).sum::<f64>() / truth.len() as f64,
        balanced_accuracy: mean(recalls),
        macro_f1: mean(f1s),
        confusion,
    })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    sum / n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_never_occur_do_not_count() {
        let report = classification(&[0, 0, 1], &[0, 1, 1], 5).unwrap();
        assert_eq!(report.balanced_accuracy, 0.75);
        assert!((report.macro_f1 - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(report.confusion[0][..2], [1, 1]);
        assert!(classification(&[0], &[7], 5).unwrap_err().to_string().contains("label 7"));
        assert!(classification(&[], &[], 5).is_err());
    }
}
