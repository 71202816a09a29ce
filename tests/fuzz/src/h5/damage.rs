//! Changes to the structure of a sound file: other types, shapes, values, attributes and links.

use std::path::{Path, PathBuf};

use arbitrary::Arbitrary;
use hdf5::{Dataset, File, Group, Location, Result, SimpleExtents};
use hdf5_metno as hdf5;

use super::content::{Content, MAX_WRITTEN, Value};
use super::seeds::seed;
use crate::Scratch;

/// More changes than this say nothing new.
const MAX_EDITS: usize = 8;
/// Paths that a file may have and its sound form has not.
const MORE_PATHS: [&str; 10] = [
    "/X",
    "/raw/X",
    "/raw/var",
    "/layers/more",
    "/obsm/more",
    "/obs/more",
    "/obs/__categories/more",
    "/mod/more",
    "/matrix",
    "/uns/tool",
];
const ATTRIBUTES: [&str; 10] = [
    "encoding-type",
    "encoding-version",
    "shape",
    "_index",
    "column-order",
    "ordered",
    "categories",
    "mod-order",
    "channel_names",
    "channel_mapping",
];

/// A sound file and what is changed in it.
#[derive(Debug, Arbitrary)]
pub struct Damage {
    seed: u8,
    then: u8,
    edits: Vec<Edit>,
}

/// What is done with a file beside reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Results are added to a copy.
    Annotate,
    /// What was read is written and read again.
    Rewrite,
    /// Nothing.
    Nothing,
}

#[derive(Debug, Arbitrary)]
enum Edit {
    Remove { object: u16 },
    Group { object: u16 },
    Array { object: u16, content: Content, layout: Layout },
    Value { object: u16, place: u8, value: Value },
    Attribute { object: u16, name: u8, content: Content },
    Word { object: u16, name: u8, word: Value },
    NoAttribute { object: u16, name: u8 },
    Link { object: u16, target: u16, soft: bool },
}

#[derive(Debug, Arbitrary)]
enum Layout {
    InOnePiece,
    Chunks(u8),
    Compressed(u8),
    Unlimited(u8),
}

impl Damage {
    /// What is done with the file beside reading it: it is annotated, or written anew, or neither, as these take longer.
    pub fn then(&self) -> Then {
        match self.then % 8 {
            0 => Then::Annotate,
            1 => Then::Rewrite,
            _ => Then::Nothing,
        }
    }

    /// Writes the damaged file. A change that HDF5 refuses is left out.
    pub fn write(&self, scratch: &Scratch) -> PathBuf {
        let (content, paths) = seed(self.seed);
        let path = scratch.file("input.h5", content);
        let _ = self.change(&path, paths);
        path
    }

    fn change(&self, path: &Path, paths: &[String]) -> Result<()> {
        let file = File::open_rw(path)?;
        let object = |number: &u16| {
            let number = usize::from(*number) % (paths.len() + MORE_PATHS.len());
            paths.get(number).map_or_else(|| MORE_PATHS[number - paths.len()], String::as_str)
        };
        for edit in self.edits.iter().take(MAX_EDITS) {
            let _ = match edit {
                Edit::Remove { object: at } => file.unlink(object(at)),
                Edit::Group { object: at } => {
                    remade(&file, object(at)).and_then(|_| group(&file, object(at))).map(drop)
                }
                Edit::Array { object: at, content, layout } => array(&file, object(at), content, layout),
                Edit::Value { object: at, place, value } => {
                    file.dataset(object(at)).and_then(|dataset| change_value(&dataset, usize::from(*place), value))
                }
                Edit::Attribute { object: at, name, content } => {
                    on(&file, object(at), |found| set_attribute(found, attribute(*name), content))
                }
                Edit::Word { object: at, name, word } => {
                    on(&file, object(at), |found| set_word(found, attribute(*name), &word.text()))
                }
                Edit::NoAttribute { object: at, name } => {
                    on(&file, object(at), |found| found.delete_attr(attribute(*name)))
                }
                Edit::Link { object: at, target, soft } => link(&file, object(at), object(target), *soft),
            };
        }
        file.close()
    }
}

