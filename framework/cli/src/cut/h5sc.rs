//! Images of single cells of scPortrait (`.h5sc`) as a stack that crops are made of.

use anndata::{CellImages, Frame};
use anyhow::{Context, Result, ensure};
use images::{
    CellImagesSpec, CellStack, Crops, Pixels, Plane, StackCells, StackSpec, Visit, make_crops, make_crops_of,
};
use std::path::Path;

/// Opens the crops that a spec describes, or makes them first, whatever its images are read from.
///
/// # Errors
/// When images, table or cache cannot be read or written, or do not belong together.
pub fn crops_of(spec: &CellImagesSpec, folder: &Path, cache: &Path) -> Result<Crops> {
    let Some(stack) = spec.stack.as_ref().filter(|stack| stack.is_hdf5()) else {
        return make_crops(spec, folder, cache);
    };
    ensure!(stack.entry.is_none(), "`stack.entry` names an array of a `.npz`, but the stack is of HDF5; leave it out");
    let images = CellImages::open(&folder.join(&stack.path))?;
    let channels = chosen(&images, stack);
    let places = channels.iter().map(|name| images.channel(name)).collect::<Result<_>>()?;
    let stack = StackSpec { channels, ..stack.clone() };
    let spec = CellImagesSpec { stack: Some(stack), ..spec.clone() };
    make_crops_of(&spec, &Chosen { images, places }, folder, cache)
}

/// Names of the channels that are taken, the mask among them.
fn chosen(images: &CellImages, stack: &StackSpec) -> Vec<String> {
    let mut channels = stack.channels.clone();
    if channels.is_empty() {
        let shown = images.channels().iter().filter(|channel| !channel.is_mask);
        channels.extend(shown.map(|channel| channel.name.clone()));
    }
    channels.extend(stack.mask.clone().filter(|mask| !channels.contains(mask)));
    channels
}

/// Some channels of a file.
struct Chosen {
    images: CellImages,
    places: Vec<usize>,
}

impl CellStack for Chosen {
    fn n_cells(&self) -> usize {
        self.images.n_cells()
    }

    fn n_channels(&self) -> usize {
        self.places.len()
    }

    fn size(&self) -> (usize, usize) {
        self.images.size()
    }

    fn cells(&self) -> Option<StackCells> {
        let obs = self.images.obs();
        let told: Vec<(&str, Vec<String>)> =
            obs.column_names().into_iter().filter_map(|name| Some((name, texts(obs, name)?))).collect();
        let values = |cell: usize| told.iter().map(|(_, texts)| texts[cell].clone()).collect();
        let named = |(cell, name): (usize, &String)| (name.clone(), values(cell));
        Some(StackCells {
            columns: told.iter().map(|(name, _)| (*name).to_owned()).collect(),
            rows: self.images.cells().iter().enumerate().map(named).collect(),
        })
    }

    fn each_block(&self, n_together: usize, visit: &mut Visit<'_>) -> Result<()> {
        let (n_cells, (height, width)) = (self.n_cells(), self.size());
        for start in (0..n_cells).step_by(n_together.max(1)) {
            let cells = start..(start + n_together.max(1)).min(n_cells);
            let mut block: Vec<Vec<Plane>> = cells.clone().map(|_| Vec::new()).collect();
            for &place in &self.places {
                let pixels = self.images.read(cells.clone(), place)?;
                for (planes, image) in block.iter_mut().zip(pixels.chunks_exact(height * width)) {
                    let plane = Plane::new(height, width, Pixels::F32(image.to_vec()));
                    planes.push(plane.context("the images contradict their shape")?);
                }
            }
            visit(block)?;
        }
        Ok(())
    }
}

/// A column as texts, empty where nothing is known; `None` if it is of a kind that has none.
fn texts(obs: &Frame, name: &str) -> Option<Vec<String>> {
    if let Some(labels) = obs.labels(name) {
        return Some(labels.into_iter().map(Option::unwrap_or_default).collect());
    }
    let text = |number: f64| if number.is_nan() { String::new() } else { number.to_string() };
    Some(obs.get(name)?.numbers()?.into_iter().map(text).collect())
}
