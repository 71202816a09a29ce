//! From a spec to crops on disk, in a stream: as many fields are in memory as there are threads, or fewer.

mod blocks;
mod inputs;
mod prepare;
mod stack;
mod write;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use indexmap::IndexMap;

use self::inputs::{Contents as InputContents, files_sha256};
use self::prepare::{Prepared, Preparer, ensure_intensities};
use self::write::CellWriter;
use crate::crops::{Crops, Skipped};
use crate::fields::{FieldRow, Fields, FieldsSpec};
use crate::normalise::{Range, Reach, Tally};
use crate::plane::{PixelKind, Plane};
use crate::read::Stack;
use crate::spec::{CellImagesSpec, OnBadField};
use crate::stack::CellStack;

/// Opens the crops that a spec describes; makes them first unless the cache is of the same spec and files.
///
/// `folder` is where relative paths of the spec start. Whether files are the same is told by their names, lengths and
/// times of change, not by reading them all.
///
/// # Errors
/// If the spec has problems, the table or stack cannot be read, no cell is found at all, the cache is damaged or cannot
/// be written, or a field is bad and `on_bad_field = "error"`: names table, line and field.
pub fn make_crops(spec: &CellImagesSpec, folder: &Path, cache: &Path) -> Result<Crops> {
    spec.ensure_valid()?;
    match (&spec.fields, &spec.stack) {
        (Some(fields), _) => of_fields(spec, fields, folder, cache),
        (None, Some(of_spec)) => {
            let images = Stack::open(&folder.join(&of_spec.path), of_spec.entry.as_deref())?;
            stack::make(spec, (of_spec, &images), folder, cache)
        }
        (None, None) => bail!("needs one of `fields` (of view) and `stack` (of single cells)"),
    }
}

/// The same of images of single cells that another reader opened; `spec` describes them in its `stack`.
///
/// # Errors
/// If the spec has problems or no `stack`, an image cannot be read, or the cache is damaged or cannot be written.
pub fn make_crops_of(spec: &CellImagesSpec, images: &dyn CellStack, folder: &Path, cache: &Path) -> Result<Crops> {
    spec.ensure_valid()?;
    let stack = spec.stack.as_ref().context("the spec has no `stack`")?;
    stack::make(spec, (stack, images), folder, cache)
}

fn of_fields(spec: &CellImagesSpec, of_spec: &FieldsSpec, folder: &Path, cache: &Path) -> Result<Crops> {
    let fields = of_spec.open(folder)?;
    let files_sha256 = files_sha256(spec, &fields.path, fields.rows.iter().flat_map(FieldRow::files))?;
    if let Some(crops) = reusable(cache, &files_sha256)? {
        return Ok(crops);
    }
    let mut bad = BadFields::new(spec.on_bad_field, &fields);
    let plates = Plates::of(spec, &fields, &mut bad)?;
    let preparer = Preparer { spec, fields: &fields, plates: &plates };
    let mut inputs = InputContents::new(spec, &fields.path)?;
    let mut writer = CellWriter::create(spec, cache, fields.columns.clone())?;
    let mut kinds = Kinds::default();
    blocks::each(
        &fields.rows,
        |row| preparer.prepare(row),
        Prepared::n_bytes,
        |row, prepared| {
            if bad.has(row) {
                return Ok(());
            }
            let agreed = prepared.and_then(|one| kinds.agree(row, one.kinds()).map(|()| one));
            let Some(prepared) = bad.unless_skipped(row, agreed)? else { return Ok(()) };
            inputs.add(&row.name, &prepared.sha256);
            writer.add_field(row, &prepared)
        },
    )?;
    let n_skipped = bad.skipped.len();
    ensure!(writer.n_cells() > 0, "no cell was found: all {n_skipped} fields were skipped; the first: {}", bad.first());
    writer.finish(inputs.finish(), files_sha256, bad.skipped)?;
    Crops::open(cache)
}

/// An existing cache of the same spec and files.
fn reusable(cache: &Path, files_sha256: &str) -> Result<Option<Crops>> {
    if !cache.exists() {
        return Ok(None);
    }
    let crops = Crops::open(cache)?;
    Ok((crops.contents().files_sha256 == files_sha256).then_some(crops))
}

/// Fields that gave no cells.
struct BadFields<'a> {
    policy: OnBadField,
    fields: &'a Fields,
    skipped: Vec<Skipped>,
}

impl<'a> BadFields<'a> {
    fn new(policy: OnBadField, fields: &'a Fields) -> Self {
        Self { policy, fields, skipped: Vec::new() }
    }

    fn has(&self, row: &FieldRow) -> bool {
        self.skipped.iter().any(|skipped| skipped.line == row.line)
    }

