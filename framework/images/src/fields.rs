//! Tables of fields: one row a field of view, where the image of each channel is, and what is known of the field.
//!
//! A file is named by a column of the table or by a pattern with `{column}` in it, relative to the folder of the table.
//! Every other column is metadata. What is wrong is said with the file and the line.

mod listing;
mod pattern;
mod table;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::listing::Listing;

pub use self::pattern::Pattern;
pub use self::table::Table;

use crate::labels::{Labels, MaskKind};
use crate::nearest;
use crate::plane::{Field, Plane};
use crate::problem::{Problem, require};
use crate::read::{plane_names, read_chosen_planes, read_planes};

/// Where the image of a channel, or a mask, is: by `column` or by `pattern`, one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImageFile {
    /// The column of the table that holds the path.
    pub column: Option<String>,
    /// The path with names of columns in braces, as in `Channel1-{column}-{row}.png`; a `*` in the name of the file
    /// stands for anything, where that leaves one file.
    pub pattern: Option<String>,
    /// Which plane of the file, counted from 0: pages and their samples of a TIFF in order. Left out: the file has one.
    pub plane: Option<usize>,
    /// Which plane of an OME-TIFF, by the name of its channel; instead of `plane`.
    pub plane_name: Option<String>,
    /// Whether a field may lack it, as where not every field has every stain: then its column is empty there.
    pub may_be_missing: bool,
}

/// A table of fields and what its columns mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldsSpec {
    /// A `.csv` or `.tsv` with one row a field.
    pub table: PathBuf,
    /// What a field is called, with names of columns in braces, as in `{row}{column}`; left out: the name of its first
    /// file without the ending.
    #[serde(default)]
    pub name: Option<String>,
    /// The channels by name, in order.
    pub channels: IndexMap<String, ImageFile>,
    /// The label mask of a field; left out: nuclei are found in the spec's `nucleus_channel`.
    #[serde(default)]
    pub mask: Option<ImageFile>,
    /// What the numbers of the masks mean.
    #[serde(default)]
    pub mask_kind: MaskKind,
}

/// The place of one plane: a file, and which of its planes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PlaneAt {
    path: PathBuf,
    plane: Option<usize>,
    plane_name: Option<String>,
}

/// One field of a table, not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRow {
    /// What the field is called.
    pub name: String,
    /// The row's values in all columns of the table.
    pub values: Vec<String>,
    /// The line of the table, counted from 1.
    pub line: u64,
    channels: Vec<(String, Option<PlaneAt>)>,
    mask: Option<PlaneAt>,
}

/// All fields of a table, not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Where the table is.
    pub path: PathBuf,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Its rows, in order.
    pub rows: Vec<FieldRow>,
    mask_kind: MaskKind,
}

impl ImageFile {
    /// A file named by a pattern.
    pub fn by_pattern(pattern: &str) -> Self {
        Self { pattern: Some(pattern.to_owned()), ..Self::default() }
    }

    /// A file named by a column.
    pub fn by_column(column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..Self::default() }
    }

    fn validate(&self, problems: &mut Vec<Problem>, key: &str) {
        let holds = self.column.is_some() != self.pattern.is_some();
        require(problems, holds, key, "needs one of `column` (of the table) and `pattern` (with `{column}` in it)");
        let holds = self.plane.is_none() || self.plane_name.is_none();
        require(problems, holds, key, "has both `plane` and `plane_name`; expected one of them");
    }

    fn pattern(&self, columns: &[String]) -> Result<Pattern> {
        match (&self.pattern, &self.column) {
            (Some(text), _) => Pattern::parse(text, columns),
            (None, Some(column)) => Pattern::column(column, columns),
            (None, None) => Err(anyhow!("neither `column` nor `pattern` says where the file is")),
        }
    }
}

