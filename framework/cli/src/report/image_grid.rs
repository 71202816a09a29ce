//! Images of a few cells beside what the model makes of them: real, reconstructed, from the shared spaces only, and predicted
//! from each other modality.

use super::png::{address, grey};
use crate::decoded_images::{decoded_images, image_size, ways};
use crate::drawing::mosaic::{Mosaic, labelled, white};
use anyhow::{Context, Result};
use framework::data::{Dataset, Subset};
use framework::infer::Trained;
use framework::run::RunCells;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

/// Cells of a grid.
const N_CELLS: usize = 8;
/// At least so many pixels are a side of an image as it is drawn.
const SIDE: usize = 72;
const NAMES: f64 = 110.0;

/// A grid of images of one modality: a row per cell, a column per way.
#[derive(Debug)]
pub struct ImageGrid {
    /// The modality.
    pub modality: String,
    /// What the columns show.
    pub ways: Vec<String>,
    /// The cells, by name, and what they were used for.
    pub cells: Vec<(String, Subset)>,
    /// The picture as a PNG.
    pub png: Vec<u8>,
    size: (usize, usize),
}

/// A grid for each modality of images; nothing where there is none.
///
/// # Errors
/// When an image cannot be read, or a network refuses it.
pub fn image_grids(trained: &Trained, dataset: &Dataset, cells: &RunCells, seed: u64) -> Result<Vec<ImageGrid>> {
    let mut grids = Vec::new();
    for (modality, assay) in dataset.assays.iter().enumerate() {
        let Some((height, width)) = image_size(dataset, modality) else { continue };
        let chosen = chosen(dataset, cells, modality, seed);
        if !chosen.is_empty() {
            let grid = grid(trained, dataset, modality, &chosen, (height as usize, width as usize));
            grids.push(grid.with_context(|| format!("images of `{}`", assay.name))?);
        }
    }
    Ok(grids)
}

/// Some cells that a modality measured, and if there are such that all did: of the test cells, else of the others.
fn chosen(dataset: &Dataset, cells: &RunCells, modality: usize, seed: u64) -> Vec<(usize, Subset)> {
    let places = cells.places();
    let subset = |cell: usize| places.get(dataset.cells[cell].as_str()).map(|&place| cells.subsets[place]);
    let of = |wanted: Subset, whole: bool| -> Vec<(usize, Subset)> {
        let is_measured = |cell: usize| match whole {
            true => dataset.assays.iter().all(|assay| assay.rows[cell].is_some()),
            false => dataset.assays[modality].rows[cell].is_some(),
        };
        let all = (0..dataset.cells.len()).filter(|&cell| subset(cell) == Some(wanted) && is_measured(cell));
        all.map(|cell| (cell, wanted)).collect()
    };
    let choices =
        [Subset::Test, Subset::Validation, Subset::Training].map(|subset| [true, false].map(|whole| of(subset, whole)));
    let Some(mut found) = choices.into_iter().flatten().find(|found| !found.is_empty()) else { return Vec::new() };
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let (some, _) = found.partial_shuffle(&mut generator, N_CELLS);
    let mut some = some.to_vec();
    some.sort_unstable_by_key(|(cell, _)| *cell);
    some
}

fn grid(
    trained: &Trained,
    dataset: &Dataset,
    modality: usize,
    chosen: &[(usize, Subset)],
    (height, width): (usize, usize),
) -> Result<ImageGrid> {
    let cells: Vec<usize> = chosen.iter().map(|(cell, _)| *cell).collect();
    let columns = columns(trained, dataset, modality, &cells)?;
    let mut mosaic = Mosaic::new((cells.len(), columns.len()), (height, width), SIDE);
    let white = white(Vec::try_from(columns[0].1.contiguous().view(-1))?);
    for (column, (_, images)) in columns.iter().enumerate() {
        let values = Vec::<f32>::try_from(images.contiguous().view(-1))?;
        for (row, image) in values.chunks_exact(height * width).enumerate() {
            mosaic.put((row, column), image, white);
        }
    }
    Ok(ImageGrid {
        modality: dataset.assays[modality].name.clone(),
        ways: columns.into_iter().map(|(way, _)| way).collect(),
        cells: chosen.iter().map(|(cell, subset)| (dataset.cells[*cell].clone(), *subset)).collect(),
        png: grey(mosaic.size, &mosaic.pixels)?,
        size: mosaic.size,
    })
}

/// What each column is called, and its images: n × height × width. Cells that a modality did not measure are NaN.
fn columns(trained: &Trained, dataset: &Dataset, modality: usize, cells: &[usize]) -> Result<Vec<(String, Tensor)>> {
    let mut columns = Vec::new();
    for way in ways(trained, modality) {
        let measured = dataset.assays[way.source(modality)].measured_cells(cells);
        if measured.is_empty() {
            continue;
        }
        let images = decoded_images((trained, dataset), (modality, way), &measured)?;
        columns.push((way.words(trained), spread(&images, &measured, cells)?));
    }
    Ok(columns)
}

/// Images of some of the cells in the places of all.
fn spread(images: &Tensor, measured: &[usize], cells: &[usize]) -> Result<Tensor> {
    let place = |cell: &usize| measured.iter().position(|other| other == cell).unwrap_or(measured.len()) as i64;
    let nothing = Tensor::full_like(&images.narrow(0, 0, 1), f64::NAN);
    let order: Vec<i64> = cells.iter().map(place).collect();
    Ok(Tensor::f_cat(&[images.shallow_clone(), nothing], 0)?.f_index_select(0, &Tensor::from_slice(&order))?)
}

impl ImageGrid {
    /// The grid with what its columns and rows are.
    pub fn picture(&self) -> String {
        let cells: Vec<String> = self.cells.iter().map(|(cell, _)| cell.clone()).collect();
        let mut svg = labelled(self.size, &address(&self.png), (&self.ways, &cells), NAMES);
        svg.describe(&format!("{} cells in rows; in columns: {}", self.cells.len(), self.ways.join(", ")));
        svg.finish(&format!("Images of {}", self.modality))
    }

    /// What the cells were used for, in words.
    pub fn subset(&self) -> &'static str {
        self.cells.first().map_or("no", |(_, subset)| subset.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn cells_that_were_not_measured_have_no_image() {
        let images = Tensor::arange(8, (Kind::Float, Device::Cpu)).view([2, 2, 2]);
        let all = spread(&images, &[3, 9], &[9, 5, 3]).unwrap();
        assert_eq!(all.size(), [3, 2, 2]);
        assert_eq!(all.double_value(&[0, 1, 1]), 7.0);
        assert!(all.double_value(&[1, 0, 0]).is_nan());
        assert_eq!(all.double_value(&[2, 0, 1]), 1.0);
    }
}
