//! The watershed: basins that grow from seeds until they meet.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::holes::beside;

/// A pixel that waits to be flooded: the highest first, of equal ones the first that was met, of seeds the first in
/// reading order.
struct Waiting {
    height: f64,
    met: u64,
    place: usize,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_height = self.height.total_cmp(&other.height);
        by_height.then(other.met.cmp(&self.met)).then(other.place.cmp(&self.place))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

/// Which seed each foreground pixel belongs to: numbers from 1 in the order of the seeds, 0 in the background and in
/// foreground that holds no seed.
///
/// Floods from the seeds down: pixels in the order of falling distance, spreading by edges. The same as scikit-image's
/// `watershed(-distances, markers, mask=distances > 0)`.
///
/// # Shapes
/// `distances`: `size.0 × size.1`, row by row, 0 in the background; so is the result. `seeds`: places in it.
pub fn watershed(distances: &[f64], seeds: &[usize], size: (usize, usize)) -> Vec<u32> {
    let mut labels = vec![0; distances.len()];
    let mut waiting = BinaryHeap::new();
    for (number, &place) in (1..).zip(seeds) {
        labels[place] = number;
        waiting.push(Waiting { height: distances[place], met: 0, place });
    }
    let mut n_met = 0;
    while let Some(Waiting { place, height, .. }) = waiting.pop() {
        for near in beside(place, size) {
            if distances[near] > 0.0 && labels[near] == 0 {
                n_met += 1;
                labels[near] = labels[place];
                // a peak without a seed is flooded at the level of the pass before it
                waiting.push(Waiting { height: distances[near].min(height), met: n_met, place: near });
            }
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basins_meet_in_the_valley() {
        let heights = [0.0, 1.0, 3.0, 2.0, 1.0, 2.0, 4.0, 1.0, 0.0, 2.0];
        assert_eq!(watershed(&heights, &[6, 2], (1, 10)), [0, 2, 2, 2, 1, 1, 1, 1, 0, 0]);
    }
}