    /// What was made of a field; none, and listed, where it is bad and may be.
    fn unless_skipped<T>(&mut self, row: &FieldRow, made: Result<T>) -> Result<Option<T>> {
        match (made, self.policy) {
            (Ok(made), _) => Ok(Some(made)),
            (Err(error), OnBadField::Error) => Err(error).with_context(|| {
                let (path, line, name) = (self.fields.path.display(), row.line, &row.name);
                format!("`{path}`, line {line}: the field `{name}` is bad (`on_bad_field = \"skip\"` uses the others)")
            }),
            (Err(error), OnBadField::Skip) => {
                let reason = format!("{error:#}");
                self.skipped.push(Skipped { field: row.name.clone(), line: row.line, reason });
                Ok(None)
            }
        }
    }

    fn first(&self) -> &str {
        self.skipped.first().map_or("there was none", |skipped| &skipped.reason)
    }
}

/// What a pixel of each channel is: that of the first field that has it.
#[derive(Default)]
struct Kinds {
    known: IndexMap<String, (PixelKind, String)>,
}

impl Kinds {
    fn agree(&mut self, row: &FieldRow, found: Vec<(&str, PixelKind)>) -> Result<()> {
        for &(name, found) in &found {
            if let Some((kind, first)) = self.known.get(name) {
                ensure!(
                    found == *kind,
                    "channel `{name}` is {}, but {} in the field `{first}`; the images of a channel are of one bit depth",
                    found.name(),
                    kind.name()
                );
            }
        }
        for (name, found) in found {
            self.known.entry(name.to_owned()).or_insert_with(|| (found, row.name.clone()));
        }
        Ok(())
    }
}

/// The ranges of plates, by the value of their column and by channel; empty where no range is of a plate.
struct Plates {
    column: Option<usize>,
    ranges: IndexMap<(String, String), Range>,
}

impl Plates {
    /// Reads every field once to see the range of its plate.
    fn of(spec: &CellImagesSpec, fields: &Fields, bad: &mut BadFields<'_>) -> Result<Self> {
        let mut plates = Self { column: None, ranges: IndexMap::new() };
        if spec.normalisation.per != Reach::Plate {
            return Ok(plates);
        }
        if let Some(name) = &spec.normalisation.plate_column {
            let place = fields.columns.iter().position(|column| column == name);
            let unknown = || crate::nearest::unknown("column", name, &fields.columns);
            plates.column = Some(place.with_context(|| format!("`normalisation.plate_column`: {}", unknown()))?);
        }
        let mut tallies: IndexMap<(String, String), Tally> = IndexMap::new();
        let mut kinds = Kinds::default();
        blocks::each(
            &fields.rows,
            |row| Counted::of(fields, row),
            Counted::n_bytes,
            |row, counted| {
                let agreed = counted.and_then(|one| kinds.agree(row, one.kinds()).map(|()| one));
                for (channel, _, tally) in bad.unless_skipped(row, agreed)?.into_iter().flat_map(|one| one.channels) {
                    let key = (plates.plate(row).to_owned(), channel);
                    let sum = tallies.entry(key.clone()).or_insert(Tally::Empty);
                    sum.add(tally).with_context(|| format!("plate `{}`, channel `{}`", key.0, key.1))?;
                }
                Ok(())
            },
        )?;
        for (key, tally) in tallies {
            let range = tally.range(&spec.normalisation);
            let range = range.with_context(|| format!("plate `{}`, channel `{}`", key.0, key.1))?;
            plates.ranges.insert(key, range);
        }
        Ok(plates)
    }

    fn plate<'r>(&self, row: &'r FieldRow) -> &'r str {
        self.column.map_or("", |place| &row.values[place])
    }

    fn range(&self, row: &FieldRow, channel: &str) -> Option<Range> {
        self.ranges.get(&(self.plate(row).to_owned(), channel.to_owned())).copied()
    }
}

/// How often each value occurs in a field.
struct Counted {
    /// Name of a channel, what its pixels are, and their values.
    channels: Vec<(String, PixelKind, Tally)>,
    n_pixels: usize,
}

impl Counted {
    fn of(fields: &Fields, row: &FieldRow) -> Result<Self> {
        let (field, _) = fields.read(row)?;
        let of = |(name, plane): (&String, &Plane)| {
            ensure_intensities(plane).with_context(|| format!("channel `{name}`"))?;
            Ok((name.clone(), plane.pixels().kind(), Tally::of(plane)))
        };
        let channels = field.names().iter().zip(field.planes()).map(of).collect::<Result<_>>()?;
        Ok(Self { channels, n_pixels: field.height() * field.width() })
    }

    fn kinds(&self) -> Vec<(&str, PixelKind)> {
        self.channels.iter().map(|(name, kind, _)| (name.as_str(), *kind)).collect()
    }

    /// About what it took to count: images of four bytes, and a count of each value.
    fn n_bytes(&self) -> usize {
        self.channels.len() * (4 * self.n_pixels + (8 << 16))
    }
}

#[cfg(test)]
mod tests;
