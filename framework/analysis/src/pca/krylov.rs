//! Principal components by randomised block Krylov iteration.
//!
//! From a random start V₁ (n_features × (k + 10)) the basis [V₁ … V₄] is grown with C = (A − 1 μ)ᵀ (A − 1 μ):
//! Vⱼ₊₁ = orth(C Vⱼ). The best directions within its span are those of the eigenproblem of (A V)ᵀ (A V)
//! (Rayleigh–Ritz). The best k + 10 of them start the next round, until none of the k explained variances rises any more.

use anyhow::Result;
use tch::{Kind, Tensor};

use super::{Centred, Found, PcaSpec, largest};
use crate::random::normal;

/// Directions carried beyond those asked for.
const N_EXTRA: usize = 10;
/// Blocks in the basis of one round.
const DEPTH: usize = 4;
const MAX_ROUNDS: usize = 30;
/// Relative rise of an explained variance in a round below which it has settled.
const TOLERANCE: f64 = 1e-5;

/// Directions that one round holds; a matrix without more features than that is better decomposed exactly.
pub(super) fn basis_size(n_components: usize) -> usize {
    (n_components + N_EXTRA) * DEPTH
}

/// Finds components of a matrix with more features than [`basis_size`].
pub(super) fn find(centred: &Centred, spec: PcaSpec) -> Result<Found> {
    let n_features = centred.matrix.n_columns();
    let mut start = orthonormal(&normal(n_features, spec.n_components + N_EXTRA, spec.seed))?;
    let mut earlier = vec![0.0; spec.n_components];
    let mut round = 0;
    loop {
        let (squares, directions) = best_of_round(centred, &start)?;
        round += 1;
        let settled = squares.iter().zip(&earlier).all(|(new, old)| new - old <= TOLERANCE * new);
        if settled || round == MAX_ROUNDS {
            let directions = directions.narrow(1, 0, spec.n_components as i64);
            return Ok(Found { directions, squares: squares[..spec.n_components].to_vec(), converged: settled });
        }
        earlier.copy_from_slice(&squares[..spec.n_components]);
        start = orthonormal(&directions)?;
    }
}

/// Grows the basis from a start and returns its best directions, as many as the start has.
fn best_of_round(centred: &Centred, start: &Tensor) -> Result<(Vec<f64>, Tensor)> {
    let width = start.size()[1] as usize;
    let mut basis = start.shallow_clone();
    let mut images = centred.times(start)?;
    for _ in 1..DEPTH {
        let image = images.narrow(1, images.size()[1] - width as i64, width as i64);
        let newest = orthonormal(&without(&centred.transposed_times(&image)?, &basis)?)?;
        // once more, since the first removal leaves rounding behind
        let newest = orthonormal(&without(&newest, &basis)?)?;
        images = Tensor::f_cat(&[&images, &centred.times(&newest)?], 1)?;
        basis = Tensor::f_cat(&[&basis, &newest], 1)?;
    }
    let (eigenvalues, vectors) = images.tr().f_matmul(&images)?.f_linalg_eigh("L")?;
    let (squares, vectors) = largest(&eigenvalues, &vectors, width)?;
    Ok((squares, basis.f_matmul(&vectors)?.to_kind(Kind::Double)))
}

/// What remains of a block outside the span of an orthonormal basis.
fn without(block: &Tensor, basis: &Tensor) -> Result<Tensor> {
    Ok(block - basis.f_matmul(&basis.tr().f_matmul(block)?)?)
}

fn orthonormal(block: &Tensor) -> Result<Tensor> {
    Ok(Tensor::f_linalg_qr(block, "reduced")?.0)
}
