//! Augmentation of images: those of each training cell are turned and mirrored, anew in every step.
//!
//! A square image can be laid in eight ways: four quarter turns of it and of its mirror image. Each cell of a minibatch gets
//! one of them at random, all its images the same one, so that what one modality shows stays where the other shows it.
//! Numbers depend on seed, epoch and step only. What is judged, embedded or predicted never comes here.

use crate::minibatch::{Features, Minibatch, Part, Target};
use crate::seed::{Purpose, Seed};
use anyhow::{Result, ensure};
use rand::Rng;
use tch::{Device, Kind, Tensor};

/// Ways to lay a square image.
pub const N_WAYS: i64 = 8;

/// Lays the images of the cells of a minibatch anew, each cell in one of the eight ways; `is_turned` says which modalities.
///
/// # Errors
/// When such a modality hands out something else than square images, or trials.
pub fn turn_minibatch(
    minibatch: &Minibatch,
    is_turned: &[bool],
    (seed, epoch, step): (Seed, u64, u64),
) -> Result<Minibatch> {
    let mut generator = seed.generator(Purpose::Turns, epoch, step);
    let ways: Vec<i64> = (0..minibatch.n_cells()).map(|_| generator.random_range(0..N_WAYS)).collect();
    let ways = Tensor::from_slice(&ways).to_device(minibatch.cells.device());
    let mut parts = Vec::with_capacity(minibatch.parts.len());
    for (place, part) in minibatch.parts.iter().enumerate() {
        parts.push(match part {
            Some(part) if is_turned.get(place) == Some(&true) => Some(turn_part(part, &ways)?),
            Some(part) => Some(part.to_device(part.input.device())),
            None => None,
        });
    }
    let classes = minibatch.classes.iter().map(|all| all.as_ref().map(Tensor::shallow_clone)).collect();
    Ok(Minibatch { cells: minibatch.cells.shallow_clone(), parts, classes })
}

fn turn_part(part: &Part, ways: &Tensor) -> Result<Part> {
    ensure!(part.target.trials().is_none(), "images of successes among trials cannot be turned");
    let ways = part.measured_rows(ways);
    let turned = |features: &Features| -> Result<Features> {
        let dense = features.to_dense();
        Ok(Features::Dense(turn_images(&dense, &ways)?))
    };
    Ok(Part {
        measured: part.measured.as_ref().map(Tensor::shallow_clone),
        input: turned(&part.input)?,
        target: Target::new(turned(part.target.features())?),
        categories: part.categories.iter().map(Tensor::shallow_clone).collect(),
    })
}

/// Lays each image in its way: the first four are quarter turns, the others those of its mirror image.
///
/// # Shapes
/// images: n_cells × channels × side × side; ways: [n_cells], i64 below [`N_WAYS`].
///
/// # Errors
/// When images are no squares or there is not one way for each.
pub fn turn_images(images: &Tensor, ways: &Tensor) -> Result<Tensor> {
    let size = images.size();
    ensure!(
        size.len() == 4 && size[2] == size[3],
        "only square images can be turned by quarters, but features have shape {size:?}"
    );
    ensure!(ways.size() == [size[0]], "there are ways for {:?} images, but {} images", ways.size(), size[0]);
    let (n_cells, n_channels, side) = (size[0], size[1], size[2]);
    let index = ways_of_pixels(side, images.device())?.index_select(0, ways).unsqueeze(1);
    let pixels = images.reshape([n_cells, n_channels, side * side]);
    Ok(pixels.f_gather(2, &index.expand([n_cells, n_channels, side * side], false), false)?.view(size.as_slice()))
}

