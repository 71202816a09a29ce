//! Images of cells along the principal components of a space.

use super::spaces::SpaceOfCells;
use crate::decoded_images::{Way, decoded_images, image_size};
use crate::drawing::mosaic::{Mosaic, labelled, white};
use crate::report::png::{address, grey};
use analysis::{BinSpec, ComponentBins, Matrix, Pca, PcaSpec, Solver};
use anyhow::Result;
use framework::data::Dataset;
use framework::infer::Trained;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// Components that are shown, and cells of each bin.
const N_COMPONENTS: usize = 6;
const N_CELLS: usize = 2;
/// At least so many pixels are a side of an image as it is drawn.
const SIDE: usize = 64;
const NAMES: f64 = 130.0;

/// Cells along the components of a space, by what a modality saw of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Along {
    /// The space.
    pub space: String,
    /// The modality of images.
    pub modality: String,
    /// Name of the pictures, without `.svg` and `.png`.
    pub file: String,
    /// The cells of each component by bin, nearest to its axis first.
    pub cells: Vec<Vec<Vec<String>>>,
    /// The picture with what its rows and columns are.
    #[serde(skip)]
    pub svg: String,
    /// The images alone.
    #[serde(skip)]
    pub png: Vec<u8>,
}

/// For each bin of the first components of a space, the cells nearest to the component's axis, as images of a modality;
/// `None` where the modality has no images or too few cells have both.
///
/// # Errors
/// When rows are not finite or an image cannot be read.
pub fn along(
    (trained, dataset): (&Trained, &Dataset),
    space: &SpaceOfCells,
    modality: usize,
    spec: BinSpec,
) -> Result<Option<Along>> {
    let assay = &dataset.assays[modality];
    let Some((height, width)) = image_size(dataset, modality) else { return Ok(None) };
    let seen: Vec<usize> = (0..space.cells.len()).filter(|&row| assay.rows[space.cells[row]].is_some()).collect();
    if seen.len() < spec.n_bins * N_CELLS {
        return Ok(None);
    }
    let matrix = Matrix::dense(&space.rows)?;
    let n_components = space.dim().min(seen.len());
    let pca = Pca::fit(&matrix, &seen, PcaSpec { n_components, seed: 0, solver: Solver::Exact })?;
    let scores = pca.transform(&matrix, &seen)?;
    let chosen: Vec<Vec<Vec<usize>>> = (0..n_components.min(N_COMPONENTS))
        .map(|component| nearest(&scores, component, spec))
        .map(|bins| {
            Ok(bins?.into_iter().map(|bin| bin.into_iter().map(|row| space.cells[seen[row]]).collect()).collect())
        })
        .collect::<Result<_>>()?;
    let cells: Vec<usize> = chosen.iter().flatten().flatten().copied().collect();
    let images = decoded_images((trained, dataset), (modality, Way::Real), &cells)?;
    let values = Vec::<f32>::try_from(images.contiguous().view(-1))?;
    let brightest = white(values.clone());
    let shares = &pca.explained_variance_ratio[..chosen.len()];
    let mut mosaic = Mosaic::new((chosen.len() * N_CELLS, spec.n_bins), (height as usize, width as usize), SIDE);
    let mut next = values.chunks_exact((height * width) as usize);
    for (component, bins) in chosen.iter().enumerate() {
        for (bin, cells) in bins.iter().enumerate() {
            for (place, image) in (0..cells.len()).zip(&mut next) {
                mosaic.put((component * N_CELLS + place, bin), image, brightest);
            }
        }
    }
    let png = grey(mosaic.size, &mosaic.pixels)?;
    let names = |cells: &Vec<usize>| cells.iter().map(|&cell| dataset.cells[cell].clone()).collect();
    Ok(Some(Along {
        space: space.name.clone(),
        modality: assay.name.clone(),
        file: format!("along_{}_by_{}", space.name, assay.name),
        cells: chosen.iter().map(|bins| bins.iter().map(names).collect()).collect(),
        svg: picture(&format!("{} of cells along {}", assay.name, space.name), (&mosaic, &png), shares, spec.n_bins),
        png,
    }))
}

/// The rows of each bin of a component that are nearest to its axis.
fn nearest(scores: &Tensor, component: usize, spec: BinSpec) -> Result<Vec<Vec<usize>>> {
    let bins = ComponentBins::fit(scores, component, spec)?;
    let n_components = scores.size()[1] as usize;
    let flat = Vec::<f64>::try_from(scores.to_kind(Kind::Double).contiguous().view(-1))?;
    let mut of_bin: Vec<Vec<(f64, usize)>> = vec![Vec::new(); spec.n_bins];
    for (row, cell) in flat.chunks_exact(n_components).enumerate() {
        of_bin[bins.bin(cell[component])].push((bins.distance(cell), row));
    }
    let first = |mut bin: Vec<(f64, usize)>| {
        bin.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        bin.into_iter().take(N_CELLS).map(|(_, row)| row).collect()
    };
    Ok(of_bin.into_iter().map(first).collect())
}

fn picture(title: &str, (mosaic, png): (&Mosaic, &[u8]), shares: &[f64], n_bins: usize) -> String {
    let bins: Vec<String> = (1..=n_bins).map(|bin| format!("bin {bin}")).collect();
    let component = |(place, share): (usize, &f64)| format!("component {} ({:.0} %)", place + 1, 100.0 * share);
    let components: Vec<String> = shares.iter().enumerate().map(component).collect();
    let mut svg = labelled(mosaic.size, &address(png), (&bins, &components), NAMES);
    svg.describe(&format!("{} components in rows of {N_CELLS} cells, {n_bins} bins in columns", shares.len()));
    svg.finish(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bin_shows_the_cells_nearest_to_the_axis() {
        let cells = 44;
        let flat: Vec<f64> = (0..cells).flat_map(|cell| [f64::from(cell), f64::from(cell % 4)]).collect();
        let scores = Tensor::from_slice(&flat).view([i64::from(cells), 2]);
        let chosen = nearest(&scores, 0, BinSpec::default()).unwrap();
        assert_eq!(chosen.len(), 11);
        // four cells to a bin, at distances 0, 1, 4 and 9
        assert_eq!(chosen[0], [0, 1]);
        assert_eq!(chosen[10], [40, 41]);
    }
}
