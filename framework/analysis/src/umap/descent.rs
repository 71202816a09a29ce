//! Stochastic descent: connections pull, random cells push.

use rand::RngCore;
use rand_chacha::ChaCha8Rng;

use super::UmapSpec;
use super::curve::Curve;
use crate::graph::NeighbourGraph;
use crate::random::generator;

/// Largest step of one coordinate, before the rate.
const MAX_STEP: f32 = 4.0;

/// A connection and when it is due: every so many epochs, the strongest one every epoch.
struct Connection {
    cells: [u32; 2],
    period: f32,
    due: f32,
    pushes_due: f32,
}

/// All that is needed to move cells.
pub(super) struct Descent {
    connections: Vec<Connection>,
    n_epochs: usize,
    n_negatives: f32,
    a: f32,
    b: f32,
    random: ChaCha8Rng,
}

impl Descent {
    /// Connections, from either side, whose turn comes at least once.
    pub(super) fn new(graph: &NeighbourGraph, curve: Curve, spec: &UmapSpec) -> Self {
        let n_epochs = spec.n_epochs_for(graph.n_cells());
        let largest = graph.weights().iter().copied().fold(0.0, f64::max);
        let n_negatives = spec.n_negatives as f32;
        let mut connections = Vec::new();
        for cell in 0..graph.n_cells() {
            let (others, weights) = graph.row(cell);
            for (&other, &weight) in others.iter().zip(weights).filter(|pair| *pair.1 * n_epochs as f64 >= largest) {
                let period = (largest / weight) as f32;
                let cells = [cell as u32, other];
                connections.push(Connection { cells, period, due: period, pushes_due: period / n_negatives });
            }
        }
        let random = generator(spec.seed);
        Self { connections, n_epochs, n_negatives, a: curve.a as f32, b: curve.b as f32, random }
    }

    /// Moves cells; the rate falls from 1 to 0.
    pub(super) fn run(mut self, places: &mut [[f32; 2]]) {
        for epoch in 0..self.n_epochs {
            let rate = 1.0 - epoch as f32 / self.n_epochs as f32;
            self.epoch(places, epoch as f32, rate);
        }
    }

    fn epoch(&mut self, places: &mut [[f32; 2]], epoch: f32, rate: f32) {
        let Self { connections, n_negatives, a, b, random, .. } = self;
        for connection in connections.iter_mut().filter(|connection| connection.due <= epoch) {
            let [cell, other] = connection.cells.map(|cell| cell as usize);
            let mut place = places[cell];
            let step = pull(place, places[other], *a, *b).map(|x| x.clamp(-MAX_STEP, MAX_STEP) * rate);
            for axis in 0..2 {
                place[axis] += step[axis];
                places[other][axis] -= step[axis];
            }
            connection.due += connection.period;
            if *n_negatives > 0.0 {
                let between = connection.period / *n_negatives;
                let n_pushes = ((epoch - connection.pushes_due) / between) as usize;
                for _ in 0..n_pushes {
                    let from = below(random, places.len());
                    if from != cell {
                        let step = push(place, places[from], *a, *b).map(|x| x.clamp(-MAX_STEP, MAX_STEP) * rate);
                        place = [place[0] + step[0], place[1] + step[1]];
                    }
                }
                connection.pushes_due += n_pushes as f32 * between;
            }
            places[cell] = place;
        }
    }
}

/// −2ab d^(2b − 2) / (1 + a d^2b) × (place − other).
fn pull(place: [f32; 2], other: [f32; 2], a: f32, b: f32) -> [f32; 2] {
    let (difference, squared) = apart(place, other);
    if squared <= 0.0 {
        return [0.0; 2];
    }
    let power = squared.powf(b);
    let strength = -2.0 * a * b * power / squared / (a * power + 1.0);
    difference.map(|x| strength * x)
}

/// 2b / ((0.001 + d²) (1 + a d^2b)) × (place − other).
fn push(place: [f32; 2], other: [f32; 2], a: f32, b: f32) -> [f32; 2] {
    let (difference, squared) = apart(place, other);
    if squared <= 0.0 {
        return [0.0; 2];
    }
    let strength = 2.0 * b / ((0.001 + squared) * (a * squared.powf(b) + 1.0));
    difference.map(|x| strength * x)
}

fn apart(place: [f32; 2], other: [f32; 2]) -> ([f32; 2], f32) {
    let difference = [place[0] - other[0], place[1] - other[1]];
    (difference, difference[0] * difference[0] + difference[1] * difference[1])
}

/// A number below n, as even as 32 bits allow.
fn below(random: &mut ChaCha8Rng, n: usize) -> usize {
    ((u64::from(random.next_u32()) * n as u64) >> 32) as usize
}
