//! The `dataframe` encoding and its columns.

use anyhow::{Context, Result, bail, ensure};
use hdf5::{Group, H5Type};
use hdf5_metno as hdf5;

use super::element::{array, create_group, mark, set_attribute, set_text_attribute, set_texts_attribute, texts};
use crate::read::place::{label, text_attribute, texts_attribute};
use crate::{Categorical, Column, Frame};

/// Name of the index when this program writes a table.
const INDEX: &str = "_index";

/// Writes a table.
pub(crate) fn write(parent: &Group, name: &str, frame: &Frame) -> Result<()> {
    let group = create_group(parent, name)?;
    mark(&group, "dataframe", "0.2.0")?;
    set_text_attribute(&group, "_index", INDEX)?;
    texts(&group, INDEX, frame.index().iter().map(String::as_str))?;
    set_texts_attribute(&group, "column-order", &[])?;
    frame.columns().try_for_each(|(name, column)| add_column(&group, name, column))
}

/// Refuses names that the table needs for itself.
pub(crate) fn ensure_column_name(table: &Group, name: &str) -> Result<()> {
    let index = text_attribute(table, "_index").unwrap_or_else(|| INDEX.to_owned());
    ensure!(
        name != index && name != INDEX && name != "__categories",
        "a column cannot be called `{name}` in {}: the name is taken by the table itself",
        label(table)
    );
    Ok(())
}

/// Adds a column to a table in a file; there must not be one of that name.
pub(crate) fn add_column(table: &Group, name: &str, column: &Column) -> Result<()> {
    ensure_column_name(table, name)?;
    write_column(table, name, column)
        .with_context(|| format!("could not write column `{name}` of {}", label(table)))?;
    let mut order = texts_attribute(table, "column-order").unwrap_or_default();
    if !order.iter().any(|known| known == name) {
        order.push(name.to_owned());
        set_texts_attribute(table, "column-order", &order)?;
    }
    Ok(())
}

fn write_column(table: &Group, name: &str, column: &Column) -> Result<()> {
    match column {
        Column::Categorical(column) => write_categorical(table, name, column),
        Column::Text(values) => write_texts(table, name, values),
        Column::Float(values) => array(table, name, values).map(drop),
        Column::Int(values) => write_nullable(table, name, values, "nullable-integer"),
        Column::Bool(values) => write_nullable(table, name, values, "nullable-boolean"),
        Column::Skipped { encoding } => {
            bail!("it was skipped when it was read ({encoding}), so it cannot be written")
        }
    }
}

fn write_categorical(table: &Group, name: &str, column: &Categorical) -> Result<()> {
    let group = create_group(table, name)?;
    mark(&group, "categorical", "0.2.0")?;
    set_attribute(&group, "ordered", &column.ordered)?;
    texts(&group, "categories", column.categories.iter().map(String::as_str))?;
    let n_categories = column.categories.len();
    if let Some(code) = column.codes.iter().flatten().find(|code| **code as usize >= n_categories) {
        bail!("code {code} points past the {n_categories} categories");
    }
    let codes = column.codes.iter().map(|code| code.map_or(-1, |code| code as i32));
    match n_categories {
        0..=127 => array(&group, "codes", &codes.map(|code| code as i8).collect::<Vec<_>>())?,
        128..=32_767 => array(&group, "codes", &codes.map(|code| code as i16).collect::<Vec<_>>())?,
        _ => array(&group, "codes", &codes.collect::<Vec<_>>())?,
    };
    Ok(())
}

fn write_texts(table: &Group, name: &str, values: &[Option<String>]) -> Result<()> {
    let filled = || values.iter().map(|value| value.as_deref().unwrap_or_default());
    if values.iter().all(Option::is_some) {
        return texts(table, name, filled());
    }
    let group = create_group(table, name)?;
    mark(&group, "nullable-string-array", "0.1.0")?;
    set_text_attribute(&group, "na-value", "NaN")?;
    texts(&group, "values", filled())?;
    write_mask(&group, values)
}

fn write_nullable<T: H5Type + Copy + Default>(
    table: &Group,
    name: &str,
    values: &[Option<T>],
    encoding: &str,
) -> Result<()> {
    let filled: Vec<T> = values.iter().map(|value| value.unwrap_or_default()).collect();
    if values.iter().all(Option::is_some) {
        return array(table, name, &filled).map(drop);
    }
    let group = create_group(table, name)?;
    mark(&group, encoding, "0.1.0")?;
    array(&group, "values", &filled)?;
    write_mask(&group, values)
}

fn write_mask<T>(group: &Group, values: &[Option<T>]) -> Result<()> {
    let mask: Vec<bool> = values.iter().map(Option::is_none).collect();
    array(group, "mask", &mask).map(drop)
}
