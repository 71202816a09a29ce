//! A modality whose measurements are images of single cells: one channel of the crops beside a file of cells.
//!
//! `cithara cut` writes both: an .h5mu with a modality per channel, whose `uns["cithara_images"]` names the crops and the
//! channel, and the crops. Images stay whole numbers on disk; only those of a minibatch become tensors.
//!
//! Rows may also be pairs of a cell and a protein: then `uns` names columns of `obs`, one with the cell whose crop a row shows and
//! one with the channel, and crops stay as they are, each read for every pair that shows it.

use super::matrix::open_annotated;
use crate::loss::{Statistics, TargetValues};
use crate::minibatch::{FeatureShape, Features};
use crate::modality::{Alignment, Gathered, Modality, Source};
use crate::step::Step;
use anndata::Annotated;
use anyhow::{Context, Result, bail, ensure};
use images::Crops;
use rayon::prelude::*;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use tch::Tensor;

/// Cells whose pixels are summed at a time.
const N_TOGETHER: usize = 256;

/// Name of the table below `uns` that says where crops are.
pub const IMAGES_KEY: &str = "cithara_images";
/// In that table, the column of `obs` with the cell whose crop a row shows, where rows are not cells.
pub const CELL_COLUMN_KEY: &str = "cell_column";
/// In that table, the column of `obs` with the channel that a row shows, where it is not the same for all.
pub const CHANNEL_COLUMN_KEY: &str = "channel_column";

/// The crop of each of some cells, as numbers from 0 to 1.
pub struct ImageModality {
    crops: Crops,
    cells: Vec<String>,
    /// The crop of each row: its cell and its channel.
    places: Vec<(usize, usize)>,
    /// Names of the pixels, row by row.
    features: Vec<String>,
}

/// Opens the images of a modality of a file that `cithara cut` wrote.
///
/// # Errors
/// When there are steps, the file or the modality is missing, or it names no crops that hold its cells.
pub fn open_images(source: &Source<'_>, steps: &[Box<dyn Step>]) -> Result<ImageModality> {
    ensure!(
        steps.is_empty(),
        "steps work on matrices, not on images; how these become numbers is said where they are cut"
    );
    let opened = open_annotated(source, &[])?;
    let shown = Shown { opened: &opened, path: source.path };
    let file = shown.required("crops")?;
    let crops = Crops::open(&source.path.parent().unwrap_or(Path::new("")).join(&file))?;
    let channels = shown.channels(&crops)?;
    let names = crops.contents().cells.names();
    let by_name: HashMap<&str, usize> = names.iter().enumerate().map(|(row, name)| (name.as_str(), row)).collect();
    let place = |(cell, channel): (String, usize)| match by_name.get(cell.as_str()) {
        Some(&row) if crops.contents().cells.has(row, channel) => Ok((row, channel)),
        _ => bail!("`{file}` holds no image of the cell `{cell}` in channel `{}`", crops.contents().channels[channel]),
    };
    let places = shown.cells()?.into_iter().zip(channels).map(place).collect::<Result<_>>()?;
    let side = crops.contents().side;
    let features = (0..side * side).map(|pixel| format!("r{}c{}", pixel / side, pixel % side)).collect();
    Ok(ImageModality { cells: opened.cells().to_vec(), places, features, crops })
}

/// What a file says of the crops that its rows show.
struct Shown<'a> {
    opened: &'a Annotated,
    path: &'a Path,
}

impl Shown<'_> {
    fn text(&self, key: &str) -> Option<String> {
        self.opened.uns_text(&format!("{IMAGES_KEY}/{key}"))
    }

    fn required(&self, key: &str) -> Result<String> {
        let path = self.path.display();
        let missing = || {
            format!("`{path}` holds no images of the modality (`uns/{IMAGES_KEY}/{key}`); cut them with `cithara cut`")
        };
        self.text(key).with_context(missing)
    }

    /// A column of obs with a value for each row.
    fn column(&self, name: &str) -> Result<Vec<String>> {
        let path = self.path.display();
        let missing = || format!("`{path}` names the column `{name}` of obs, but has none; cut it again");
        let labels = self.opened.obs().labels(name).with_context(missing)?.into_iter().zip(self.opened.cells());
        let value = |(label, cell): (Option<String>, &String)| {
            label.with_context(|| format!("`{path}`: the column `{name}` of obs is empty for `{cell}`"))
        };
        labels.map(value).collect()
    }

    /// The channel that each row shows.
    fn channels(&self, crops: &Crops) -> Result<Vec<usize>> {
        match self.text(CHANNEL_COLUMN_KEY) {
            Some(column) => self.column(&column)?.iter().map(|name| crops.channel(name)).collect(),
            None => Ok(vec![crops.channel(&self.required("channel")?)?; self.opened.cells().len()]),
        }
    }

    /// The cell that each row shows.
    fn cells(&self) -> Result<Vec<String>> {
        match self.text(CELL_COLUMN_KEY) {
            Some(column) => self.column(&column),
            None => Ok(self.opened.cells().to_vec()),
        }
    }
}

