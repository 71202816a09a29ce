//! Rows as they are handed out, and totals over them.

use super::file::{OnFile, gathered, possible_targets, sound};
use crate::loss::{Statistics, TargetValues};
use crate::modality::Modality;
use crate::testing::cells::same;
use crate::testing::close::flat;
use crate::testing::mismatch::{Checked, Mismatch, expect, refused};
use crate::testing::subject::rows;
use anyhow::Context;
use serde_json::Value;

/// Every target that is promised is what it should be; one that is not is refused with words.
pub(super) fn targets(subject: &OnFile<'_>) -> Checked {
    let modality = subject.prepared()?;
    let (n_cells, n_features) = (modality.cells().len(), modality.shape().n_features());
    let all: Vec<usize> = (0..n_cells).collect();
    for values in possible_targets(modality.as_ref())? {
        let gathered = modality.gather(&all, values).with_context(|| format!("{values:?}"))?;
        sound(&gathered.input, n_cells, n_features)?;
        sound(&gathered.target, n_cells, n_features)?;
        let is_asked = values == TargetValues::Trials;
        let has = gathered.trials.is_some();
        expect(has == is_asked, format!("trials for {values:?}: {is_asked}"), format!("{has}"))?;
        let trials = match &gathered.trials {
            Some(trials) => {
                sound(trials, n_cells, n_features)?;
                flat(&trials.to_dense())
            }
            None => Vec::new(),
        };
        let (input, target) = (flat(&gathered.input.to_dense()), flat(&gathered.target.to_dense()));
        let is_legal = |place: usize, value: f64| match values {
            TargetValues::Processed => value == input[place],
            TargetValues::UnitInterval => (0.0..=1.0).contains(&value),
            TargetValues::Counts => value >= 0.0 && value.fract() == 0.0,
            TargetValues::Presence => value == 0.0 || value == 1.0,
            TargetValues::Trials => value >= 0.0 && value <= trials[place],
        };
        let wrong = target.iter().enumerate().find(|(place, value)| !is_legal(*place, **value));
        expect(wrong.is_none(), format!("a target of {values:?}"), format!("{wrong:?}"))?;
    }
    Ok(())
}

/// Selections of one, of some, repeated and in any order are rows of the whole.
pub(super) fn any_rows(subject: &OnFile<'_>) -> Checked {
    let modality = subject.prepared()?;
    let n = modality.cells().len();
    let backwards: Vec<usize> = (0..n).rev().collect();
    let selections = [vec![0], vec![n - 1], vec![2, 0, 2, 3, 2], vec![1, n - 1, 0], backwards];
    let all: Vec<usize> = (0..n).collect();
    for values in possible_targets(modality.as_ref())? {
        let whole = gathered(modality.as_ref(), &all, values)?;
        for selection in &selections {
            let found = gathered(modality.as_ref(), selection, values)?;
            let places: Vec<i64> = selection.iter().map(|row| *row as i64).collect();
            same(&found, &rows(&whole, &places), 0.0, &format!("the rows {selection:?} of the whole"))?;
        }
    }
    Ok(())
}

pub(super) fn absent_row(subject: &OnFile<'_>) -> Checked {
    let modality = subject.prepared()?;
    let n = modality.cells().len();
    for values in possible_targets(modality.as_ref())? {
        refused(modality.gather(&[0, n], values), &format!("row {n} of {n} cells"))?;
    }
    Ok(())
}

pub(super) fn kept(subject: &OnFile<'_>) -> Checked {
    let mut modality = subject.prepared()?;
    let selection = [3, 0, 2];
    let possible = possible_targets(modality.as_ref())?;
    let gather = |modality: &dyn Modality, rows: &[usize]| -> Result<Vec<_>, Mismatch> {
        possible.iter().map(|values| Ok(gathered(modality, rows, *values)?)).collect()
    };
    let expected = gather(modality.as_ref(), &selection)?;
    modality.keep_cells(&selection)?;
    let found = gather(modality.as_ref(), &[0, 1, 2])?;
    found.iter().zip(&expected).try_for_each(|(found, expected)| same(found, expected, 0.0, "the rows that were kept"))
}

pub(super) fn statistics(subject: &OnFile<'_>) -> Checked {
    let modality = subject.prepared()?;
    let all: Vec<usize> = (0..modality.cells().len()).collect();
    let (some, others) = all.split_at(all.len() / 3);
    let numbers = |rows: &[usize]| -> Result<[f64; 4], Mismatch> {
        let Statistics { n_entries, n_nonzero, raw_sum, processed_sum } = modality.statistics(rows)?;
        Ok([n_entries, n_nonzero, raw_sum, processed_sum])
    };
    let (whole, first, rest) = (numbers(&all)?, numbers(some)?, numbers(others)?);
    let n_entries = (all.len() as i64 * modality.shape().n_features()) as f64;
    expect(whole[0] == n_entries, format!("{n_entries} entries"), format!("{}", whole[0]))?;
    expect(whole.iter().all(|number| number.is_finite()), "finite totals", format!("{whole:?}"))?;
    for ((whole, first), rest) in whole.iter().zip(first).zip(rest) {
        let adds_up = (whole - (first + rest)).abs() <= 1e-6 * (1.0 + whole.abs());
        expect(adds_up, format!("totals of all cells that are {first} + {rest} of two parts"), format!("{whole}"))?;
    }
    let none = numbers(&[])?;
    expect(none == [0.0; 4], "totals of 0 over no cells", format!("{none:?}"))
}

/// What another run takes up from the file gives what the first run gave.
pub(super) fn restored(subject: &OnFile<'_>) -> Checked {
    let first = subject.prepared()?;
    // As it lies in a run directory.
    let text = first.state().to_string();
    let state: Value = serde_json::from_str(&text).map_err(anyhow::Error::from)?;
    let (mut second, _) = subject.open()?;
    let alignment = second.restore(&state)?;
    let aligned = alignment.missing.is_empty() && alignment.n_unknown == 0;
    expect(aligned, "all features of the same file", format!("{alignment:?}"))?;
    let names = |modality: &dyn Modality| modality.features().to_vec();
    expect(names(second.as_ref()) == names(first.as_ref()), "the features that were saved", "others")?;
    let all: Vec<usize> = (0..first.cells().len()).collect();
    for values in possible_targets(first.as_ref())? {
        let expected = gathered(first.as_ref(), &all, values)?;
        let found = gathered(second.as_ref(), &all, values)?;
        same(&found, &expected, 0.0, &format!("the rows for {values:?} of the run that was saved"))?;
    }
    let again = second.state().to_string();
    expect(again == text, format!("the state {text}"), again)
}
