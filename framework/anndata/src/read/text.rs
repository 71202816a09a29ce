//! Texts, in any of the four ways in which HDF5 keeps them.

use anyhow::{Result, bail};
use hdf5::Container;
use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5_metno as hdf5;

use super::extent::n_values;
use super::place::{explain, label};

/// The longest fixed-length text that is read, in bytes.
const LONGEST: usize = 1024;

/// All texts of an attribute or dataset, flat. Bytes that are not UTF-8 become replacement characters.
///
/// # Errors
/// If the object does not hold texts, or fixed-length ones of more than 1,024 bytes.
pub(crate) fn read(object: &Container) -> Result<Vec<String>> {
    if n_values(object)? == 0 {
        return Ok(Vec::new());
    }
    let texts = match object.dtype()?.to_descriptor()? {
        TypeDescriptor::VarLenUnicode => decode(object.read_raw::<VarLenUnicode>(), VarLenUnicode::as_bytes),
        TypeDescriptor::VarLenAscii => decode(object.read_raw::<VarLenAscii>(), VarLenAscii::as_bytes),
        TypeDescriptor::FixedAscii(size) if size <= LONGEST => read_ascii(object, size),
        TypeDescriptor::FixedUnicode(size) if size <= LONGEST => read_unicode(object, size),
        other => bail!("{} holds {other}, not text", label(object)),
    };
    texts.map_err(|error| explain(object, error))
}

fn decode<T>(values: hdf5::Result<Vec<T>>, bytes: impl Fn(&T) -> &[u8]) -> hdf5::Result<Vec<String>> {
    let decoded = |value| String::from_utf8_lossy(bytes(value)).into_owned();
    Ok(values?.iter().map(decoded).collect())
}

// HDF5 does not convert one character set into the other

fn read_ascii(object: &Container, size: usize) -> hdf5::Result<Vec<String>> {
    match size {
        0..=16 => read_ascii_as::<16>(object),
        17..=64 => read_ascii_as::<64>(object),
        65..=256 => read_ascii_as::<256>(object),
        _ => read_ascii_as::<LONGEST>(object),
    }
}

fn read_ascii_as<const N: usize>(object: &Container) -> hdf5::Result<Vec<String>> {
    decode(object.read_raw::<FixedAscii<N>>(), FixedAscii::as_bytes)
}

fn read_unicode(object: &Container, size: usize) -> hdf5::Result<Vec<String>> {
    match size {
        0..=16 => read_unicode_as::<16>(object),
        17..=64 => read_unicode_as::<64>(object),
        65..=256 => read_unicode_as::<256>(object),
        _ => read_unicode_as::<LONGEST>(object),
    }
}

fn read_unicode_as<const N: usize>(object: &Container) -> hdf5::Result<Vec<String>> {
    decode(object.read_raw::<FixedUnicode<N>>(), FixedUnicode::as_bytes)
}
