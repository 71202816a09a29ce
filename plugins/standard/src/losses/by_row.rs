//! What losses have in common whose slopes are found beside them, a row of the processor's memory at a time.
//!
//! `tch` lends no slice of a tensor, so rows are copied to buffers of their thread and back, in pieces that stay in the
//! cache and that libtorch copies without starting threads of its own.

use super::number::Number;
use anyhow::{Context, Result};
use tch::Tensor;

/// Numbers that are copied at once.
const PIECE: usize = 1 << 15;

/// Copies a row into a buffer of its length.
pub(super) fn read<T: Number>(from: &Tensor, to: &mut [T]) -> Result<()> {
    for (place, piece) in to.chunks_mut(PIECE).enumerate() {
        let n = piece.len();
        from.f_narrow(0, (place * PIECE) as i64, n as i64)?.f_copy_data(piece, n)?;
    }
    Ok(())
}

/// Copies a buffer into a row of its length.
pub(super) fn write<T: Number>(from: &[T], to: &Tensor) -> Result<()> {
    for (place, piece) in from.chunks(PIECE).enumerate() {
        let mut to = to.f_narrow(0, (place * PIECE) as i64, piece.len() as i64)?;
        to.f_copy_(&Tensor::f_from_slice(piece)?).context("slopes are written")?;
    }
    Ok(())
}

/// Whether a gradient by this tensor will be asked for.
pub(super) fn is_tracked(tensor: &Tensor) -> Result<bool> {
    Ok(tensor.f_narrow(0, 0, 0)?.f_mul_scalar(1.0)?.requires_grad())
}

/// The first number with the gradient of the second besides its own.
pub(super) fn with_gradient_of(value: &Tensor, other: &Tensor) -> Result<Tensor> {
    Ok(value.f_add(&other.f_sub(&other.detach())?)?)
}
