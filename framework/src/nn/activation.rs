//! Activations that tch lacks in the form needed.

use anyhow::Result;
use tch::Tensor;

/// The slope that libtorch's own `leaky_relu` has.
const LIBTORCH_SLOPE: f64 = 0.01;

/// x where x > 0, else `slope` · x.
///
/// # Errors
/// When the tensor is not of floating point.
pub fn leaky_relu(x: &Tensor, slope: f64) -> Result<Tensor> {
    if slope == LIBTORCH_SLOPE {
        return Ok(x.f_leaky_relu()?);
    }
    Ok(x.f_where_self(&x.f_gt(0.0)?, &x.f_mul_scalar(slope)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values_and_gradient(slope: f64) -> (Vec<f64>, Vec<f64>) {
        let x = Tensor::from_slice(&[-2.0f64, 0.0, 3.0]).set_requires_grad(true);
        let y = leaky_relu(&x, slope).unwrap();
        y.sum(tch::Kind::Double).backward();
        (Vec::try_from(y.detach()).unwrap(), Vec::try_from(x.grad()).unwrap())
    }

    #[test]
    fn values_and_slopes() {
        assert_eq!(values_and_gradient(0.2), (vec![-0.4, 0.0, 3.0], vec![0.2, 0.2, 1.0]));
        assert_eq!(values_and_gradient(0.01), (vec![-0.02, 0.0, 3.0], vec![0.01, 0.01, 1.0]));
        assert_eq!(values_and_gradient(0.0), (vec![0.0, 0.0, 3.0], vec![0.0, 0.0, 1.0]));
    }
}
