//! `--condition NAME=CATEGORY`: as which category cells are decoded.

use crate::console::Console;
use crate::failure::Misuse;
use anyhow::Result;
use framework::data::Dataset;
use framework::model::{Condition, Model};

/// For each condition of a model the category that the command line names, as its code.
///
/// # Errors
/// When a name or a category is not the model's, as an error of input.
pub(super) fn decoded_as(model: &Model, words: &[String]) -> Result<Vec<Option<i64>>> {
    let mut codes = vec![None; model.conditions.len()];
    for word in words {
        let Some((name, category)) = word.split_once('=') else {
            return Err(Misuse::new(format!("`--condition {word}` must be NAME=CATEGORY")).into());
        };
        let place = model.condition(name).ok_or_else(|| {
            let names = listed(model.conditions.iter().map(|condition| condition.name.as_str()));
            Misuse::new(format!("the model has no condition `{name}`; conditions: {names}"))
        })?;
        codes[place] = Some(code_of(&model.conditions[place], category)?);
    }
    Ok(codes)
}

fn code_of(condition: &Condition, category: &str) -> Result<i64> {
    let unknown = || {
        let names = listed(condition.categories.iter().map(String::as_str));
        Misuse::new(format!("the condition `{}` has no category `{category}`; categories: {names}", condition.name))
    };
    Ok(condition.code(category).ok_or_else(unknown)?)
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    match names.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "none".to_owned(),
        names => names,
    }
}

/// Gives cells without a category of their own the one that they are decoded as, for encoders to be told something.
///
/// # Errors
/// When the console cannot be written to.
pub(super) fn complete(
    dataset: &mut Dataset,
    model: &Model,
    decoded_as: &[Option<i64>],
    console: &mut Console<'_>,
) -> Result<()> {
    for ((own, condition), code) in dataset.categories.iter_mut().zip(&model.conditions).zip(decoded_as) {
        let Some(code) = code else { continue };
        let n_unknown = own.codes.iter().filter(|code| **code < 0).count();
        own.codes.iter_mut().filter(|code| **code < 0).for_each(|unknown| *unknown = *code);
        if n_unknown > 0 {
            let category = &condition.categories[*code as usize];
            console.note(&format!(
                "{n_unknown} cells have no value in `{}`: encoders take them for `{category}`",
                own.column
            ))?;
        }
    }
    Ok(())
}
