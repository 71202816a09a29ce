//! A modality on one file, opened anew for each check, with a step that tells what it was given.

use crate::loss::TargetValues;
use crate::minibatch::Features;
use crate::modality::{Holding, Modality, ModalitySpec, Source};
use crate::step::Step;
use crate::testing::close::not_finite;
use crate::testing::mismatch::{Checked, Mismatch, expect, legal_refusal, words};
use anndata::Csr;
use anyhow::{Context, Result};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tch::{Kind, Tensor};

/// All that a loss may ask for.
pub(super) const TARGETS: [TargetValues; 5] = [
    TargetValues::Processed,
    TargetValues::UnitInterval,
    TargetValues::Counts,
    TargetValues::Presence,
    TargetValues::Trials,
];

/// A modality on one file.
pub(super) struct OnFile<'a> {
    pub(super) spec: &'a dyn ModalitySpec,
    pub(super) path: &'a Path,
    /// Whether it takes steps: an assay may have no use for them.
    pub(super) takes_steps: bool,
}

/// The rows that a step was fitted on, once for each time it was.
pub(super) type Seen = Arc<Mutex<Vec<Vec<usize>>>>;

impl OnFile<'_> {
    /// Whether it opens with a step, or without; fails where it does neither.
    pub(super) fn accepts_steps(&self) -> Result<bool, Mismatch> {
        let Err(error) = self.open_with(vec![Box::<Scale>::default()]) else { return Ok(true) };
        legal_refusal(&error)?;
        match self.open_with(Vec::new()) {
            Ok(_) => Ok(false),
            Err(other) => Err(other.context("also without steps").into()),
        }
    }

    pub(super) fn open_with(&self, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        self.spec
            .open(&Source { name: "it", path: self.path, key: None, table: None, holding: Holding::default() }, steps)
    }

    /// Opened, and where the step tells the rows that it is fitted on.
    pub(super) fn open(&self) -> Result<(Box<dyn Modality>, Seen)> {
        let seen = Seen::default();
        let steps: Vec<Box<dyn Step>> = match self.takes_steps {
            true => vec![Box::new(Scale { largest: None, seen: Arc::clone(&seen) })],
            false => Vec::new(),
        };
        Ok((self.open_with(steps)?, seen))
    }

    /// Opened and prepared on the rows of even number.
    pub(super) fn prepared(&self) -> Result<Box<dyn Modality>> {
        let (mut modality, _) = self.open()?;
        let training = training(modality.as_ref());
        modality.prepare(&training)?;
        Ok(modality)
    }
}

/// The rows that are fitted on.
pub(super) fn training(modality: &dyn Modality) -> Vec<usize> {
    (0..modality.cells().len()).step_by(2).collect()
}

/// The targets that can be had, at least one.
pub(super) fn possible_targets(modality: &dyn Modality) -> Result<Vec<TargetValues>, Mismatch> {
    let mut possible = Vec::new();
    let mut refusals = Vec::new();
    for values in TARGETS {
        match modality.check_target(values) {
            Ok(()) => possible.push(values),
            Err(error) => {
                legal_refusal(&error)?;
                refusals.push(format!("{values:?}: {}", words(&error)));
            }
        }
    }
    expect(!possible.is_empty(), "a target that some loss can use", refusals.join("; "))?;
    Ok(possible)
}

/// What can be gathered: input, target and trials of these rows, made dense.
pub(super) fn gathered(modality: &dyn Modality, rows: &[usize], values: TargetValues) -> Result<Vec<Tensor>> {
    let gathered = modality.gather(rows, values).with_context(|| format!("rows {rows:?} for {values:?}"))?;
    let features = [Some(gathered.input), Some(gathered.target), gathered.trials].into_iter().flatten();
    Ok(features.map(|features| features.to_dense()).collect())
}

/// Wants features of the right size and kind, finite, and sound where they are sparse.
pub(super) fn sound(features: &Features, n_cells: usize, n_features: i64) -> Checked {
    let numbers = match features {
        Features::Dense(tensor) => tensor,
        Features::Sparse(sparse) => {
            let (offsets, indices) = (&sparse.offsets, &sparse.indices);
            let n_entries = sparse.values.numel() as i64;
            let lengths = offsets.diff(1, 0, None::<Tensor>, None::<Tensor>);
            let fits = offsets.numel() == n_cells + 1
                && indices.numel() as i64 == n_entries
                && offsets.int64_value(&[0]) == 0
                && offsets.int64_value(&[-1]) == n_entries
                && lengths.ge(0).all().int64_value(&[]) == 1
                && indices.ge(0).all().int64_value(&[]) == 1
                && indices.lt(n_features).all().int64_value(&[]) == 1;
            expect(fits, "offsets and indices of compressed sparse rows", format!("{sparse:?}"))?;
            &sparse.values
        }
    };
    let (found, kind) = ((features.n_cells(), features.n_features()), numbers.kind());
    expect(found == (n_cells as i64, n_features), format!("{n_cells} cells × {n_features}"), format!("{found:?}"))?;
    expect(kind == Kind::Float, "numbers of kind Float", format!("{kind:?}"))?;
    let wrong = not_finite(numbers);
    expect(wrong.is_none(), "finite numbers", wrong.unwrap_or_default())
}

/// Divides by the largest value of the training cells, and tells which cells those were.
#[derive(Default)]
struct Scale {
    largest: Option<f64>,
    seen: Seen,
}

impl Step for Scale {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        let values = training.iter().flat_map(|row| matrix.row(*row).1);
        let largest = values.map(|value| f64::from(value.abs())).fold(0.0, f64::max);
        self.largest = Some(if largest > 0.0 { largest } else { 1.0 });
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(training.to_vec());
        Ok(())
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        let largest = self.largest.context("the step was applied before it was fitted or restored")?;
        matrix.values.iter_mut().for_each(|value| *value = (f64::from(*value) / largest) as f32);
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        self.largest.into()
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        self.largest = Some(state.as_f64().context("the saved state is not the number that the step gave")?);
        Ok(())
    }
}
