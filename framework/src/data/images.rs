//! A modality whose measurements are images of single cells: one channel of the crops beside a file of cells.
//!
//! `cithara cut` writes both: an .h5mu with a modality per channel, whose `uns["cithara_images"]` names the crops and the
//! channel, and the crops. Images stay whole numbers on disk; only those of a minibatch become tensors.

use super::matrix::open_annotated;
use crate::loss::{Statistics, TargetValues};
use crate::minibatch::{FeatureShape, Features};
use crate::modality::{Alignment, Gathered, Modality, Source};
use crate::step::Step;
use anyhow::{Context, Result, bail, ensure};
use images::Crops;
use rayon::prelude::*;
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;
use tch::Tensor;

/// Cells whose pixels are summed at a time.
const N_TOGETHER: usize = 256;

/// Name of the text below `uns` that says where crops are.
pub const IMAGES_KEY: &str = "cithara_images";

/// One channel of the crops of some cells, as numbers from 0 to 1.
pub struct ImageModality {
    crops: Crops,
    channel: usize,
    cells: Vec<String>,
    /// The crop of each cell.
    places: Vec<usize>,
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
    let text = |key: &str| {
        let missing = || {
            format!(
                "`{}` holds no images of the modality (`uns/{IMAGES_KEY}/{key}`); cut them with `cithara cut`",
                source.path.display()
            )
        };
        opened.uns_text(&format!("{IMAGES_KEY}/{key}")).with_context(missing)
    };
    let (file, channel) = (text("crops")?, text("channel")?);
    let crops = Crops::open(&source.path.parent().unwrap_or(Path::new("")).join(&file))?;
    let channel = crops.channel(&channel)?;
    let names = crops.contents().cells.names();
    let by_name: HashMap<&str, usize> = names.iter().enumerate().map(|(row, name)| (name.as_str(), row)).collect();
    let place = |cell: &String| match by_name.get(cell.as_str()) {
        Some(&row) if crops.contents().cells.has(row, channel) => Ok(row),
        _ => bail!("`{file}` holds no image of the cell `{cell}`"),
    };
    let places = opened.cells().iter().map(place).collect::<Result<_>>()?;
    let side = crops.contents().side;
    let features = (0..side * side).map(|pixel| format!("r{}c{}", pixel / side, pixel % side)).collect();
    Ok(ImageModality { channel, cells: opened.cells().to_vec(), places, features, crops })
}

impl ImageModality {
    fn side(&self) -> i64 {
        self.crops.contents().side as i64
    }

    fn places(&self, rows: &[usize]) -> Result<Vec<usize>> {
        let place = |row: &usize| self.places.get(*row).copied().with_context(|| format!("there is no cell {row}"));
        rows.iter().map(place).collect()
    }

    fn pixels(&self, rows: &[usize]) -> Result<Vec<f32>> {
        Ok(self.crops.gather(&self.places(rows)?, self.channel)?.to_f32())
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
        (names.sum::<usize>() + self.places.len() * size_of::<usize>()) as u64
    }
}
