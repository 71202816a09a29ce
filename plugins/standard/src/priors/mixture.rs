//! Mixtures of normal distributions: what the mixture priors share.
//!
//! All is computed from logarithms, so that a row far from every component still has a cost, a gradient and a component.

use super::hyperprior::{Hyperprior, neglogvar_of};
use super::softball::Softball;
use super::{LOG_TWO_PI, ensure_width};
use anyhow::Result;
use framework::PriorContext;
use tch::{Device, Kind, Tensor, no_grad};

/// Most numbers of a temporary of cells × components × dimensions, where all cells may be asked for at once.
const PIECE: i64 = 1 << 22;

/// How components start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// Number of components.
    pub n_components: i64,
    /// How many of them, the last ones, start at the origin.
    pub n_at_origin: i64,
    /// One variance per component instead of one per component and dimension.
    pub isotropic: bool,
    /// Where the means of the others are drawn.
    pub softball: Softball,
    /// Their standard deviation.
    pub sd: f64,
}

/// The components of a mixture in d dimensions.
#[derive(Debug)]
pub(super) struct Components {
    /// μ: [n_components, d].
    pub mean: Tensor,
    /// −ln σ²: [n_components, d], or [n_components, 1] for components with one variance.
    pub neglogvar: Tensor,
    /// What the softmax of gives the probabilities π of the components: [n_components].
    pub weight: Tensor,
}

impl Components {
    /// Components with parameters `mean`, `neglogvar` and `weight`; only means are drawn.
    pub fn new(context: &PriorContext<'_>, start: &Start) -> Result<Components> {
        let (vars, n, dim) = (&context.vars, start.n_components, context.dim);
        let mean = start.softball.sample(n, dim)?;
        let _ = mean.f_narrow(0, n - start.n_at_origin, start.n_at_origin)?.f_zero_()?;
        let host = (Kind::Float, Device::Cpu);
        let n_variances = if start.isotropic { 1 } else { dim };
        let neglogvar = Tensor::f_full([n, n_variances], neglogvar_of(start.sd), host)?;
        Ok(Components {
            mean: vars.f_var_copy("mean", &mean)?,
            neglogvar: vars.f_var_copy("neglogvar", &neglogvar)?,
            weight: vars.f_var_copy("weight", &Tensor::f_ones([n], host)?)?,
        })
    }

    /// ln π: [n_components].
    pub fn log_weights(&self) -> Result<Tensor> {
        Ok(self.weight.f_log_softmax(0, None::<Kind>)?)
    }

    /// ln N(z; μ_k, σ²_k) of each row z and component k:
    /// −½ Σ (z − μ_k)² exp(v_k) + ½ Σ v_k − d/2 ln 2π, sums over dimensions, with v = −ln σ².
    ///
    /// Squares of differences, not differences of squares: where σ is small, those of the latter lose all digits.
    ///
    /// # Shapes
    /// n_cells × d to n_cells × n_components.
    pub fn log_densities(&self, rows: &Tensor) -> Result<Tensor> {
        let dim = self.mean.size()[1];
        ensure_width(rows, dim)?;
        let differences = rows.f_unsqueeze(1)?.f_sub(&self.mean)?;
        let distances = sum_last(&differences.f_square()?.f_mul(&self.neglogvar.f_exp()?)?)?;
        let log_precision = sum_last(&self.neglogvar.f_expand_as(&self.mean)?)?;
        let constant = 0.5 * dim as f64 * LOG_TWO_PI;
        Ok((log_precision - distances) * 0.5 - constant)
    }
}

/// Components, and what their parameters cost.
#[derive(Debug)]
pub(super) struct Mixture {
    pub components: Components,
    pub hyperprior: Hyperprior,
    /// Components below this probability are left out of the search and of responsibilities.
    pub min_weight: f64,
}

impl Mixture {
    /// ln Σ π_k N(z; μ_k, σ²_k), given ln N: n_cells × n_components to [n_cells].
    pub fn log_density(&self, log_densities: &Tensor) -> Result<Tensor> {
        Ok(self.log_joint(log_densities)?.f_logsumexp([1i64].as_slice(), false)?)
    }

    /// What cells of these log densities cost, with their share of what the parameters cost: [n_cells].
    pub fn cost(&self, log_density: &Tensor) -> Result<Tensor> {
        let total = match self.hyperprior.share_of_cell(&self.components)? {
            Some(share) => log_density.f_add(&share)?,
            None => log_density.shallow_clone(),
        };
        Ok(total.f_neg()?)
    }

    /// What rows cost of which no more is known: [n_cells].
    pub fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        self.cost(&self.log_density(&self.components.log_densities(rows)?)?)
    }

    /// What the parameters cost, once per minibatch.
    pub fn per_minibatch(&self) -> Result<Option<Tensor>> {
        Ok(self.hyperprior.share_of_minibatch(&self.components)?.map(|share| -share))
    }

    /// The origin for every cell: n_cells × d, in the precision of the parameters.
    pub fn initial_rows(&self, n_cells: i64, dim: i64, device: Device) -> Result<Tensor> {
        Ok(Tensor::f_zeros([n_cells, dim], (self.components.mean.kind(), device))?)
    }

    /// The means of the components that are not left out, without a graph.
    pub fn candidates(&self) -> Result<Tensor> {
        no_grad(|| {
            let kept = self.is_kept()?.f_nonzero()?.f_squeeze_dim(1)?;
            Ok(self.components.mean.f_index_select(0, &kept)?)
        })
    }

    /// P(k | z) ∝ π_k N(z; μ_k, σ²_k): n_cells × n_components, 0 where a component is left out; without a graph.
    pub fn responsibilities(&self, rows: &Tensor) -> Result<Tensor> {
        ensure_width(rows, self.components.mean.size()[1])?;
        no_grad(|| {
            let left_out = self.is_kept()?.f_logical_not()?;
            let of_piece = |piece: &Tensor| -> Result<Tensor> {
                let joint = self.log_joint(&self.components.log_densities(piece)?)?;
                Ok(joint.f_masked_fill(&left_out, f64::NEG_INFINITY)?.f_softmax(1, None::<Kind>)?)
            };
            let n_rows = (PIECE / (self.components.mean.numel() as i64).max(1)).max(1);
            let pieces = rows.f_split(n_rows, 0)?.iter().map(of_piece).collect::<Result<Vec<_>>>()?;
            Ok(Tensor::f_cat(&pieces, 0)?)
        })
    }

    /// ln π_k N(z; μ_k, σ²_k).
    fn log_joint(&self, log_densities: &Tensor) -> Result<Tensor> {
        Ok(log_densities.f_add(&self.components.log_weights()?)?)
    }

    /// Which components are not left out; the heaviest never is.
    fn is_kept(&self) -> Result<Tensor> {
        let shares = self.components.log_weights()?.f_exp()?;
        Ok(shares.f_ge_tensor(&shares.f_max()?.f_clamp_max(self.min_weight)?)?)
    }
}

fn sum_last(values: &Tensor) -> Result<Tensor> {
    Ok(values.f_sum_dim_intlist([-1i64].as_slice(), false, None::<Kind>)?)
}
