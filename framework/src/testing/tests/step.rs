//! Broken steps.

use super::assert_told;
use crate::component::{Role, Spec};
use crate::testing;
use crate::{Step, StepSpec, TrainingBlocks, component};
use anndata::Csr;
use anyhow::{Context, Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};

/// Divides by the largest value of the training cells and keeps the first columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ToyStepSpec {
    /// What is wrong with it; nothing where it is empty.
    fault: String,
}

impl Spec for ToyStepSpec {}

#[typetag::serialize(name = "toy_step")]
impl StepSpec for ToyStepSpec {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(ToyStep { fault: self.fault.clone(), largest: None, selected: None, restored: false }))
    }
}

struct ToyStep {
    fault: String,
    largest: Option<f64>,
    selected: Option<Vec<usize>>,
    restored: bool,
}

fn largest<'a>(values: impl Iterator<Item = &'a f32>) -> f64 {
    values.map(|value| f64::from(*value)).fold(0.0, f64::max)
}

impl Step for ToyStep {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        ensure!(self.fault != "refuses_all", "no matrix is any good");
        assert!(self.fault != "one_cell_panics" || training.len() > 1, "a variance needs two cells");
        let known = training.iter().flat_map(|row| matrix.row(*row).1);
        let found = if self.fault == "learns_from_all" { largest(matrix.values.iter()) } else { largest(known) };
        ensure!(found > 0.0, "no training cell has a value above 0");
        static N_FITTED: AtomicU32 = AtomicU32::new(1);
        self.largest = Some(match self.fault.as_str() {
            "fits_differently" => f64::from(N_FITTED.fetch_add(1, Ordering::Relaxed)),
            _ => found,
        });
        self.selected = Some(match self.fault.as_str() {
            "selects_beyond" => vec![0, matrix.n_columns],
            "selects_backwards" if matrix.n_columns > 1 => vec![1, 0],
            _ => (0..matrix.n_columns.div_ceil(2)).collect(),
        });
        Ok(())
    }

    fn fit_blocks(&mut self, blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        let n_columns = blocks.n_columns();
        let mut found = 0.0;
        for block in blocks {
            let own = largest(block?.values.iter());
            found = if self.fault == "last_block_only" { own } else { own.max(found) };
        }
        ensure!(found > 0.0, "no training cell has a value above 0");
        (self.largest, self.selected) = (Some(found), Some((0..n_columns.div_ceil(2)).collect()));
        Ok(())
    }

    fn selected(&self) -> Option<&[usize]> {
        self.selected.as_deref()
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        if self.fault == "not_fitted_panics" {
            assert!(self.largest.is_some(), "it was not fitted");
        }
        let own = largest(matrix.values.iter());
        let divisor = match self.fault.as_str() {
            "learns_when_applied" => own,
            "not_finite" => 0.0,
            _ => self.largest.context("the largest value has not been learnt")?,
        };
        let added = if self.fault == "zeros_move" { 0.5 } else { 0.0 };
        matrix.values.iter_mut().for_each(|value| *value = ((f64::from(*value) + added) / divisor) as f32);
        if self.fault == "drops_an_entry" {
            matrix.indices.pop();
            matrix.values.pop();
            matrix.indptr.iter_mut().for_each(|end| *end = (*end).min(matrix.values.len() as u64));
        }
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        match self.fault.as_str() {
            "saves_less" => 1.0.into(),
            "saves_once" if self.restored => serde_json::Value::Null,
            _ => self.largest.into(),
        }
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        self.restored = true;
        if self.fault != "restores_nothing" {
            self.largest = Some(state.as_f64().context("the saved state is not a number")?);
        }
        Ok(())
    }
}

component! {
    role: Step,
    name: "toy_step",
    spec: ToyStepSpec,
    summary: "divides by the largest value, broken where it is told to be",
    source: "a test",
    example: "",
}

#[test]
fn a_sound_step_passes() {
    testing::step("toy_step").check();
}

#[test]
fn broken_steps_are_caught() {
    let faults = [
        ("refuses_all", "it accepts some matrix", "1 feature: no matrix is any good"),
        ("one_cell_panics", "it builds and is fitted", "panicked: a variance needs two cells"),
        ("drops_an_entry", "which entries are stored does not change", "other rows, columns or entries"),
        ("zeros_move", "which entries are stored does not change", "found:    0 became"),
        ("not_finite", "which entries are stored does not change", "expected: finite values"),
        ("selects_beyond", "columns that are selected exist", "at least one column below 7"),
        ("selects_backwards", "columns that are selected exist", "[1, 0]"),
        ("learns_from_all", "it learns from training cells only", "the same step when other cells have larger values"),
        ("last_block_only", "it learns the same from a few cells at a time", "the same step from blocks of cells"),
        ("restores_nothing", "what is saved and restored", "the largest value has not been learnt"),
        ("saves_less", "what is saved and restored", "the values of the step that was saved"),
        ("saves_once", "what is saved and restored", "found:    null"),
        ("fits_differently", "fitted twice it is the same", "the same step from the same cells: it learnt"),
        ("learns_when_applied", "the order of the cells", "the values of the cells"),
        ("not_fitted_panics", "it is applied or refused before it is fitted", "panicked: it was not fitted"),
    ];
    assert_told(Role::Step, "toy_step", &faults);
}
