//! One-dimensional arrays of numbers, truths and texts.

use anyhow::{Result, anyhow, bail};
use hdf5::types::{IntSize, TypeDescriptor};
use hdf5::{Container, Dataset, Group};
use hdf5_metno as hdf5;

use super::extent::n_values;
use super::{place, text};
use crate::Column;

/// A dataset of any plain type as a column; `Column::Skipped` for types that are not plain.
pub(crate) fn column(dataset: &Dataset) -> Result<Column> {
    if dataset.ndim() != 1 {
        return Ok(skipped(&format!("array of {} dimensions", dataset.ndim())));
    }
    let Ok(descriptor) = dataset.dtype()?.to_descriptor() else {
        return Ok(skipped("array of an unknown type"));
    };
    match descriptor {
        TypeDescriptor::Float(_) => Ok(Column::Float(numbers(dataset)?)),
        TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_) => {
            Ok(Column::Int(integers(dataset)?.into_iter().map(Some).collect()))
        }
        TypeDescriptor::Boolean => Ok(Column::Bool(truths(dataset)?.into_iter().map(Some).collect())),
        TypeDescriptor::VarLenUnicode
        | TypeDescriptor::VarLenAscii
        | TypeDescriptor::FixedAscii(_)
        | TypeDescriptor::FixedUnicode(_) => Ok(Column::Text(text::read(dataset)?.into_iter().map(Some).collect())),
        other => Ok(skipped(&format!("array of {other}"))),
    }
}

/// A group of `values` and `mask` (true where missing): the nullable encodings.
pub(crate) fn nullable(group: &Group) -> Result<Column> {
    let values = column(&place::dataset(group, "values")?)?;
    let mask = place::dataset(group, "mask")?;
    let mask = truths(&mask)?;
    if values.n_rows().is_some_and(|length| length != mask.len()) {
        bail!("{}: `values` and `mask` differ in length", place::label(group));
    }
    Ok(match values {
        Column::Text(values) => Column::Text(masked(values, &mask)),
        Column::Int(values) => Column::Int(masked(values, &mask)),
        Column::Bool(values) => Column::Bool(masked(values, &mask)),
        Column::Float(mut values) => {
            values.iter_mut().zip(&mask).filter(|(_, missing)| **missing).for_each(|(value, _)| *value = f64::NAN);
            Column::Float(values)
        }
        other => other,
    })
}

fn masked<T>(values: Vec<Option<T>>, mask: &[bool]) -> Vec<Option<T>> {
    values.into_iter().zip(mask).map(|(value, missing)| value.filter(|_| !missing)).collect()
}

/// Says in words why a column was skipped.
pub(crate) fn skipped(encoding: &str) -> Column {
    Column::Skipped { encoding: encoding.to_owned() }
}

/// All values of a dataset or attribute of whole numbers.
///
/// # Errors
/// If a value does not fit in 64 bits with sign.
pub(crate) fn integers(object: &Container) -> Result<Vec<i64>> {
    if n_values(object)? == 0 {
        return Ok(Vec::new());
    }
    let failed = |error| place::explain(object, error);
    if let TypeDescriptor::Unsigned(IntSize::U8) = object.dtype()?.to_descriptor()? {
        let too_large = |value| anyhow!("{} holds {value}, which needs more than 63 bits", place::label(object));
        let fit = |value| i64::try_from(value).map_err(|_| too_large(value));
        return object.read_raw::<u64>().map_err(failed)?.into_iter().map(fit).collect();
    }
    object.read_raw::<i64>().map_err(failed)
}

/// All values of a dataset of truths, kept as HDF5 enumeration (as h5py does) or as 0 and 1.
pub(crate) fn truths(object: &Container) -> Result<Vec<bool>> {
    match object.dtype()?.to_descriptor()? {
        _ if n_values(object)? == 0 => Ok(Vec::new()),
        // as bytes: a damaged file may hold others than 0 and 1, and no `bool` may be one of those
        TypeDescriptor::Boolean => {
            let bytes = object.read_raw::<u8>().map_err(|error| place::explain(object, error))?;
            Ok(bytes.into_iter().map(|byte| byte != 0).collect())
        }
        _ => Ok(integers(object)?.into_iter().map(|value| value != 0).collect()),
    }
}

/// All values of a dataset of numbers, in double precision.
pub(crate) fn numbers(object: &Container) -> Result<Vec<f64>> {
    if n_values(object)? == 0 {
        return Ok(Vec::new());
    }
    object.read_raw::<f64>().map_err(|error| place::explain(object, error))
}
