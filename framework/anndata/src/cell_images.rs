//! Images of single cells in an HDF5 file, as scPortrait writes them (`.h5sc`).
//!
//! | written by | images, cells × channels × rows × columns | names of channels | cells |
//! |---|---|---|---|
//! | scPortrait 1.4 and later | `obsm/single_cell_images` | its attributes `channel_names` and `channel_mapping` | `obs` |
//! | earlier ones | `single_cell_data` | none | second column of `single_cell_index` |
//!
//! Images are read a range of cells and one channel at a time.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use hdf5::{Group, Selection};
use hdf5_metno as hdf5;

use crate::read::place::{dataset, members, texts_attribute};
use crate::read::values::Numbers;
use crate::read::{array, frame};
use crate::{Frame, nearest};

const IMAGES: &str = "obsm/single_cell_images";
const OLD_IMAGES: &str = "single_cell_data";
const OLD_INDEX: &str = "single_cell_index";
/// Columns of `obs` with the number of a cell in the segmentation.
const IDS: [&str; 2] = ["scportrait_cell_id", "cell_id"];

/// A channel of such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageChannel {
    /// What it is called; its place, counted from 0, where the file does not say.
    pub name: String,
    /// Whether it is a mask of the cell, 0 or 1, and no image.
    pub is_mask: bool,
}

/// Images of single cells, opened for reading.
pub struct CellImages {
    path: PathBuf,
    numbers: Numbers,
    shape: [usize; 4],
    channels: Vec<ImageChannel>,
    cells: Vec<String>,
    obs: Frame,
}

impl CellImages {
    /// Opens a file and reads what it says of its cells and channels.
    ///
    /// # Errors
    /// If there is no such file, it holds no images of cells, or it contradicts itself.
    pub fn open(path: &Path) -> Result<Self> {
        ensure!(path.is_file(), "no file `{}`", path.display());
        let opened = hdf5::File::open(path);
        let file = opened.with_context(|| format!("`{}` cannot be opened as HDF5; is it whole?", path.display()))?;
        Self::read_facts(path, &file.as_group()?).with_context(|| format!("cannot read `{}`", path.display()))
    }

    fn read_facts(path: &Path, root: &Group) -> Result<Self> {
        let is_old = !(root.link_exists("obsm") && root.dataset(IMAGES).is_ok());
        if is_old && !root.link_exists(OLD_IMAGES) {
            let mut found = members(root).unwrap_or_default();
            found.sort_unstable();
            let members = found.join(", ");
            bail!("it holds no images of single cells (`{IMAGES}`, or `{OLD_IMAGES}` in older files), but: {members}");
        }
        let images = dataset(root, if is_old { OLD_IMAGES } else { IMAGES })?;
        let Ok(shape) = <[usize; 4]>::try_from(images.shape()) else {
            bail!("its images have shape {:?}; expected cells × channels × rows × columns", images.shape());
        };
        ensure!(shape.iter().all(|&n| n > 0), "its images have shape {shape:?}: there is nothing in it");
        let names = texts_attribute(&images, "channel_names");
        let mapping = texts_attribute(&images, "channel_mapping").unwrap_or_default();
        let channels = channels(names, &mapping, shape[1])?;
        let obs = if is_old { old_obs(root)? } else { frame::read(root, "obs")? };
        let n_known = obs.n_rows();
        ensure!(n_known == shape[0], "it knows of {n_known} cells, but has images of {}", shape[0]);
        let cells = cell_names(&obs);
        Ok(Self { path: path.to_owned(), numbers: Numbers::new(images)?, shape, channels, cells, obs })
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.shape[0]
    }

    /// Rows and columns of an image.
    pub fn size(&self) -> (usize, usize) {
        (self.shape[2], self.shape[3])
    }

    /// Its channels, in order.
    pub fn channels(&self) -> &[ImageChannel] {
        &self.channels
    }

    /// The place of a channel.
    ///
    /// # Errors
    /// If there is none of that name: lists the channels and the nearest name.
    pub fn channel(&self, name: &str) -> Result<usize> {
        let place = self.channels.iter().position(|channel| channel.name == name);
        let names: Vec<String> = self.channels.iter().map(|channel| channel.name.clone()).collect();
        place.with_context(|| format!("`{}`: {}", self.path.display(), nearest::unknown("channel", name, &names)))
    }

    /// What each cell is called: its number in the segmentation where every cell has its own, else its name in `obs`.
    pub fn cells(&self) -> &[String] {
        &self.cells
    }

    /// What is known of each cell.
    pub fn obs(&self) -> &Frame {
        &self.obs
    }

    /// The pixels of one channel of a range of cells, image after image, row by row.
    ///
    /// # Errors
    /// If the file is damaged, is compressed in a way that is not built in, or a pixel is not finite.
    pub fn read(&self, cells: Range<usize>, channel: usize) -> Result<Vec<f32>> {
        let first = cells.start;
        let slice = self.numbers.read(Selection::from((cells, channel, .., ..)));
        let slice = slice.with_context(|| format!("cannot read `{}`", self.path.display()))?;
        if let Some((place, value)) = slice.misfit {
            let cell = &self.cells[first + place / (self.shape[2] * self.shape[3])];
            let (path, name) = (self.path.display(), &self.channels[channel].name);
            bail!("`{path}`: a pixel of the cell `{cell}`, channel `{name}`, is {value}; expected finite numbers");
        }
        Ok(slice.values)
    }
}

fn channels(names: Option<Vec<String>>, mapping: &[String], n_channels: usize) -> Result<Vec<ImageChannel>> {
    let names = names.unwrap_or_else(|| (0..n_channels).map(|place| place.to_string()).collect());
    let n_named = names.len();
    ensure!(n_named == n_channels, "its images have {n_channels} channels, but it names {n_named}");
    let is_mask = |place: usize| mapping.get(place).is_some_and(|kind| kind == "mask");
    Ok(names.into_iter().enumerate().map(|(place, name)| ImageChannel { name, is_mask: is_mask(place) }).collect())
}

/// The cells of an older file: the second of each pair is the number in the segmentation.
fn old_obs(root: &Group) -> Result<Frame> {
    let index = dataset(root, OLD_INDEX)?;
    let shape = index.shape();
    ensure!(shape.len() == 2 && shape[1] == 2, "`{OLD_INDEX}` has shape {shape:?}; expected two numbers for each cell");
    let ids = array::integers(&index)?.chunks_exact(2).map(|pair| pair[1].to_string()).collect();
    Ok(Frame::new(ids))
}

fn cell_names(obs: &Frame) -> Vec<String> {
    let own = || IDS.iter().find_map(|column| obs.labels(column)?.into_iter().collect::<Option<Vec<String>>>());
    let is_unique = |names: &Vec<String>| names.iter().collect::<HashSet<_>>().len() == names.len();
    own().filter(is_unique).unwrap_or_else(|| obs.index().to_vec())
}
