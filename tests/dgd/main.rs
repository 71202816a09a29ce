//! A whole decoder-only model against the numbers of the published package (multiDGD 0.0.1): losses and gradients, learning
//! step by step and through the stage, rows of new cells, new classes, initial values.

mod independence;
mod initial;
mod learning;
mod mapping;
mod new_classes;
mod stage;
mod total_loss;

use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tch::{Kind, Tensor};
use tests_support::dgd::{N_FEATURES, Published, tensor};

/// libtorch's generator belongs to the process, so tests must not draw from it at once.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Waits until no other test runs.
fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The classes of cells as numbers.
fn classes(labels: &Value) -> Vec<i64> {
    labels.as_array().expect("a list").iter().map(|label| label.as_i64().expect("a number")).collect()
}

/// Rows of some cells in every space of a model: `names` are those of the basal space and of the covariate's.
fn rows(published: &Published, parameters: &Value, names: [&str; 2], kind: Kind) -> Vec<Tensor> {
    published.model.spaces.iter().zip(names).map(|(_, name)| tensor(&parameters[name], kind)).collect()
}

/// The sum over cells and features of each term: reconstruction of both modalities, basal prior, prior of the covariate.
fn sums(terms: &framework::model::Terms, n_cells: usize) -> Vec<f64> {
    let values = Vec::<f64>::try_from(terms.values()).expect("numbers");
    let n_summed = |name: &str| match name {
        "rna" => n_cells as f64 * N_FEATURES[0] as f64,
        "atac" => n_cells as f64 * N_FEATURES[1] as f64,
        _ => n_cells as f64,
    };
    terms.names().zip(values).map(|(name, value)| value * n_summed(name)).collect()
}

/// Wants two numbers to be close in units of the second.
#[track_caller]
fn near(found: f64, expected: f64, relative: f64, what: &str) {
    let off = (found - expected).abs();
    assert!(
        off <= relative * expected.abs(),
        "{what}: {found} instead of {expected} (off by {:.1e})",
        off / expected.abs()
    );
}
