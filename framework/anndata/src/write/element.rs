//! The smallest pieces: attributes, arrays, texts and groups, each with its encoding attributes.

use std::str::FromStr;

use anyhow::{Context, Result, anyhow, ensure};
use hdf5::types::VarLenUnicode;
use hdf5::{Dataset, Group, H5Type, Location};
use hdf5_metno as hdf5;

use crate::UnsTree;
use crate::read::place::label;

/// States how an object is encoded.
pub(crate) fn mark(object: &Location, encoding: &str, version: &str) -> Result<()> {
    set_text_attribute(object, "encoding-type", encoding)?;
    set_text_attribute(object, "encoding-version", version)
}

/// Sets an attribute to a text.
pub(crate) fn set_text_attribute(object: &Location, name: &str, text: &str) -> Result<()> {
    remove_attribute(object, name)?;
    let attribute = object.new_attr::<VarLenUnicode>().create(name)?;
    Ok(attribute.write_scalar(&unicode(text)?)?)
}

/// Sets an attribute to a list of texts; an empty one has the form that Python gives it.
pub(crate) fn set_texts_attribute(object: &Location, name: &str, texts: &[String]) -> Result<()> {
    remove_attribute(object, name)?;
    if texts.is_empty() {
        object.new_attr::<f64>().shape(0).create(name)?;
        return Ok(());
    }
    let texts = unicodes(texts.iter().map(String::as_str))?;
    object.new_attr_builder().with_data(&texts).create(name)?;
    Ok(())
}

/// Sets an attribute to one value.
pub(crate) fn set_attribute<T: H5Type>(object: &Location, name: &str, value: &T) -> Result<()> {
    remove_attribute(object, name)?;
    Ok(object.new_attr::<T>().create(name)?.write_scalar(value)?)
}

fn remove_attribute(object: &Location, name: &str) -> Result<()> {
    if object.attr_names()?.iter().any(|known| known == name) {
        object.delete_attr(name)?;
    }
    Ok(())
}

/// Creates a group that Python reads as a dictionary.
pub(crate) fn dict(parent: &Group, name: &str) -> Result<Group> {
    let group = create_group(parent, name)?;
    mark(&group, "dict", "0.1.0")?;
    Ok(group)
}

/// Creates a group after checking its name.
pub(crate) fn create_group(parent: &Group, name: &str) -> Result<Group> {
    ensure_name(name)?;
    parent.create_group(name).with_context(|| format!("could not create `{name}` in {}", label(parent)))
}

/// Writes a list of numbers or truths.
pub(crate) fn array<T: H5Type>(parent: &Group, name: &str, values: &[T]) -> Result<Dataset> {
    ensure_name(name)?;
    let created = parent.new_dataset_builder().with_data(values).create(name);
    let dataset = created.with_context(|| format!("could not write `{name}` in {}", label(parent)))?;
    mark(&dataset, "array", "0.2.0")?;
    Ok(dataset)
}

/// Writes a list of texts.
pub(crate) fn texts<'a>(parent: &Group, name: &str, texts: impl Iterator<Item = &'a str>) -> Result<()> {
    let dataset = array(parent, name, &unicodes(texts)?)?;
    mark(&dataset, "string-array", "0.2.0")
}

/// Writes texts and numbers nested by name.
pub(crate) fn tree(parent: &Group, name: &str, tree: &UnsTree) -> Result<()> {
    match tree {
        UnsTree::Text(text) => {
            ensure_name(name)?;
            let dataset = parent.new_dataset::<VarLenUnicode>().create(name)?;
            dataset.write_scalar(&unicode(text)?)?;
            mark(&dataset, "string", "0.2.0")
        }
        UnsTree::Texts(list) => texts(parent, name, list.iter().map(String::as_str)),
        UnsTree::Numbers(numbers) => array(parent, name, numbers).map(|_| ()),
        UnsTree::Branch(branch) => {
            let group = dict(parent, name)?;
            branch.iter().try_for_each(|(name, value)| self::tree(&group, name, value))
        }
    }
}

/// Refuses names that HDF5 would take for a path.
pub(crate) fn ensure_name(name: &str) -> Result<()> {
    ensure!(
        !name.is_empty() && name != "." && !name.contains(['/', '\0']),
        "`{}` cannot be a name inside a file: expected some text without `/`",
        name.escape_debug()
    );
    Ok(())
}

fn unicode(text: &str) -> Result<VarLenUnicode> {
    VarLenUnicode::from_str(text)
        .map_err(|_| anyhow!("the text `{}` holds a zero byte, which HDF5 cannot keep; remove it", text.escape_debug()))
}

fn unicodes<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<VarLenUnicode>> {
    texts.map(unicode).collect()
}