fn attribute(number: u8) -> &'static str {
    ATTRIBUTES[usize::from(number) % ATTRIBUTES.len()]
}

/// Does something to the group or array of a path.
fn on(file: &File, path: &str, work: impl FnOnce(&Location) -> Result<()>) -> Result<()> {
    match file.group(path) {
        Ok(group) => work(&group),
        Err(_) => work(&*file.dataset(path)?),
    }
}

/// Makes room for a new object; its parents are made where they are missing.
fn remade(file: &File, path: &str) -> Result<()> {
    let _ = file.unlink(path);
    if let Some((parent, _)) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
        group(file, parent)?;
    }
    Ok(())
}

fn group(file: &File, path: &str) -> Result<Group> {
    file.group(path).or_else(|_| file.create_group(path))
}

fn array(file: &File, path: &str, content: &Content, layout: &Layout) -> Result<()> {
    remade(file, path)?;
    if content.n_values().is_none() {
        return endless_array(file, path, content);
    }
    let mut extents = content.extents();
    if let Layout::Unlimited(_) = layout {
        extents = extents.resizable();
    }
    let lengths = extents.dims();
    let builder = file.new_dataset_builder().empty_as(&content.descriptor()).shape(extents);
    let pieces = |n: u8| lengths.iter().map(|length| usize::from(n).clamp(1, (*length).max(1))).collect::<Vec<_>>();
    let builder = match layout {
        Layout::InOnePiece if content.is_small() => builder.no_chunk(),
        _ if lengths.is_empty() => builder.no_chunk(),
        Layout::InOnePiece => builder.chunk(pieces(1)),
        Layout::Chunks(n) | Layout::Unlimited(n) => builder.chunk(pieces(*n)),
        Layout::Compressed(n) => builder.chunk(pieces(*n)).deflate(1),
    };
    content.write(&*builder.create(path)?)
}

/// An array of more values than can be counted: it can only become so long after it was created.
fn endless_array(file: &File, path: &str, content: &Content) -> Result<()> {
    let lengths = content.extents().dims();
    let start = SimpleExtents::resizable(vec![1; lengths.len()]);
    let builder = file.new_dataset_builder().empty_as(&content.descriptor()).shape(start);
    builder.chunk(vec![1; lengths.len()]).create(path)?.resize(lengths)
}

/// Changes one value of an array of numbers.
fn change_value(dataset: &Dataset, place: usize, value: &Value) -> Result<()> {
    let n_values = dataset.shape().iter().try_fold(1usize, |n, length| n.checked_mul(*length));
    if !n_values.is_some_and(|n| (1..=MAX_WRITTEN).contains(&n)) {
        return Ok(());
    }
    let mut values = dataset.read_dyn::<f64>()?;
    let place = place % values.len();
    if let Some(found) = values.iter_mut().nth(place) {
        *found = value.real();
    }
    dataset.write(&values)
}

fn set_attribute(object: &Location, name: &str, content: &Content) -> Result<()> {
    if content.n_values().is_none() {
        return Ok(());
    }
    let _ = object.delete_attr(name);
    let attribute = object.new_attr_builder().empty_as(&content.descriptor()).shape(content.extents()).create(name)?;
    content.write(&attribute)
}

fn set_word(object: &Location, name: &str, word: &str) -> Result<()> {
    let _ = object.delete_attr(name);
    let word: hdf5::types::VarLenUnicode = word.parse().unwrap_or_default();
    object.new_attr::<hdf5::types::VarLenUnicode>().create(name)?.write_scalar(&word)
}

fn link(file: &File, path: &str, target: &str, soft: bool) -> Result<()> {
    if !soft && path == target {
        return Ok(());
    }
    // the target may lie below what is replaced
    file.link_hard(target, "/kept")?;
    remade(file, path)?;
    let linked = if soft { file.link_soft(target, path) } else { file.link_hard("/kept", path) };
    file.unlink("/kept")?;
    linked
}
