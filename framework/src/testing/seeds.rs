//! That a seed decides every random number, and that saved parameters are all there is to save.

use super::cells::same;
use super::mismatch::{Checked, Examined, Fault, expect};
use super::subject::{Built, Mode, N_CELLS, Subject, undisturbed};
use crate::run::{read_tensors, write_tensors};
use anyhow::{Context, Result};
use std::collections::HashMap;
use tch::{Tensor, no_grad};

/// Same seed, same bits; save and load, same bits.
pub(super) fn check_seeds(examined: &Examined<'_>, subject: &dyn Subject) -> Result<(), Fault> {
    examined.check("the same seed gives the same bits", &subject.size(), || undisturbed(|| same_seed(subject)))?;
    examined.check("saved and loaded it is the same", &subject.size(), || saved_and_loaded(subject))
}

fn same_seed(subject: &dyn Subject) -> Checked {
    let run = || -> Result<(Built, Vec<Tensor>)> {
        let built = Built::new(subject, 7)?;
        let mut outputs = Vec::new();
        for mode in subject.modes() {
            outputs.extend(built.evaluate(&subject.inputs(N_CELLS, 1), mode)?);
        }
        Ok((built, outputs))
    };
    let ((first, outputs), (second, again)) = (run()?, run()?);
    same_names(&first, &second)?;
    for ((name, first), second) in first.variables().iter().zip(second.variables().values()) {
        same(&[second.copy()], &[first.copy()], 0.0, &format!("the same numbers in `{name}`"))?;
    }
    same(&again, &outputs, 0.0, "the same outputs")
}

fn same_names(first: &Built, second: &Built) -> Checked {
    let names = |built: &Built| built.variables().into_keys().collect::<Vec<_>>();
    let (first, second) = (names(first), names(second));
    expect(first == second, format!("the parameters {first:?} each time it is built"), format!("{second:?}"))
}

fn saved_and_loaded(subject: &dyn Subject) -> Checked {
    let trained = Built::new(subject, 1)?;
    trained.shake();
    let inputs = subject.inputs(N_CELLS, 1);
    // Training moves what is not a parameter, such as running averages.
    for mode in subject.modes() {
        trained.evaluate(&inputs, mode)?;
    }
    let loaded = Built::new(subject, 2)?;
    same_names(&trained, &loaded)?;
    through_a_file(&trained, &loaded)?;
    let expected = trained.evaluate(&inputs, Mode::EVALUATION)?;
    let found = loaded.evaluate(&inputs, Mode::EVALUATION)?;
    same(&found, &expected, 0.0, "the outputs of the component whose parameters and buffers were saved")
}

/// Writes the variables of one build as a run does, and reads them into another.
fn through_a_file(from: &Built, to: &Built) -> Result<()> {
    let folder = tempfile::tempdir().context("no temporary folder could be made")?;
    let path = folder.path().join("weights.safetensors");
    let about = HashMap::from([("about".to_owned(), "a check of saving and loading".to_owned())]);
    write_tensors(&path, &from.variables().into_iter().collect::<Vec<_>>(), about)?;
    let saved = read_tensors(&path)?;
    for (name, mut variable) in to.variables() {
        let saved = saved.get(&name).with_context(|| format!("`{name}` was not saved"))?;
        no_grad(|| variable.f_copy_(saved)).with_context(|| format!("`{name}`"))?;
    }
    Ok(())
}
