//! Images that something simple would predict.

use super::super::controls::Spaces;
use super::super::numbers::select;
use super::super::seeds::{Draw, generator};
use super::group::Group;
use anyhow::{Context, Result};
use framework::data::Assay;
use framework::{Seed, TargetValues};
use rand::Rng;
use std::collections::HashMap;

/// Images of some cells as they were measured, one after the other.
///
/// # Errors
/// When they cannot be read.
pub(super) fn images_of(assay: &Assay, cells: &[usize]) -> Result<Vec<f32>> {
    pixels_of(assay.modality.as_ref(), &assay.measured(cells))
}

/// Images of some rows of a modality, one after the other.
///
/// # Errors
/// When they cannot be read.
pub(super) fn pixels_of(modality: &dyn framework::Modality, rows: &[usize]) -> Result<Vec<f32>> {
    let gathered = modality.gather(rows, TargetValues::UnitInterval)?;
    Ok(Vec::try_from(gathered.target.to_dense().contiguous().view(-1))?)
}

/// The mean image of the training cells of a group.
///
/// # Errors
/// When images cannot be read.
pub(super) fn mean_image(assay: &Assay, group: &Group, cells_at_a_time: usize) -> Result<Vec<f32>> {
    let mut sums = vec![0f64; assay.modality.shape().n_features() as usize];
    for cells in group.train.chunks(cells_at_a_time) {
        for image in images_of(assay, cells)?.chunks_exact(sums.len()) {
            sums.iter_mut().zip(image).for_each(|(sum, pixel)| *sum += f64::from(*pixel));
        }
    }
    Ok(sums.into_iter().map(|sum| (sum / group.train.len() as f64) as f32).collect())
}

/// For each judged cell of each group a training cell of the group, drawn at random, never the cell itself.
pub(super) fn random_cells(seed: Seed, groups: &[Group], place: usize) -> Vec<Vec<usize>> {
    let mut random = generator(seed, Draw::RandomImage, place);
    let mut another = |cell: usize, train: &[usize]| match train.binary_search(&cell) {
        Ok(own) => train[(own + 1 + random.random_range(0..train.len() as u64 - 1) as usize) % train.len()],
        Err(_) => train[random.random_range(0..train.len() as u64) as usize],
    };
    groups.iter().map(|group| group.judged.iter().map(|&cell| another(cell, &group.train)).collect()).collect()
}

/// The same of the nearest training cells of the group on principal components of all training and judged cells, of which
/// the rows are handed over.
///
/// # Errors
/// When a coordinate is not finite.
pub(super) fn nearest_cells(
    spaces: &Spaces,
    (train, judged): (&[usize], &[usize]),
    groups: &[Group],
) -> Result<Vec<Vec<usize>>> {
    let places = |cells: &[usize]| cells.iter().enumerate().map(|(row, &cell)| (cell, row)).collect::<HashMap<_, _>>();
    let (of_train, of_judged) = (places(train), places(judged));
    let rows = |of: &HashMap<usize, usize>, cells: &[usize]| -> Result<Vec<usize>> {
        cells.iter().map(|cell| of.get(cell).copied().context("a cell has no principal components")).collect()
    };
    let mut all = Vec::new();
    for group in groups {
        let own = Spaces {
            train: select(&spaces.train, &rows(&of_train, &group.train)?),
            judged: select(&spaces.judged, &rows(&of_judged, &group.judged)?),
        };
        // judged cells are training cells where nothing else is there to judge, and then all of the group are judged
        let neighbours = own.neighbours(1, group.train == group.judged)?;
        let nearest = |place: usize| group.train[neighbours.of(place)[0] as usize];
        all.push((0..group.judged.len()).map(nearest).collect());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{Toy, assay};
    use super::*;
    use tch::Tensor;

    fn group(train: &[usize], judged: &[usize]) -> Group {
        Group { codes: Vec::new(), train: train.to_vec(), judged: judged.to_vec() }
    }

    #[test]
    fn random_cells_are_of_the_group_and_never_the_cell_itself() {
        let groups = [group(&[1, 3, 5], &[1, 3, 5]), group(&[2, 4], &[9, 10])];
        for place in 0..50 {
            let drawn = random_cells(Seed(1), &groups, place);
            assert_eq!(drawn, random_cells(Seed(1), &groups, place));
            for (group, drawn) in groups.iter().zip(&drawn) {
                assert!(drawn.iter().all(|cell| group.train.contains(cell)));
                assert!(drawn.iter().zip(&group.judged).all(|(drawn, judged)| drawn != judged), "{drawn:?}");
            }
        }
    }

    #[test]
    fn the_nearest_cell_is_of_the_group_and_not_the_cell_itself() {
        let rows = |places: &[f64]| Tensor::from_slice(places).view([-1, 1]);
        let spaces = Spaces { train: rows(&[0.0, 1.0, 10.0, 11.0]), judged: rows(&[1.1, 10.9]) };
        let groups = [group(&[0, 2], &[7]), group(&[1, 3], &[8])];
        let nearest = nearest_cells(&spaces, (&[0, 1, 2, 3], &[7, 8]), &groups).unwrap();
        assert_eq!(nearest, [[0], [3]], "cell 1 is nearer to 7, but of another group");
        let spaces = Spaces { train: rows(&[0.0, 1.0, 10.0]), judged: rows(&[0.0, 1.0, 10.0]) };
        let all = [4, 5, 6];
        assert_eq!(nearest_cells(&spaces, (&all, &all), &[group(&all, &all)]).unwrap(), [[5, 4, 5]]);
    }

    #[test]
    fn the_mean_image_is_of_the_training_cells() {
        let assay = assay(Toy::new(&[0.0, 1.0, 0.5, 0.0, 1.0, 0.5], 2, false), vec![Some(0), Some(1), None, Some(2)]);
        // a cell at a time, so that sums go on from block to block
        assert_eq!(mean_image(&assay, &group(&[0, 3], &[1]), 1).unwrap(), [0.5, 0.75]);
        assert_eq!(images_of(&assay, &[3, 1]).unwrap(), [1.0, 0.5, 0.5, 0.0]);
    }
}
