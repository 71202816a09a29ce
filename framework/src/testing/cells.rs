//! What holds of any function of cells: sizes, the order of cells, and that cells do not know each other.

use super::close::{difference, not_finite};
use super::mismatch::{Check, Checked, Examined, Fault, expect, legal_refusal};
use super::subject::{Built, Mode, N_CELLS, Subject, rows};
use tch::{Kind, Tensor};

/// Rounding of single precision, where sums may run in another order.
const ROUNDING: f64 = 1e-5;

/// Sizes, order, independence, sparse inputs.
pub(super) fn check_cells(examined: &Examined<'_>, subject: &dyn Subject) -> Result<(), Fault> {
    let checks: [Check<dyn Subject + '_>; 7] = [
        ("shapes are right, for one cell, too", shapes),
        ("cells whose inputs are all zero give finite numbers", zeros),
        ("evaluation gives the same bits each time", repeated),
        ("the order of the cells is that of the outputs", permuted),
        ("a cell's output depends on that cell only", alone),
        ("one cell gives what it gives among others", one),
        ("sparse and dense inputs give the same", sparse),
    ];
    checks.into_iter().try_for_each(|(name, check)| examined.check(name, &subject.size(), || check(subject)))
}

fn shapes(subject: &dyn Subject) -> Checked {
    let built = Built::new(subject, 1)?;
    for n_cells in [N_CELLS, 2, 1] {
        for mode in subject.modes() {
            match built.evaluate(&subject.inputs(n_cells, 1), mode) {
                Ok(outputs) => sound(subject, &outputs, n_cells, mode)?,
                // Normalising over cells needs two; a minibatch never has a single cell in training.
                Err(error) if n_cells == 1 && mode.training => legal_refusal(&error)?,
                Err(error) => return Err(error.context(format!("{n_cells} cells {}", mode.name())).into()),
            }
        }
    }
    Ok(())
}

/// Number, sizes and kind of outputs, and that they are finite.
fn sound(subject: &dyn Subject, outputs: &[Tensor], n_cells: i64, mode: Mode) -> Checked {
    let (expected, found) = (subject.outputs(n_cells), outputs.iter().map(Tensor::size).collect::<Vec<_>>());
    let where_ = format!("{n_cells} cells {}", mode.name());
    expect(found == expected, format!("the sizes {expected:?} for {where_}"), format!("{found:?}"))?;
    for output in outputs {
        let kind = output.kind();
        expect(kind == Kind::Float, format!("numbers of kind Float for {where_}"), format!("{kind:?}"))?;
        let wrong = not_finite(output);
        expect(wrong.is_none(), format!("finite numbers for {where_}"), wrong.unwrap_or_default())?;
    }
    Ok(())
}

fn zeros(subject: &dyn Subject) -> Checked {
    let built = Built::new(subject, 1)?;
    let inputs: Vec<Tensor> = subject.inputs(N_CELLS, 1).iter().map(Tensor::zeros_like).collect();
    for mode in subject.modes() {
        sound(subject, &built.evaluate(&inputs, mode)?, N_CELLS, mode)?;
    }
    match subject.takes_sparse() {
        true => sound(subject, &built.evaluate(&inputs, Mode::SPARSE)?, N_CELLS, Mode::SPARSE),
        false => Ok(()),
    }
}

fn repeated(subject: &dyn Subject) -> Checked {
    let built = Built::new(subject, 1)?;
    let inputs = subject.inputs(N_CELLS, 1);
    let first = built.evaluate(&inputs, Mode::EVALUATION)?;
    same(&built.evaluate(&inputs, Mode::EVALUATION)?, &first, 0.0, "the second time what came out the first time")
}

pub(super) fn permuted(subject: &dyn Subject) -> Checked {
    const ORDER: [i64; N_CELLS as usize] = [3, 0, 4, 1, 2];
    let built = Built::new(subject, 1)?;
    let inputs = subject.inputs(N_CELLS, 1);
    let expected = rows(&built.evaluate(&inputs, Mode::EVALUATION)?, &ORDER);
    let found = built.evaluate(&rows(&inputs, &ORDER), Mode::EVALUATION)?;
    same(&found, &expected, ROUNDING, "outputs in the order of the cells")
}

fn alone(subject: &dyn Subject) -> Checked {
    const KEPT: [i64; 2] = [0, 1];
    let built = Built::new(subject, 1)?;
    let inputs = subject.inputs(N_CELLS, 1);
    let others = subject.inputs(N_CELLS - 2, 2);
    let kept = rows(&inputs, &KEPT);
    let changed: Vec<Tensor> = kept.iter().zip(&others).map(|(kept, others)| Tensor::cat(&[kept, others], 0)).collect();
    let expected = rows(&built.evaluate(&inputs, Mode::EVALUATION)?, &KEPT);
    let found = rows(&built.evaluate(&changed, Mode::EVALUATION)?, &KEPT);
    same(&found, &expected, ROUNDING, "the same for two cells when all others change")
}

fn one(subject: &dyn Subject) -> Checked {
    let built = Built::new(subject, 1)?;
    let inputs = subject.inputs(N_CELLS, 1);
    let expected = rows(&built.evaluate(&inputs, Mode::EVALUATION)?, &[1]);
    let found = built.evaluate(&rows(&inputs, &[1]), Mode::EVALUATION)?;
    same(&found, &expected, ROUNDING, "the same for a cell by itself")
}

fn sparse(subject: &dyn Subject) -> Checked {
    if !subject.takes_sparse() {
        return Ok(());
    }
    let built = Built::new(subject, 1)?;
    let inputs = subject.inputs(N_CELLS, 1);
    let dense = built.evaluate(&inputs, Mode::EVALUATION)?;
    same(&built.evaluate(&inputs, Mode::SPARSE)?, &dense, ROUNDING, "from sparse inputs what dense ones give")
}

/// Wants outputs that agree.
pub(super) fn same(found: &[Tensor], expected: &[Tensor], tolerance: f64, what: &str) -> Checked {
    let (n_found, n_expected) = (found.len(), expected.len());
    expect(n_found == n_expected, format!("{n_expected} tensors"), format!("{n_found}"))?;
    for (found, expected) in found.iter().zip(expected) {
        let difference = difference(found, expected, tolerance);
        expect(difference.is_none(), what, difference.unwrap_or_default())?;
    }
    Ok(())
}
