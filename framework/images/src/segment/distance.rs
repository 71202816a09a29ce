//! The exact Euclidean distance transform.

/// In place of a squared distance: the column has no background.
const NONE: u64 = u64::MAX;

/// The distance from each foreground pixel to the nearest background pixel, in pixels; 0 in the background. None where
/// there is no background at all.
///
/// Exact: squared distances are whole numbers, found along columns and then along rows as the lower envelope of parabolas
/// (Felzenszwalb and Huttenlocher 2012). Beyond the border there is nothing, as in SciPy's `distance_transform_edt`.
///
/// # Shapes
/// `foreground`: `size.0 × size.1`, row by row; so is the result.
pub fn distance_to_background(foreground: &[bool], size: (usize, usize)) -> Option<Vec<f64>> {
    if foreground.iter().all(|&pixel| pixel) {
        return None;
    }
    let width = size.1;
    let vertical = along_columns(foreground, size);
    let mut distances = vec![0.0; foreground.len()];
    let mut envelope = Envelope::default();
    for (heights, target) in vertical.chunks_exact(width).zip(distances.chunks_exact_mut(width)) {
        envelope.of(heights);
        envelope.read(heights, target);
    }
    Some(distances)
}

/// Squared distance to the nearest background pixel of the same column; [`NONE`] where the column has no background.
fn along_columns(foreground: &[bool], (height, width): (usize, usize)) -> Vec<u64> {
    let mut squared = vec![NONE; foreground.len()];
    for column in 0..width {
        for rows in [&mut (0..height) as &mut dyn Iterator<Item = usize>, &mut (0..height).rev()] {
            let mut steps: Option<u64> = None;
            for row in rows {
                let place = row * width + column;
                steps = if foreground[place] { steps.map(|steps| steps + 1) } else { Some(0) };
                squared[place] = steps.map_or(NONE, |steps| steps * steps).min(squared[place]);
            }
        }
    }
    squared
}

/// The lower envelope of parabolas `(x − place)² + height`: which one is lowest, and up to where.
#[derive(Default)]
struct Envelope {
    places: Vec<usize>,
    starts: Vec<f64>,
}

impl Envelope {
    fn of(&mut self, heights: &[u64]) {
        self.places.clear();
        self.starts.clear();
        for (place, &height) in heights.iter().enumerate().filter(|(_, height)| **height != NONE) {
            let mut start = f64::NEG_INFINITY;
            while let Some(&last) = self.places.last() {
                start = crossing((last, heights[last]), (place, height));
                if self.starts.last().is_some_and(|&lower| start <= lower) {
                    self.places.pop();
                    self.starts.pop();
                    start = f64::NEG_INFINITY;
                } else {
                    break;
                }
            }
            self.places.push(place);
            self.starts.push(start);
        }
    }

    fn read(&self, heights: &[u64], target: &mut [f64]) {
        let mut part = 0;
        for (x, target) in target.iter_mut().enumerate() {
            while part + 1 < self.places.len() && self.starts[part + 1] < x as f64 {
                part += 1;
            }
            let apart = x.abs_diff(self.places[part]) as u64;
            *target = ((apart * apart + heights[self.places[part]]) as f64).sqrt();
        }
    }
}

/// Where two parabolas meet.
fn crossing((left, left_height): (usize, u64), (right, right_height): (usize, u64)) -> f64 {
    let (a, b) = (left as i64, right as i64);
    ((right_height as i64 + b * b) - (left_height as i64 + a * a)) as f64 / (2 * (b - a)) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_search(foreground: &[bool], (height, width): (usize, usize)) -> Vec<f64> {
        let place = |at: usize| ((at / width) as f64, (at % width) as f64);
        let background: Vec<(f64, f64)> = (0..height * width).filter(|&at| !foreground[at]).map(place).collect();
        let nearest = |at: usize| {
            let (row, column) = place(at);
            let squares = background.iter().map(|(y, x)| (row - y).powi(2) + (column - x).powi(2));
            squares.fold(f64::INFINITY, f64::min).sqrt()
        };
        (0..height * width).map(nearest).collect()
    }

    proptest! {
        #[test]
        fn distances_are_those_of_a_search(height in 1_usize..12, width in 1_usize..12, bits in any::<[u64; 3]>()) {
            let bit = |at: usize| bits[at / 64] >> (at % 64) & 1 == 1;
            let foreground: Vec<bool> = (0..height * width).map(|at| bit(at) || bit((at * 7 + 3) % 144)).collect();
            match distance_to_background(&foreground, (height, width)) {
                Some(distances) => prop_assert_eq!(distances, by_search(&foreground, (height, width))),
                None => prop_assert!(foreground.iter().all(|&pixel| pixel)),
            }
        }
    }

    #[test]
    fn without_background_there_is_no_distance() {
        assert_eq!(distance_to_background(&[true; 6], (2, 3)), None);
    }
}
