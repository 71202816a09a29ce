//! Texts, in any of the four ways in which HDF5 keeps them.

use anyhow::{Result, bail};
use hdf5::Container;
use hdf5::types::{FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5_metno as hdf5;

use super::place::{explain, label};

/// The longest fixed-length text that is read, in bytes.
const LONGEST: usize = 1024;

/// All texts of an attribute or dataset, flat. Bytes that are not UTF-8 become replacement characters.
///
/// # Errors
/// If the object does not hold texts, or fixed-length ones of more than 1,024 bytes.
pub(crate) fn read(object: &Container) -> Result<Vec<String>> {
    if object.size() == 0 {
        return Ok(Vec::new());
    }
    let texts = match object.dtype()?.to_descriptor()? {
        TypeDescriptor::VarLenUnicode => decode(object.read_raw::<VarLenUnicode>(), VarLenUnicode::as_bytes),
        TypeDescriptor::VarLenAscii => decode(object.read_raw::<VarLenAscii>(), VarLenAscii::as_bytes),
        TypeDescriptor::FixedAscii(size) | TypeDescriptor::FixedUnicode(size) if size <= LONGEST => {
            read_fixed(object, size)
        }
        other => bail!("{} holds {other}, not text", label(object)),
    };
    texts.map_err(|error| explain(object, error))
}

fn decode<T>(values: hdf5::Result<Vec<T>>, bytes: impl Fn(&T) -> &[u8]) -> hdf5::Result<Vec<String>> {
    let decoded = |value| String::from_utf8_lossy(bytes(value)).into_owned();
    Ok(values?.iter().map(decoded).collect())
}

fn read_fixed(object: &Container, size: usize) -> hdf5::Result<Vec<String>> {
    match size {
        0..=16 => read_fixed_as::<16>(object),
        17..=64 => read_fixed_as::<64>(object),
        65..=256 => read_fixed_as::<256>(object),
        _ => read_fixed_as::<LONGEST>(object),
    }
}

fn read_fixed_as<const N: usize>(object: &Container) -> hdf5::Result<Vec<String>> {
    decode(object.read_raw::<FixedUnicode<N>>(), FixedUnicode::as_bytes)
}
