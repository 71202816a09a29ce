//! The kind of numbers that layers multiply: 32 bits, or the 16 of bfloat16.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::time::Instant;
use tch::{Device, Kind, Tensor};

/// The kind of numbers that products of layers are computed in while a model learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32 bits.
    #[default]
    Float32,
    /// 16 bits with the range of 32 (8 bits of precision): inputs and weights of linear layers and convolutions are rounded
    /// before they are multiplied; sums inside a product, parameters, normalisation, losses and optimizers keep 32 bits.
    Bf16,
}

thread_local! {
    static PRESENT: Cell<Precision> = const { Cell::new(Precision::Float32) };
}

/// Puts the precision of before back, also where the work panics.
struct Back(Precision);

impl Drop for Back {
    fn drop(&mut self) {
        PRESENT.set(self.0);
    }
}

impl Precision {
    /// Does something with layers of this precision: those that are applied on this thread before it returns.
    pub fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let _back = Back(PRESENT.replace(self));
        work()
    }

    /// The precision that layers have now on this thread.
    pub fn now() -> Precision {
        PRESENT.get()
    }

    /// A factor of a product as it is to be multiplied: itself, or rounded. Numbers of other kinds than 32 bits stay as
    /// they are; the gradient has the tensor's own kind.
    ///
    /// # Errors
    /// When memory is short.
    pub fn factor(self, tensor: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Precision::Bf16 if tensor.kind() == Kind::Float => tensor.f_to_kind(Kind::BFloat16)?,
            _ => tensor.shallow_clone(),
        })
    }
}

/// Products of a large matrix that are timed, of which the quickest counts.
const N_TIMED: usize = 4;

impl Precision {
    /// Thousand millions of multiplications and additions that the processor does in a second, measured now in one large
    /// product (some tens of milliseconds).
    ///
    /// # Errors
    /// When memory is short.
    pub fn gflops(self) -> Result<f64> {
        let (n_cells, n_inputs, n_outputs) = (512, 1024, 4096);
        let factor = |shape: [i64; 2]| self.factor(&Tensor::f_ones(shape, (Kind::Float, Device::Cpu))?);
        let (rows, weight) = (factor([n_cells, n_inputs])?, factor([n_outputs, n_inputs])?);
        let mut least = f64::INFINITY;
        for _ in 0..N_TIMED {
            let start = Instant::now();
            let _ = rows.f_linear(&weight, None::<Tensor>)?;
            least = least.min(start.elapsed().as_secs_f64());
        }
        Ok(2.0 * (n_cells * n_inputs * n_outputs) as f64 / 1e9 / least)
    }
}

/// Numbers of 16 bits as 32; others as they are.
///
/// # Errors
/// When memory is short.
pub fn widened(tensor: Tensor) -> Result<Tensor> {
    Ok(match tensor.kind() {
        Kind::BFloat16 => tensor.f_to_kind(Kind::Float)?,
        _ => tensor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_holds_during_the_work_and_no_longer() {
        let inside = Precision::Bf16.during(|| (Precision::now(), Precision::Float32.during(Precision::now)));
        assert_eq!(inside, (Precision::Bf16, Precision::Float32));
        assert_eq!(Precision::now(), Precision::Float32);
        let caught = std::panic::catch_unwind(|| Precision::Bf16.during(|| panic!("stop")));
        assert!(caught.is_err());
        assert_eq!(Precision::now(), Precision::Float32);
    }

    #[test]
    fn factors_of_32_bits_are_rounded_and_others_are_not() {
        for (kind, rounded) in [(Kind::Float, Kind::BFloat16), (Kind::Double, Kind::Double)] {
            let tensor = Tensor::ones([2], (kind, Device::Cpu));
            assert_eq!(Precision::Bf16.factor(&tensor).unwrap().kind(), rounded);
            assert_eq!(Precision::Float32.factor(&tensor).unwrap().kind(), kind);
        }
        assert_eq!(widened(Tensor::ones([2], (Kind::BFloat16, Device::Cpu))).unwrap().kind(), Kind::Float);
    }
}
