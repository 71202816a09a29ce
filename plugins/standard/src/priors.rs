//! Priors: what a latent row costs.

mod l2;
mod none;
mod standard_normal;

pub use l2::{L2, L2Scaling, L2Spec};
pub use none::{NoPrior, NoPriorSpec};
pub use standard_normal::{DivergenceScaling, StandardNormal, StandardNormalSpec};

use anyhow::{Result, ensure};
use tch::Tensor;

/// Refuses rows of another width.
fn ensure_width(rows: &Tensor, dim: i64) -> Result<()> {
    ensure!(
        rows.dim() == 2 && rows.size()[1] == dim,
        "the prior was built for {dim} numbers per cell, but the rows have shape {:?}",
        rows.size()
    );
    Ok(())
}
