//! Where cells lie before anything is moved.

use anyhow::Result;
use rand::Rng;
use rand_distr::StandardNormal;
use tch::Tensor;

use crate::graph::NeighbourGraph;
use crate::random::generator;
use crate::spectrum::{Search, normalised, product};
use crate::tensor::numbers;

/// Width of the picture at the start.
const WIDTH: f64 = 10.0;
/// Standard deviation of what is added to every place, so that no two cells lie together.
const NOISE: f64 = 1e-4;

/// Places from the graph where it is connected, else from the space; both within 0 … 10.
pub(super) fn start(space: &Tensor, graph: &NeighbourGraph, seed: u64) -> Result<Vec<[f32; 2]>> {
    let connected = graph.components().iter().all(|&component| component == 0);
    let axes = if connected { spectral(graph, seed) } else { principal(space, seed)? };
    let mut random = generator(seed ^ 0x5eed);
    let axes: Vec<Vec<f64>> = axes.into_iter().map(|axis| scaled(fixed_sign(axis))).collect();
    let mut place = |cell: usize| {
        [0, 1].map(|axis: usize| (axes[axis][cell] + NOISE * random.sample::<f64, _>(StandardNormal)) as f32)
    };
    Ok((0..graph.n_cells()).map(&mut place).collect())
}

/// The second and third eigenvector of (1 + D^−½ W D^−½) / 2.
fn spectral(graph: &NeighbourGraph, seed: u64) -> Vec<Vec<f64>> {
    let matrix = normalised(graph);
    let half = |vector: &[f64]| -> Vec<f64> {
        product(&matrix, vector).iter().zip(vector).map(|(image, x)| (image + x) / 2.0).collect()
    };
    let search = Search { n_wanted: 3, tolerance: 1e-4, max_rounds: 40, seed };
    search.leading(graph.n_cells(), &half).vectors.split_off(1)
}

/// Scores on the first two principal components.
fn principal(space: &Tensor, seed: u64) -> Result<Vec<Vec<f64>>> {
    let n_dimensions = space.size()[1] as usize;
    let centred = centred(numbers(space)?, n_dimensions);
    let scores = |direction: &[f64]| -> Vec<f64> {
        centred.chunks_exact(n_dimensions).map(|row| row.iter().zip(direction).map(|(a, b)| a * b).sum()).collect()
    };
    let times = |direction: &[f64]| -> Vec<f64> {
        let mut sum = vec![0.0; n_dimensions];
        for (row, score) in centred.chunks_exact(n_dimensions).zip(scores(direction)) {
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += score * x);
        }
        sum
    };
    let search = Search { n_wanted: 2.min(n_dimensions), tolerance: 1e-6, max_rounds: 40, seed };
    let mut axes: Vec<Vec<f64>> = search.leading(n_dimensions, &times).vectors.iter().map(|v| scores(v)).collect();
    // a space of one dimension: the second axis is noise alone
    axes.resize(2, vec![0.0; centred.len() / n_dimensions]);
    Ok(axes)
}

/// Rows less their mean, which is added up in a fixed order: descent would make much of a last digit.
fn centred(mut rows: Vec<f64>, n_dimensions: usize) -> Vec<f64> {
    let n_cells = (rows.len() / n_dimensions) as f64;
    let mut mean = vec![0.0; n_dimensions];
    for row in rows.chunks_exact(n_dimensions) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / n_cells);
    }
    for row in rows.chunks_exact_mut(n_dimensions) {
        row.iter_mut().zip(&mean).for_each(|(x, mean)| *x -= mean);
    }
    rows
}

/// Turns an axis so that its entry of largest magnitude is positive.
fn fixed_sign(mut axis: Vec<f64>) -> Vec<f64> {
    let largest = axis.iter().fold(0.0f64, |largest, &x| if x.abs() > largest.abs() { x } else { largest });
    if largest < 0.0 {
        axis.iter_mut().for_each(|x| *x = -*x);
    }
    axis
}

fn scaled(mut axis: Vec<f64>) -> Vec<f64> {
    let (low, high) = axis.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    let scale = if high > low { WIDTH / (high - low) } else { 0.0 };
    axis.iter_mut().for_each(|x| *x = (*x - low) * scale);
    axis
}
