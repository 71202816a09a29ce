//! How many values an array has, checked against what its file can hold.
//!
//! A damaged file may declare any shape, and memory for all of it is asked for before the first value is read.

use anyhow::{Result, anyhow, ensure};
use hdf5::Container;
use hdf5::dataset::Layout;
use hdf5_metno as hdf5;

use super::place::label;

/// Arrays of so many bytes are read whatever the file holds of them.
const SMALL: u64 = 16 << 20;
/// No compressor makes more out of one byte.
const MOST_PER_BYTE: u64 = 1 << 16;

/// The number of values of an array or attribute.
///
/// # Errors
/// If they cannot be counted in 64 bits, or are more than the file can hold.
pub(crate) fn n_values(object: &Container) -> Result<usize> {
    let shape = object.shape();
    let n_values = shape.iter().try_fold(1usize, |n, length| n.checked_mul(*length));
    let damaged = || anyhow!("{} is said to have the shape {shape:?}; the file is damaged", label(object));
    let n_values = n_values.ok_or_else(damaged)?;
    let n_bytes = (n_values as u64).checked_mul(object.dtype()?.size() as u64).ok_or_else(damaged)?;
    if n_bytes > SMALL {
        let n_stored = n_stored_bytes(object);
        let most = n_stored.map_or(u64::MAX, |n_stored| n_stored.saturating_mul(MOST_PER_BYTE));
        ensure!(
            n_bytes <= most,
            "{} is said to have the shape {shape:?}, but the file holds {} bytes of it; the file is damaged",
            label(object),
            n_stored.unwrap_or_default()
        );
    }
    Ok(n_values)
}

/// Bytes that lie in the file for an array; none where its values lie in other files.
fn n_stored_bytes(object: &Container) -> Option<u64> {
    let Ok(dataset) = object.as_dataset() else { return Some(object.storage_size()) };
    let is_own = matches!(dataset.layout(), Layout::Compact | Layout::Contiguous | Layout::Chunked);
    let elsewhere = dataset.dcpl().is_ok_and(|made| !made.external().is_empty());
    let n_file = dataset.file().map_or(u64::MAX, |file| file.size());
    (is_own && !elsewhere).then(|| dataset.storage_size().min(n_file))
}
