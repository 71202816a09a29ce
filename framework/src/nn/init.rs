//! Initial values of parameters, as PyTorch draws them.

use anyhow::Result;
use tch::{Device, Kind, Tensor};

/// Values uniform in ±1/√`n_inputs`: what PyTorch gives the weights and biases of a linear layer.
///
/// Kaiming's uniform rule with a = √5 has the bound √(6 / ((1 + a²) · fan-in)) = 1/√fan-in, which is also the bound of
/// the bias. Drawn from libtorch's CPU generator, whatever device the parameter is for.
///
/// # Errors
/// When the tensor cannot be allocated.
pub fn uniform_fan_in(shape: &[i64], n_inputs: i64) -> Result<Tensor> {
    let bound = 1.0 / (n_inputs.max(1) as f64).sqrt();
    let mut values = Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?;
    Ok(values.f_uniform_(-bound, bound)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fill_the_interval() {
        let values = uniform_fan_in(&[100, 100], 16).unwrap();
        let (low, high) = (values.min().double_value(&[]), values.max().double_value(&[]));
        assert!((-0.25..-0.249).contains(&low) && high > 0.249 && high <= 0.25, "{low} {high}");
        // the variance of a uniform distribution of half-width 1/4 is (1/4)²/3
        assert!((values.var(true).double_value(&[]) - 0.0625 / 3.0).abs() < 1e-3);
    }
}
