//! Cells of which the protein is real, predicted by the model, and painted: beside each other in one picture.

use super::images::{Grouping, Stains};
use super::learner::Inpainter;
use crate::decoded_images::{Way, decoded_images};
use crate::drawing::mosaic::{Mosaic, labelled, white};
use crate::evaluate::TaughtCells;
use crate::report::png::{address, grey};
use anyhow::Result;
use framework::infer::Trained;
use tch::{Device, Tensor};

/// Cells of the picture.
const N_CELLS: usize = 8;
/// At least so many pixels are a side of an image as it is drawn.
const SIDE: usize = 72;

/// Room for the names of cells.
const NAMES: f64 = 110.0;

/// What the columns show, in order.
const COLUMNS: [&str; 5] = ["chromatin", "real", "predicted", "inpainted", "shown"];

/// Some cells in rows, what there is of them in columns.
pub struct Picture {
    /// With the names of cells and columns.
    pub svg: String,
    /// The images alone.
    pub png: Vec<u8>,
}

/// A row for each of some judged cells, of all proteins in turn, and columns: what was measured of chromatin and protein, what the
/// model predicts, what is painted, and the training cell that it is painted after. `None` where no cell is there to show.
///
/// # Errors
/// When an image cannot be read, or a network refuses it.
pub fn picture(
    (trained, learned): (&Trained, &Inpainter<'_>),
    (stains, grouping): (Stains<'_>, &Grouping),
    (train, judged): (&[usize], &[usize]),
) -> Result<Option<Picture>> {
    let training = grouping.groups(stains.dataset, train);
    let mut groups: Vec<std::vec::IntoIter<(usize, usize)>> = Vec::new();
    for (codes, cells) in grouping.groups(stains.dataset, judged) {
        if let Some(train) = training.get(&codes).filter(|train| train.len() >= 2) {
            groups.push(learned.judged_pairs(TaughtCells { train, judged: &cells }).into_iter());
        }
    }
    let mut pairs = Vec::new();
    let mut n_before = usize::MAX;
    while pairs.len() < N_CELLS && pairs.len() != n_before {
        n_before = pairs.len();
        pairs.extend(groups.iter_mut().filter_map(Iterator::next));
    }
    pairs.truncate(N_CELLS);
    if pairs.is_empty() {
        return Ok(None);
    }
    let (cells, sources): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
    let of = |modality: usize, cells: &[usize]| {
        Ok::<_, anyhow::Error>(stains.of(modality, cells, Device::Cpu)?.f_select(1, 0)?)
    };
    let predicted = decoded_images((trained, stains.dataset), (stains.protein, Way::From(stains.chromatin)), &cells)?;
    let columns = [
        of(stains.chromatin, &cells)?,
        of(stains.protein, &cells)?,
        predicted,
        learned.paint(&pairs)?.f_select(1, 0)?,
        of(stains.protein, &sources)?,
    ];
    let names: Vec<String> = cells.iter().map(|&cell| stains.dataset.cells[cell].clone()).collect();
    drawn(&columns, &names).map(Some)
}

/// Columns of n × height × width; proteins are as bright as the real ones, chromatin as itself.
fn drawn(columns: &[Tensor], cells: &[String]) -> Result<Picture> {
    let size = columns[0].size();
    let (height, width) = (size[1] as usize, size[2] as usize);
    let values = |images: &Tensor| Ok::<_, anyhow::Error>(Vec::<f32>::try_from(images.f_contiguous()?.f_view(-1)?)?);
    let whites = [white(values(&columns[0])?), white(values(&columns[1])?)];
    let mut mosaic = Mosaic::new((size[0] as usize, columns.len()), (height, width), SIDE);
    for (column, images) in columns.iter().enumerate() {
        for (row, image) in values(images)?.chunks_exact(height * width).enumerate() {
            mosaic.put((row, column), image, whites[column.min(1)]);
        }
    }
    let png = grey(mosaic.size, &mosaic.pixels)?;
    let mut svg = labelled(mosaic.size, &address(&png), (&COLUMNS.map(str::to_owned), cells), NAMES);
    svg.describe(&format!("{} cells in rows; in columns: {}", cells.len(), COLUMNS.join(", ")));
    Ok(Picture { svg: svg.finish("Proteins, predicted and inpainted"), png })
}