/// Where each pixel of an image comes from, by way: ways × pixels.
fn ways_of_pixels(side: i64, device: Device) -> Result<Tensor> {
    let pixels = Tensor::arange(side * side, (Kind::Int64, device)).view([side, side]);
    let laid = |way: i64| {
        let image = if way < N_WAYS / 2 { pixels.shallow_clone() } else { pixels.flip([1]) };
        image.rot90(way % (N_WAYS / 2), [0, 1]).reshape([side * side])
    };
    Ok(Tensor::f_stack(&(0..N_WAYS).map(laid).collect::<Vec<_>>(), 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.contiguous().view(-1)).unwrap()
    }

    /// Images in which the pixels of cell i are 100 i, 100 i + 1, … plus `more`.
    fn part(cells: &[i64], more: f64, measured: Option<&[i64]>) -> Part {
        let start = Tensor::from_slice(cells).view([-1, 1, 1, 1]) * 100;
        let images =
            (start + Tensor::arange(9, (Kind::Int64, Device::Cpu)).view([1, 1, 3, 3]) + more).to_kind(Kind::Float);
        Part {
            measured: measured.map(Tensor::from_slice),
            input: Features::Dense(images.shallow_clone()),
            target: Target::new(Features::Dense(images)),
            categories: Vec::new(),
        }
    }

    fn minibatch() -> Minibatch {
        let cells: Vec<i64> = (0..40).collect();
        let some: Vec<i64> = (0..40).filter(|cell| cell % 3 > 0).collect();
        Minibatch {
            cells: Tensor::from_slice(&cells),
            parts: vec![
                Some(part(&cells, 0.0, None)),
                Some(part(&some, 0.5, Some(&some))),
                Some(part(&cells, 0.0, None)),
            ],
            classes: Vec::new(),
        }
    }

    fn turned(epoch: u64, step: u64) -> Minibatch {
        turn_minibatch(&minibatch(), &[true, true, false], (Seed(1), epoch, step)).unwrap()
    }

    fn input(minibatch: &Minibatch, modality: usize) -> Vec<f32> {
        numbers(&minibatch.parts[modality].as_ref().unwrap().input.to_dense())
    }

    #[test]
    fn all_eight_ways_differ_and_hold_the_same_pixels() {
        let image = Tensor::arange(9, (Kind::Float, Device::Cpu)).view([1, 1, 3, 3]);
        let ways = Tensor::arange(N_WAYS, (Kind::Int64, Device::Cpu));
        let all = turn_images(&image.expand([N_WAYS, 1, 3, 3], false).contiguous(), &ways).unwrap();
        let images: BTreeSet<Vec<i64>> =
            (0..N_WAYS).map(|way| numbers(&all.select(0, way)).iter().map(|pixel| *pixel as i64).collect()).collect();
        assert_eq!(images.len(), 8);
        assert!(images.iter().all(|image| image.iter().collect::<BTreeSet<_>>().len() == 9));
        assert_eq!(numbers(&all.select(0, 0)), numbers(&image), "the first way changes nothing");
    }

    #[test]
    fn images_of_a_cell_are_turned_alike_and_others_rest() {
        let turned = turned(3, 4);
        let [own, other] = [0, 1].map(|modality| input(&turned, modality));
        let some = (0..40).filter(|cell| cell % 3 > 0);
        for (row, cell) in some.enumerate() {
            let (own, other) = (&own[cell * 9..][..9], &other[row * 9..][..9]);
            assert!(own.iter().zip(other).all(|(own, other)| own + 0.5 == *other), "cell {cell}");
        }
        let target = numbers(turned.parts[0].as_ref().unwrap().target.dense());
        assert_eq!(own, target, "input and target are laid alike");
        assert_eq!(input(&turned, 2), input(&minibatch(), 2));
        let n_moved = own.chunks(9).zip(input(&minibatch(), 0).chunks(9)).filter(|(new, old)| new != old).count();
        assert!((25..40).contains(&n_moved), "{n_moved} of 40 images were moved");
    }

    #[test]
    fn ways_follow_from_seed_epoch_and_step() {
        assert_eq!(input(&turned(3, 4), 0), input(&turned(3, 4), 0));
        assert_ne!(input(&turned(3, 4), 0), input(&turned(3, 5), 0));
        assert_ne!(input(&turned(3, 4), 0), input(&turned(4, 4), 0));
    }

    #[test]
    fn only_squares_are_turned() {
        let (images, ways) = (Tensor::zeros([2, 1, 3, 4], (Kind::Float, Device::Cpu)), Tensor::from_slice(&[0i64, 1]));
        assert!(turn_images(&images, &ways).unwrap_err().to_string().contains("square"));
        let vectors = Tensor::zeros([2, 12], (Kind::Float, Device::Cpu));
        assert!(turn_images(&vectors, &ways).is_err());
    }
}