impl ImageModality {
    fn side(&self) -> i64 {
        self.crops.contents().side as i64
    }

    fn places(&self, rows: &[usize]) -> Result<Vec<(usize, usize)>> {
        let place = |row: &usize| self.places.get(*row).copied().with_context(|| format!("there is no cell {row}"));
        rows.iter().map(place).collect()
    }

    fn pixels(&self, rows: &[usize]) -> Result<Vec<f32>> {
        Ok(self.crops.gather_each(self.places(rows)?.into_iter())?.to_f32())
    }
}

impl Modality for ImageModality {
    fn cells(&self) -> &[String] {
        &self.cells
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn shape(&self) -> FeatureShape {
        FeatureShape::Image { channels: 1, height: self.side(), width: self.side() }
    }

    fn cell_of_rows(&self) -> Option<Vec<usize>> {
        let mut met = HashSet::with_capacity(self.places.len());
        let each_alone = self.places.iter().all(|(cell, _)| met.insert(*cell));
        (!each_alone).then(|| self.places.iter().map(|(cell, _)| *cell).collect())
    }

    fn keep_cells(&mut self, rows: &[usize]) -> Result<()> {
        self.places = self.places(rows)?;
        self.cells = rows.iter().map(|row| self.cells[*row].clone()).collect();
        Ok(())
    }

    fn prepare(&mut self, _training: &[usize]) -> Result<()> {
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        json!({ "side": self.side() })
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<Alignment> {
        let side = state["side"].as_i64().context("the saved state is not that of images")?;
        ensure!(
            side == self.side(),
            "the model was learned from images of {side} × {side} pixels, but these are {0} × {0}; cut them alike",
            self.side()
        );
        Ok(Alignment { n_found: self.features.len(), missing: Vec::new(), n_unknown: 0 })
    }

    fn statistics(&self, rows: &[usize]) -> Result<Statistics> {
        let totals = |rows: &[usize]| -> Result<(f64, f64)> {
            let pixels = self.pixels(rows)?;
            let n_nonzero = pixels.iter().filter(|pixel| **pixel > 0.0).count() as f64;
            Ok((n_nonzero, pixels.iter().map(|pixel| f64::from(*pixel)).sum()))
        };
        // all, so that of several errors the first is told
        let totals: Vec<Result<(f64, f64)>> = rows.par_chunks(N_TOGETHER).map(totals).collect();
        let totals: Vec<(f64, f64)> = totals.into_iter().collect::<Result<_>>()?;
        let sum: f64 = totals.iter().map(|(_, sum)| sum).sum();
        Ok(Statistics {
            n_entries: (rows.len() * self.features.len()) as f64,
            n_nonzero: totals.iter().map(|(n_nonzero, _)| n_nonzero).sum(),
            raw_sum: sum,
            processed_sum: sum,
        })
    }

    fn check_target(&self, values: TargetValues) -> Result<()> {
        match values {
            TargetValues::Processed | TargetValues::UnitInterval => Ok(()),
            TargetValues::Counts | TargetValues::Presence | TargetValues::Trials => {
                bail!("the loss compares counts, but images are brightnesses from 0 to 1; choose `bce` or `mse`")
            }
        }
    }

    fn gather(&self, rows: &[usize], values: TargetValues) -> Result<Gathered> {
        self.check_target(values)?;
        let shape = [rows.len() as i64, 1, self.side(), self.side()];
        let images = Tensor::from_slice(&self.pixels(rows)?).view(shape);
        Ok(Gathered::new(Features::Dense(images.shallow_clone()), Features::Dense(images)))
    }

    fn n_bytes(&self) -> u64 {
        let names = self.cells.iter().chain(&self.features).map(|name| size_of::<String>() + name.capacity());
        (names.sum::<usize>() + self.places.len() * size_of::<(usize, usize)>()) as u64
    }
}
