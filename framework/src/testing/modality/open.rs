//! Opening, filtering, choosing cells and fitting.

use super::file::{OnFile, training};
use crate::minibatch::FeatureShape;
use crate::testing::mismatch::{Checked, Mismatch, expect, refused, words};
use std::collections::HashSet;
use std::sync::PoisonError;

/// Names of cells and features, and the shape of the features.
pub(super) fn names(subject: &OnFile<'_>) -> Checked {
    let (modality, _) = subject.open()?;
    let (n_cells, n_features) = (modality.cells().len(), modality.features().len());
    expect(n_cells >= 4, "a file of at least 4 cells, so that there is something to check", format!("{n_cells}"))?;
    if let FeatureShape::Vector(n) = modality.shape() {
        expect(n > 0 && n == n_features as i64, format!("names of {n} features"), format!("{n_features}"))?;
        let n_names = modality.features().iter().collect::<HashSet<_>>().len();
        expect(n_names == n_features, "features of different names", format!("{n_names} names of {n_features}"))?;
    }
    expect(modality.shape().n_features() > 0, "at least one feature", format!("{:?}", modality.shape()))?;
    expect(modality.n_bytes() > 0, "the memory that is held", "0 bytes")
}

pub(super) fn absent_file(subject: &OnFile<'_>) -> Checked {
    const NAME: &str = "there_is_no_such_file";
    let path = subject.path.with_file_name(NAME);
    match (OnFile { path: &path, ..*subject }).open() {
        Ok(_) => Err(Mismatch::new("an error", "it opened a file that does not exist")),
        Err(error) => {
            let text = words(&error);
            expect(text.contains(NAME), format!("an error that names `{NAME}`"), text)?;
            refused::<()>(Err(error), "the file")
        }
    }
}

/// A small file may have nothing that passes the filter, which is an error like any other.
pub(super) fn filter(subject: &OnFile<'_>) -> Checked {
    let (mut modality, _) = subject.open()?;
    let n_cells = modality.cells().len();
    match modality.filter_round(&vec![true; n_cells]) {
        Err(error) => refused::<()>(Err(error), "the round"),
        Ok(kept) => {
            expect(kept.len() == n_cells, format!("{n_cells} answers"), format!("{}", kept.len()))?;
            let (n_features, n_names) = (modality.shape().n_features(), modality.features().len() as i64);
            let agree = !matches!(modality.shape(), FeatureShape::Vector(_)) || n_features == n_names;
            expect(agree, format!("names of the {n_features} features that are left"), format!("{n_names}"))
        }
    }
}

pub(super) fn keep_cells(subject: &OnFile<'_>) -> Checked {
    let (mut modality, _) = subject.open()?;
    let rows = [3, 0, 2];
    let expected: Vec<String> = rows.iter().map(|row| modality.cells()[*row].clone()).collect();
    modality.keep_cells(&rows)?;
    expect(modality.cells() == expected, format!("the cells {expected:?}"), format!("{:?}", modality.cells()))?;
    refused(modality.keep_cells(&[0, 3]), "row 3 of 3 cells")
}

/// The step must be fitted once, on the training cells.
pub(super) fn training_cells(subject: &OnFile<'_>) -> Checked {
    let (mut modality, seen) = subject.open()?;
    let training = training(modality.as_ref());
    modality.prepare(&training)?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let expected = if subject.takes_steps { vec![training] } else { Vec::new() };
    expect(seen == expected, format!("a step fitted on {expected:?}"), format!("{seen:?}"))
}
