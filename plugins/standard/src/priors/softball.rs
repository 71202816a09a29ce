//! The softball: a distribution that is nearly uniform in a ball and falls off smoothly at its surface.

use super::log_gamma;
use anyhow::Result;
use std::f64::consts::PI;
use tch::{Device, Kind, Tensor};

/// A ball around the origin with a soft surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Softball {
    /// Where the density is half of that within.
    pub radius: f64,
    /// How steeply it falls there.
    pub sharpness: f64,
}

impl Softball {
    /// The log density of each row z of d numbers, up to how soft the surface is:
    /// ln Γ(1 + d/2) − d (ln R + ½ ln π) − ln(1 + exp(h (‖z‖/R − 1))), with radius R and sharpness h.
    ///
    /// # Shapes
    /// n × d to [n].
    pub fn log_density(&self, rows: &Tensor) -> Result<Tensor> {
        let dim = rows.size()[1];
        // libtorch defines the gradient of the norm at a row of zeros as 0
        let length = rows.f_norm_scalaropt_dim(2.0, [1i64].as_slice(), false)?;
        let outside = (length / self.radius - 1.0) * self.sharpness;
        Ok((-outside).f_log_sigmoid()? + self.log_constant(dim))
    }

    /// Minus the log volume of the ball in d dimensions.
    pub fn log_constant(&self, dim: i64) -> f64 {
        let dim = dim as f64;
        log_gamma(1.0 + dim / 2.0) - dim * (self.radius.ln() + 0.5 * PI.ln())
    }

    /// Rows uniform in the ball, n × d, drawn from libtorch's CPU generator: n × d normal numbers, then n uniform ones.
    pub fn sample(&self, n_rows: i64, dim: i64) -> Result<Tensor> {
        let directions = Tensor::f_randn([n_rows, dim], (Kind::Float, Device::Cpu))?;
        let quantiles = Tensor::f_rand([n_rows, 1], (Kind::Float, Device::Cpu))?;
        self.place(&directions, &quantiles)
    }

    /// R u^(1/d) z/‖z‖ of directions z (n × d) and quantiles u (n × 1) of the length.
    fn place(&self, directions: &Tensor, quantiles: &Tensor) -> Result<Tensor> {
        let dim = directions.size()[1] as f64;
        let units = directions / directions.f_norm_scalaropt_dim(2.0, [1i64].as_slice(), true)?;
        Ok(units * (quantiles.f_pow_tensor_scalar(1.0 / dim)? * self.radius))
    }
}

#[cfg(test)]
mod tests;