impl FieldsSpec {
    /// Combinations that types cannot express; empty when all is well.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        require(&mut problems, !self.channels.is_empty(), "channels", "is empty; name at least one channel");
        for (name, file) in &self.channels {
            file.validate(&mut problems, &format!("channels.{name}"));
        }
        if let Some(mask) = &self.mask {
            mask.validate(&mut problems, "mask");
            require(
                &mut problems,
                !mask.may_be_missing,
                "mask.may_be_missing",
                "is set, but every field needs its mask",
            );
        }
        problems
    }

    /// Reads the table, no image.
    ///
    /// # Errors
    /// If the table cannot be read, has no row, lacks a column that is named here, two fields have one name, or a field
    /// lacks what may not be missing: says the line.
    pub fn open(&self, folder: &Path) -> Result<Fields> {
        let path = folder.join(&self.table);
        let table = Table::read(&path)?;
        let layout = self.layout(&path, &table.columns).with_context(|| format!("`{}`", path.display()))?;
        let mut listing = Listing::default();
        let row = |(line, values)| {
            layout.row(line, values, &mut listing).with_context(|| format!("`{}`, line {line}", path.display()))
        };
        let rows = table.rows.into_iter().map(row).collect::<Result<Vec<_>>>()?;
        ensure_unique(&path, &rows)?;
        Ok(Fields { path, columns: table.columns, rows, mask_kind: self.mask_kind })
    }

    fn layout(&self, path: &Path, columns: &[String]) -> Result<Layout<'_>> {
        let channel = |(name, file): (&'_ String, &'_ ImageFile)| -> Result<Pattern> {
            file.pattern(columns).with_context(|| format!("channel `{name}`"))
        };
        let patterns = self.channels.iter().map(channel).collect::<Result<Vec<_>>>()?;
        let channels = self.channels.iter().zip(patterns).map(|((name, file), pattern)| (name.as_str(), file, pattern));
        let mask = match &self.mask {
            Some(file) => Some((file, file.pattern(columns).context("mask")?)),
            None => None,
        };
        let name = self.name.as_ref().map(|text| Pattern::parse(text, columns)).transpose().context("`name`")?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Layout { folder, channels: channels.collect(), mask, name })
    }
}

/// How the values of a row become a field.
struct Layout<'a> {
    folder: PathBuf,
    channels: Vec<(&'a str, &'a ImageFile, Pattern)>,
    mask: Option<(&'a ImageFile, Pattern)>,
    name: Option<Pattern>,
}

impl Layout<'_> {
    fn row(&self, line: u64, values: Vec<String>, listing: &mut Listing) -> Result<FieldRow> {
        let mut at = |what: &str, file: &ImageFile, pattern: &Pattern| {
            let found = pattern.render(&values);
            ensure!(
                found.is_some() || file.may_be_missing,
                "{what} has no file: a column is empty; `may_be_missing = true` allows it"
            );
            let path = found.map(|path| listing.only(self.folder.join(path)));
            Ok(path.transpose().with_context(|| what.to_owned())?.map(|path| PlaneAt::new(file, path)))
        };
        let mut channel = |(name, file, pattern): &(&str, &ImageFile, Pattern)| {
            Ok(((*name).to_owned(), at(&format!("channel `{name}`"), file, pattern)?))
        };
        let channels = self.channels.iter().map(&mut channel).collect::<Result<Vec<_>>>()?;
        let mask = match &self.mask {
            Some((file, pattern)) => at("the mask", file, pattern)?,
            None => None,
        };
        let name = self.name.as_ref().map_or_else(|| first_stem(&channels), |name| name.render(&values));
        let name = name.context("the field has no name; set `name` to a pattern of columns")?;
        Ok(FieldRow { name, values, line, channels, mask })
    }
}

fn first_stem(channels: &[(String, Option<PlaneAt>)]) -> Option<String> {
    let first = channels.iter().find_map(|(_, at)| at.as_ref())?;
    Some(first.path.file_stem()?.to_string_lossy().into_owned())
}

