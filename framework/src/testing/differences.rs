//! Gradients, by autograd and by central differences.

use tch::{Kind, Tensor, no_grad};

/// (f(x + h eᵢ) − f(x − h eᵢ)) / 2h for every number of `at`, in the shape of `at`.
///
/// `f` returns a tensor of one number. With `at` in double precision a step h of 1e-5 gives about nine digits.
pub fn central_differences(f: impl Fn(&Tensor) -> Tensor, at: &Tensor, step: f64) -> Tensor {
    let at = at.detach();
    let moved = |place: i64, by: f64| {
        let moved = at.copy();
        let _ = moved.view(-1).get(place).g_add_scalar_(by);
        no_grad(|| f(&moved)).double_value(&[])
    };
    let n = i64::try_from(at.numel()).unwrap_or(i64::MAX);
    let slopes: Vec<f64> = (0..n).map(|place| (moved(place, step) - moved(place, -step)) / (2.0 * step)).collect();
    Tensor::from_slice(&slopes).view(at.size().as_slice())
}

/// The gradient of `f` at `at` by autograd; zeros where `f` does not depend on it.
///
/// `f` returns a tensor of one number.
pub fn gradient(f: impl Fn(&Tensor) -> Tensor, at: &Tensor) -> Tensor {
    let leaf = at.detach().copy().set_requires_grad(true);
    let value = f(&leaf);
    if value.requires_grad() {
        value.backward();
    }
    gradient_of(&leaf)
}

/// What a backward pass left at a leaf; zeros where it left nothing.
pub(super) fn gradient_of(leaf: &Tensor) -> Tensor {
    let gradient = leaf.grad();
    if gradient.defined() { gradient.to_dense(None::<Kind>, false) } else { leaf.detach().zeros_like() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::close;

    #[test]
    fn both_gradients_are_those_of_the_formula() {
        // f = Σ i xᵢ³, so the slope at place i is 3 i xᵢ²
        let at = Tensor::from_slice(&[1f64, -2.0, 0.5, 3.0]).view([2, 2]);
        let weights = Tensor::from_slice(&[0f64, 1.0, 2.0, 3.0]).view([2, 2]);
        let f = |x: &Tensor| (x * x * x * &weights).sum(Kind::Double);
        let expected: Tensor = at.square() * &weights * 3.0;
        close(&central_differences(f, &at, 1e-5), &expected, 1e-8);
        close(&gradient(f, &at), &expected, 1e-12);
    }

    #[test]
    fn a_constant_has_no_slope() {
        let at = Tensor::from_slice(&[1f64, 2.0]);
        let f = |_: &Tensor| Tensor::from(3.0f64);
        close(&gradient(f, &at), &at.zeros_like(), 0.0);
        close(&central_differences(f, &at, 1e-5), &at.zeros_like(), 0.0);
    }
}
