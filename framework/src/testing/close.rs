//! Comparing tensors, with a message that shows where they part.

use tch::{Kind, Tensor};

/// Panics unless two tensors have one shape and every pair of numbers differs by at most
/// `tolerance` · (1 + |expected|); the message shows the numbers that differ most and their place.
///
/// # Panics
/// When they differ, or either holds a number that is not finite where the other holds another.
#[track_caller]
pub fn close(found: &Tensor, expected: &Tensor, tolerance: f64) {
    if let Some(difference) = difference(found, expected, tolerance) {
        panic!("{difference}, which is more than the tolerance of {tolerance:e}");
    }
}

/// Where two tensors differ most, in words; `None` where they agree.
pub(super) fn difference(found: &Tensor, expected: &Tensor, tolerance: f64) -> Option<String> {
    if found.size() != expected.size() {
        return Some(format!("the shape is {:?} instead of {:?}", found.size(), expected.size()));
    }
    let (size, found, expected) = (found.size(), flat(found), flat(expected));
    let excess = |(found, expected): (&f64, &f64)| match found == expected {
        true => 0.0,
        // NaN is as far away as can be
        false => {
            Some((found - expected).abs() / (1.0 + expected.abs())).filter(|e| !e.is_nan()).unwrap_or(f64::INFINITY)
        }
    };
    let excesses = found.iter().zip(&expected).map(excess);
    let (place, most) = excesses.enumerate().max_by(|left, right| left.1.total_cmp(&right.1))?;
    (most > tolerance).then(|| format!("{} instead of {} at {:?}", found[place], expected[place], index(place, &size)))
}

/// The first number that is not finite, with its place, in words.
pub(super) fn not_finite(tensor: &Tensor) -> Option<String> {
    let numbers = flat(tensor);
    let place = numbers.iter().position(|number| !number.is_finite())?;
    Some(format!("{} at {:?}", numbers[place], index(place, &tensor.size())))
}

/// All numbers of a tensor, row by row.
pub(super) fn flat(tensor: &Tensor) -> Vec<f64> {
    let numbers = tensor.detach().to_kind(Kind::Double).contiguous().view(-1);
    let mut out = vec![0.0; numbers.numel()];
    let n = out.len();
    numbers.copy_data(&mut out, n);
    out
}

fn index(place: usize, size: &[i64]) -> Vec<usize> {
    let mut rest = place;
    let mut index: Vec<usize> = size
        .iter()
        .rev()
        .map(|n| {
            let n = usize::try_from(*n).unwrap_or(1).max(1);
            let here = rest % n;
            rest /= n;
            here
        })
        .collect();
    index.reverse();
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[f64]) -> Tensor {
        Tensor::from_slice(values).view([2, -1])
    }

    #[test]
    fn the_worst_place_is_shown() {
        let expected = tensor(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(difference(&expected, &expected, 0.0), None);
        assert_eq!(difference(&tensor(&[1.0, 2.0, 3.0, 4.001]), &expected, 1e-3), None);
        let found = difference(&tensor(&[1.0, 2.1, 3.0, 4.5]), &expected, 1e-3);
        assert_eq!(found.unwrap(), "4.5 instead of 4 at [1, 1]");
        let shorter = difference(&tensor(&[1.0, 2.0]), &expected, 1e-3);
        assert_eq!(shorter.unwrap(), "the shape is [2, 1] instead of [2, 2]");
    }

    #[test]
    fn what_is_not_a_number_is_never_close() {
        let expected = tensor(&[1.0, f64::INFINITY]);
        assert_eq!(difference(&expected, &expected, 0.0), None);
        assert!(difference(&tensor(&[f64::NAN, f64::INFINITY]), &expected, 1e9).is_some());
        assert!(difference(&tensor(&[1.0, 3.0]), &expected, 1e9).is_some());
        assert_eq!(not_finite(&expected).unwrap(), "inf at [1, 0]");
        assert_eq!(not_finite(&tensor(&[1.0, 2.0])), None);
    }

    #[test]
    #[should_panic(expected = "1.5 instead of 1 at [0, 0], which is more than the tolerance of 1e-3")]
    fn close_panics_with_the_place() {
        close(&tensor(&[1.5, 2.0]), &tensor(&[1.0, 2.0]), 1e-3);
    }
}
