//! Priors: what a latent row costs.

mod gaussian_mixture;
mod hyperprior;
mod l2;
mod labelled_mixture;
mod mixture;
mod none;
mod softball;
mod standard_normal;

#[cfg(test)]
mod golden;

pub use gaussian_mixture::{AtMost, ComponentRule, Covariance, GaussianMixture, GaussianMixtureSpec, NComponents};
pub use hyperprior::PriorCount;
pub use l2::{L2, L2Scaling, L2Spec};
pub use labelled_mixture::{ClassFactor, LabelledMixture, LabelledMixtureSpec};
pub use none::{NoPrior, NoPriorSpec};
pub use standard_normal::{DivergenceScaling, StandardNormal, StandardNormalSpec};

use anyhow::{Result, ensure};
use tch::Tensor;

/// ln 2π.
const LOG_TWO_PI: f64 = 1.837_877_066_409_345_5;

/// Refuses rows of another width.
fn ensure_width(rows: &Tensor, dim: i64) -> Result<()> {
    ensure!(
        rows.dim() == 2 && rows.size()[1] == dim,
        "the prior was built for {dim} numbers per cell, but the rows have shape {:?}",
        rows.size()
    );
    Ok(())
}

/// ln Γ(x) for x above 0.
fn log_gamma(x: f64) -> f64 {
    Tensor::from(x).lgamma().double_value(&[])
}
