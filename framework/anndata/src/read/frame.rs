//! The `dataframe` encoding: `obs`, `var`, and tables in `obsm`.

use anyhow::{Context, Result, anyhow, bail};
use hdf5::{Group, Location};
use hdf5_metno as hdf5;

use super::{array, place, text};
use crate::{Categorical, Column, Frame};

/// Reads the table `parent/name`.
///
/// # Errors
/// If it is missing, has no readable index, or was written by anndata 0.6 or older.
pub(crate) fn read(parent: &Group, name: &str) -> Result<Frame> {
    if parent.dataset(name).is_ok() {
        bail!(
            "{} keeps `{name}` in the form of anndata 0.6, which is not read; open the file in Python with anndata \
             and write it again",
            place::label(parent)
        );
    }
    let group = place::group(parent, name)?;
    let index_name = index_name(&group);
    let mut frame = Frame::new(read_index(&group, &index_name)?);
    for name in column_order(&group, &index_name)? {
        let column =
            read_column(&group, &name).unwrap_or_else(|error| array::skipped(&format!("unreadable ({error:#})")));
        frame.insert(&name, column).with_context(|| place::label(&group))?;
    }
    Ok(frame)
}

/// The number of rows of the table `parent/name`.
pub(crate) fn n_rows(parent: &Group, name: &str) -> Result<usize> {
    let group = place::group(parent, name)?;
    Ok(read_index(&group, &index_name(&group))?.len())
}

fn index_name(group: &Group) -> String {
    place::text_attribute(group, "_index").unwrap_or_else(|| "_index".to_owned())
}

fn read_index(group: &Group, name: &str) -> Result<Vec<String>> {
    let column =
        read_column(group, name).with_context(|| format!("could not read the index of {}", place::label(group)))?;
    let labels = column
        .labels()
        .ok_or_else(|| anyhow!("the index `{name}` of {} is {}, expected text", place::label(group), column.kind()))?;
    let missing = || anyhow!("the index `{name}` of {} has missing names; every row needs one", place::label(group));
    labels.into_iter().map(|label| label.ok_or_else(missing)).collect()
}

/// Names of the columns as the file lists them, or all members where it has no list.
fn column_order(group: &Group, index_name: &str) -> Result<Vec<String>> {
    if let Some(order) = place::texts_attribute(group, "column-order") {
        return Ok(order);
    }
    let mut members = place::members(group)?;
    members.retain(|name| name != index_name && name != "__categories");
    Ok(members)
}

/// Reads one column in whatever encoding it is; `Column::Skipped` where the encoding is not known.
fn read_column(parent: &Group, name: &str) -> Result<Column> {
    if let Ok(dataset) = parent.dataset(name) {
        // anndata 0.7: an attribute points to the categories, which lie beside the columns
        if dataset.attr("categories").is_ok() {
            let categories = place::dataset(parent, &format!("__categories/{name}"))?;
            return categorical(array::integers(&dataset)?, &array::column(&categories)?, is_ordered(&categories)?);
        }
        return array::column(&dataset);
    }
    let group = parent.group(name).map_err(|_| anyhow!("{} has no column `{name}`", place::label(parent)))?;
    match place::encoding(&group).as_str() {
        "categorical" => read_categorical(&group),
        other => read_group(&group, other),
    }
}

/// Reads a group of arrays that is one column without categories.
fn read_group(group: &Group, encoding: &str) -> Result<Column> {
    match encoding {
        "nullable-integer" | "nullable-boolean" | "nullable-string-array" => array::nullable(group),
        "" => Ok(array::skipped("group without an encoding")),
        other => Ok(array::skipped(other)),
    }
}

fn read_categorical(group: &Group) -> Result<Column> {
    let codes = place::dataset(group, "codes")?;
    let codes = array::integers(&codes)?;
    // categories of categories are no file that anybody writes; a link to the group itself would never end
    let categories = match group.group("categories") {
        Ok(categories) => read_group(&categories, &place::encoding(&categories))?,
        Err(_) => array::column(&place::dataset(group, "categories")?)?,
    };
    categorical(codes, &categories, is_ordered(group)?)
        .with_context(|| format!("could not read {}", place::label(group)))
}

fn is_ordered(object: &Location) -> Result<bool> {
    match object.attr("ordered") {
        Ok(attribute) => Ok(array::truths(&attribute)?.first() == Some(&true)),
        Err(_) => Ok(false),
    }
}

fn categorical(codes: Vec<i64>, categories: &Column, ordered: bool) -> Result<Column> {
    let names = match categories {
        Column::Float(values) => values.iter().map(f64::to_string).collect(),
        _ => {
            let Some(labels) = categories.labels() else {
                return Ok(array::skipped(&format!("categorical of {}", categories.kind())));
            };
            labels.into_iter().map(Option::unwrap_or_default).collect::<Vec<String>>()
        }
    };
    let code = |code: i64| match usize::try_from(code) {
        Err(_) => Ok(None),
        Ok(place) if place < names.len() => Ok(Some(place as u32)),
        Ok(_) => Err(anyhow!("code {code} points past the {} categories", names.len())),
    };
    let codes = codes.into_iter().map(code).collect::<Result<_>>()?;
    Ok(Column::Categorical(Categorical { codes, categories: names, ordered }))
}

/// Reads a text dataset or attribute that may be absent.
pub(crate) fn optional_text(parent: &Group, path: &str) -> Option<String> {
    let dataset = parent.dataset(path).ok()?;
    text::read(&dataset).ok()?.into_iter().next()
}