fn ensure_unique(path: &Path, rows: &[FieldRow]) -> Result<()> {
    let mut lines = std::collections::HashMap::new();
    for row in rows {
        if let Some(line) = lines.insert(row.name.as_str(), row.line) {
            let (path, name, again) = (path.display(), &row.name, row.line);
            return Err(anyhow!(
                "`{path}`: the fields of lines {line} and {again} are both called `{name}`; set `name` to a pattern of \
                 columns that tells them apart"
            ));
        }
    }
    Ok(())
}

impl PlaneAt {
    fn new(file: &ImageFile, path: PathBuf) -> Self {
        Self { path, plane: file.plane, plane_name: file.plane_name.clone() }
    }

    /// Which plane of the file is meant; none: its only one.
    fn place(&self) -> Result<Option<usize>> {
        let Some(name) = &self.plane_name else { return Ok(self.plane) };
        let names = plane_names(&self.path)?;
        let place = names.iter().position(|known| known == name);
        let place =
            place.ok_or_else(|| anyhow!("`{}`: {}", self.path.display(), nearest::unknown("plane", name, &names)));
        Ok(Some(place?))
    }
}

impl Fields {
    /// Reads the images of a field, and its mask where the table names one.
    ///
    /// Channels that the field lacks are left out. A file that holds several channels is read once.
    ///
    /// # Errors
    /// If a file cannot be read, has not the plane, or sizes differ.
    pub fn read(&self, row: &FieldRow) -> Result<(Field, Option<Labels>)> {
        let present: Vec<(&String, &PlaneAt)> =
            row.channels.iter().filter_map(|(name, at)| Some((name, at.as_ref()?))).collect();
        let places: Vec<&PlaneAt> = present.iter().map(|(_, at)| *at).collect();
        let planes = read_all(&places)?;
        let named = present.iter().map(|(name, _)| (*name).clone()).zip(planes).collect();
        let field = Field::new(named)?;
        let Some(mask) = &row.mask else { return Ok((field, None)) };
        let plane = read_all(&[mask])?.remove(0);
        let labels = Labels::from_plane(&plane, self.mask_kind);
        let labels = labels.with_context(|| format!("`{}`", mask.path.display()))?;
        labels.ensure_size(field.height(), field.width()).with_context(|| format!("`{}`", mask.path.display()))?;
        Ok((field, Some(labels)))
    }
}

impl FieldRow {
    /// Which channels the field has, in the order of the spec.
    pub fn present(&self) -> Vec<bool> {
        self.channels.iter().map(|(_, at)| at.is_some()).collect()
    }

    /// The files of the field, each once.
    pub fn files(&self) -> Vec<&Path> {
        let mut files: Vec<&Path> = Vec::new();
        for at in self.channels.iter().filter_map(|(_, at)| at.as_ref()).chain(&self.mask) {
            if !files.contains(&at.path.as_path()) {
                files.push(&at.path);
            }
        }
        files
    }
}

/// The planes at several places, in order; each file is read once.
fn read_all(places: &[&PlaneAt]) -> Result<Vec<Plane>> {
    let mut planes: Vec<Option<Plane>> = vec![None; places.len()];
    for first in 0..places.len() {
        if planes[first].is_some() {
            continue;
        }
        let path = &places[first].path;
        let same: Vec<usize> = (first..places.len()).filter(|&at| &places[at].path == path).collect();
        let wanted = same.iter().map(|&at| places[at].place()).collect::<Result<Vec<_>>>()?;
        let found = match wanted.iter().copied().collect::<Option<Vec<usize>>>() {
            Some(wanted) => read_chosen_planes(path, &wanted)?,
            None => {
                let found = read_planes(path)?;
                let n_planes = found.len();
                ensure!(
                    n_planes == 1 && same.len() == 1,
                    "`{}` holds {n_planes} planes for {} channels; say which with `plane`, counted from 0",
                    path.display(),
                    same.len()
                );
                found
            }
        };
        same.into_iter().zip(found).for_each(|(at, plane)| planes[at] = Some(plane));
    }
    Ok(planes.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
