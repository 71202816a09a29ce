//! What is checked of a step.

mod matrices;

use super::mismatch::{Check, Checked, Examined, Fault, Mismatch, expect, legal_refusal, refused, words};
use crate::step::{Step, StepSpec, TrainingBlocks};
use anndata::Csr;
use anyhow::Result;
use matrices::matrices;
use serde_json::Value;

/// Checks a step on every matrix; it may refuse some, but not all.
pub(super) fn check(examined: &Examined<'_>, spec: &dyn StepSpec) -> Result<(), Fault> {
    let mut refusals = Vec::new();
    let mut n_accepted = 0;
    for (name, matrix) in matrices() {
        let subject = OnMatrix { spec, matrix };
        let mut is_accepted = false;
        examined.check("it builds and is fitted, or refuses with an error", &name, || {
            match subject.fitted(&subject.matrix).and_then(|step| applied(step.as_ref(), &subject.matrix)) {
                Ok(_) => is_accepted = true,
                Err(error) => {
                    legal_refusal(&error)?;
                    refusals.push(format!("{name}: {}", words(&error)));
                }
            }
            Ok(())
        })?;
        if is_accepted {
            n_accepted += 1;
            check_on(examined, &subject, &name)?;
        }
    }
    examined.check("it accepts some matrix", "", || {
        expect(n_accepted > 0, "counts or values in [0, 1] are accepted", refusals.join("; "))
    })
}

/// A step on one matrix, whose rows of even number are the training cells.
struct OnMatrix<'a> {
    spec: &'a dyn StepSpec,
    matrix: Csr,
}

impl OnMatrix<'_> {
    fn training(&self) -> Vec<usize> {
        (0..self.matrix.n_rows).step_by(2).collect()
    }

    fn fitted(&self, matrix: &Csr) -> Result<Box<dyn Step>> {
        let mut step = self.spec.build()?;
        step.fit(matrix, &self.training())?;
        Ok(step)
    }

    /// The matrix with other values in all cells but the training cells.
    fn with_other_cells(&self, change: impl Fn(f32) -> f32) -> Csr {
        let (training, mut other) = (self.training(), self.matrix.clone());
        for row in (0..other.n_rows).filter(|row| !training.contains(row)) {
            let entries = other.indptr[row] as usize..other.indptr[row + 1] as usize;
            other.values[entries].iter_mut().for_each(|value| *value = change(*value));
        }
        other
    }

    /// The step fitted on the matrix, and the matrix as it leaves it.
    fn usual(&self) -> Result<(Box<dyn Step>, Csr)> {
        let step = self.fitted(&self.matrix)?;
        let applied = applied(step.as_ref(), &self.matrix)?;
        Ok((step, applied))
    }
}

fn applied(step: &dyn Step, matrix: &Csr) -> Result<Csr> {
    let mut matrix = matrix.clone();
    step.apply(&mut matrix)?;
    Ok(matrix)
}

fn check_on(examined: &Examined<'_>, subject: &OnMatrix<'_>, name: &str) -> Result<(), Fault> {
    let checks: [Check<OnMatrix<'_>>; 8] = [
        ("which entries are stored does not change, and zeros stay zeros", structure),
        ("columns that are selected exist, in ascending order", selection),
        ("fitted twice it is the same", repeated),
        ("it learns from training cells only", training_only),
        ("it learns the same from a few cells at a time, or refuses", in_blocks),
        ("what is saved and restored does the same", restored),
        ("the order of the cells is that of the values", permuted),
        ("it is applied or refused before it is fitted", not_fitted),
    ];
    checks.into_iter().try_for_each(|(check, work)| examined.check(check, name, || work(subject)))
}

fn structure(subject: &OnMatrix<'_>) -> Checked {
    let (before, (_, after)) = (&subject.matrix, subject.usual()?);
    let unchanged = (before.n_rows, before.n_columns) == (after.n_rows, after.n_columns)
        && before.indptr == after.indptr
        && before.indices == after.indices
        && before.values.len() == after.values.len();
    expect(unchanged, "the same entries", "other rows, columns or entries")?;
    let places = before.values.iter().zip(&after.values);
    for (before, after) in places {
        expect(after.is_finite(), "finite values", format!("{before} became {after}"))?;
        expect(*before != 0.0 || *after == 0.0, "a zero that stays zero", format!("{before} became {after}"))?;
    }
    Ok(())
}

