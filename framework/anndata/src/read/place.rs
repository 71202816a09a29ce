//! Opening groups, datasets and attributes with messages that say which object of which file is at fault.

use anyhow::{Context, Result, anyhow};
use hdf5::{Container, Dataset, Group, Location};
use hdf5_metno as hdf5;

use super::{extent, text};

/// "`/mod/rna/X` in `cells.h5mu`": the object as messages name it.
pub(crate) fn label(object: &Location) -> String {
    format!("`{}` in `{}`", valid(object.name()), valid(object.filename()))
}

/// A group that must exist.
pub(crate) fn group(parent: &Group, name: &str) -> Result<Group> {
    parent.group(name).map_err(|_| anyhow!("{} has no group `{name}`; it is not a complete AnnData", label(parent)))
}

/// A dataset that must exist and be no longer than its file can hold.
pub(crate) fn dataset(parent: &Group, name: &str) -> Result<Dataset> {
    let dataset = parent.dataset(name).map_err(|_| {
        anyhow!("{} has no array `{name}`; the file is incomplete or of an unknown version", label(parent))
    })?;
    extent::n_values(&dataset)?;
    Ok(dataset)
}

/// Names of the members of a group; none if there is no such group.
pub(crate) fn member_names(parent: &Group, name: &str) -> Result<Vec<String>> {
    match parent.group(name) {
        Ok(group) => members(&group),
        Err(_) => Ok(Vec::new()),
    }
}

/// Names of all members of a group.
pub(crate) fn members(group: &Group) -> Result<Vec<String>> {
    let names = group.member_names().with_context(|| format!("could not list {}", label(group)))?;
    Ok(names.into_iter().map(valid).collect())
}

/// A name as HDF5 hands it out, which is any bytes: those that are not UTF-8 become replacement characters.
fn valid(name: String) -> String {
    String::from_utf8(name.into_bytes()).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A text attribute; none if it is absent or not text.
pub(crate) fn text_attribute(object: &Location, name: &str) -> Option<String> {
    texts_attribute(object, name)?.into_iter().next()
}

/// An attribute that is a list of texts; none if it is absent or not text.
pub(crate) fn texts_attribute(object: &Location, name: &str) -> Option<Vec<String>> {
    let attribute = object.attr(name).ok()?;
    text::read(&attribute).ok()
}

/// The `encoding-type` of an object; empty for files older than anndata 0.7.
pub(crate) fn encoding(object: &Location) -> String {
    text_attribute(object, "encoding-type").unwrap_or_default()
}

/// Explains why the values of a dataset or attribute could not be read.
pub(crate) fn explain(object: &Container, error: hdf5::Error) -> anyhow::Error {
    let filters = object.as_dataset().map(|dataset| dataset.filters()).unwrap_or_default();
    let Some(filter) = filters.iter().find(|filter| !filter.is_available()) else {
        return anyhow!(error).context(format!("could not read {}; the file may be damaged", label(object)));
    };
    anyhow!(
        "{} is compressed with {} (HDF5 filter {}), which is not built in; install Python's `hdf5plugin` and set \
         HDF5_PLUGIN_PATH to its `plugins` folder, or save the file again with gzip",
        label(object),
        filter_name(filter.id()),
        filter.id()
    )
}

fn filter_name(id: i32) -> &'static str {
    match id {
        307 => "bzip2",
        32000 => "lzf",
        32001 => "blosc",
        32004 => "lz4",
        32008 => "bitshuffle",
        32013 => "zfp",
        32015 => "zstd",
        32026 => "blosc2",
        _ => "a compressor",
    }
}