fn selection(subject: &OnMatrix<'_>) -> Checked {
    let (step, _) = subject.usual()?;
    let Some(selected) = step.selected() else { return Ok(()) };
    let sound = !selected.is_empty()
        && selected.windows(2).all(|pair| pair[0] < pair[1])
        && selected.iter().all(|column| *column < subject.matrix.n_columns);
    let expected = format!("at least one column below {}, each once, ascending", subject.matrix.n_columns);
    expect(sound, expected, format!("{selected:?}"))
}

fn training_only(subject: &OnMatrix<'_>) -> Checked {
    let largest = subject.matrix.values.iter().copied().fold(0.0, f32::max);
    let turned = subject.with_other_cells(|value| largest - value);
    same(subject, subject.fitted(&turned)?.as_ref(), "the same step when other cells change")?;
    // Larger values may be more than a step takes.
    match subject.fitted(&subject.with_other_cells(|value| value * 3.0)) {
        Ok(step) => same(subject, step.as_ref(), "the same step when other cells have larger values"),
        Err(error) => legal_refusal(&error),
    }
}

fn repeated(subject: &OnMatrix<'_>) -> Checked {
    same(subject, subject.fitted(&subject.matrix)?.as_ref(), "the same step from the same cells")
}

/// Wants of a step that it learnt and does what the usual one did.
fn same(subject: &OnMatrix<'_>, step: &dyn Step, what: &str) -> Checked {
    let (usual, expected) = subject.usual()?;
    let learnt = |step: &dyn Step| format!("it learnt {} and selects {:?}", step.state(), step.selected());
    expect(learnt(usual.as_ref()) == learnt(step), format!("{what}: {}", learnt(usual.as_ref())), learnt(step))?;
    same_values(&applied(step, &subject.matrix)?, &expected, what)
}

/// Data on disk come so; a step that learns from the whole matrix alone is told of, not wrong.
fn in_blocks(subject: &OnMatrix<'_>) -> Checked {
    let (matrix, training) = (&subject.matrix, subject.training());
    let mut step = subject.spec.build()?;
    let blocks = training.chunks(3).map(|rows| matrix.select_rows(rows));
    match step.fit_blocks(&mut TrainingBlocks::new(matrix.n_columns, training.len(), blocks)) {
        Ok(()) => same(subject, step.as_ref(), "the same step from blocks of cells"),
        Err(error) => legal_refusal(&error),
    }
}

fn restored(subject: &OnMatrix<'_>) -> Checked {
    let (usual, expected) = subject.usual()?;
    // As it lies in a run directory.
    let text = usual.state().to_string();
    let state: Value = serde_json::from_str(&text).map_err(anyhow::Error::from)?;
    let mut step = subject.spec.build()?;
    step.restore(&state)?;
    same_values(&applied(step.as_ref(), &subject.matrix)?, &expected, "the values of the step that was saved")?;
    let again = step.state().to_string();
    expect(again == text, format!("the state {text}"), again)
}

fn permuted(subject: &OnMatrix<'_>) -> Checked {
    let (step, expected) = subject.usual()?;
    let n_rows = subject.matrix.n_rows;
    let orders = [(0..n_rows).rev().collect::<Vec<_>>(), vec![n_rows / 2], vec![n_rows - 1, 0]];
    for order in orders {
        let found = applied(step.as_ref(), &subject.matrix.select_rows(&order)?)?;
        same_values(
            &found,
            &expected.select_rows(&order)?,
            &format!("the values of the cells {order:?}, in that order"),
        )?;
    }
    Ok(())
}

fn not_fitted(subject: &OnMatrix<'_>) -> Checked {
    let step = subject.spec.build()?;
    match applied(step.as_ref(), &subject.matrix) {
        Ok(_) => Ok(()),
        error => refused(error, "a matrix before fitting"),
    }
}

fn same_values(found: &Csr, expected: &Csr, what: &str) -> Checked {
    let place = found.values.iter().zip(&expected.values).position(|(found, expected)| found != expected);
    match place {
        Some(place) => Err(Mismatch::new(
            what,
            format!("{} instead of {} at entry {place}", found.values[place], expected.values[place]),
        )),
        None => expect(found == expected, what, "other entries"),
    }
}
