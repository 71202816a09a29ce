//! Dropout whose draws are cheap: libtorch draws one number of 64 bits after the other for it, which is a sixth of a step of
//! narrow data; here one such number decides on four entries.

use anyhow::Result;
use tch::{Kind, Tensor};

/// Equally likely values of 16 bits.
const N_VALUES: i64 = 1 << 16;
/// Entries that are decided on by one drawn number.
const ENTRIES_PER_DRAW: i64 = 4;
/// So few numbers are left to libtorch, as they cost next to nothing: small networks learn the same as ever.
const FEW: usize = 1 << 16;

/// Sets each number to 0 with a probability where training, and divides the others by the probability to stay, so that the
/// expectation is kept; drawn from libtorch's generator. Of more than 65,536 numbers the probability is rounded to a multiple of 2⁻¹⁶.
///
/// # Errors
/// When memory is short.
pub fn with_dropout(numbers: &Tensor, probability: f64, training: bool) -> Result<Tensor> {
    let n_dropped = ((probability * N_VALUES as f64).round() as i64).min(N_VALUES - 1);
    if !training || n_dropped <= 0 {
        return Ok(numbers.shallow_clone());
    }
    if numbers.numel() <= FEW {
        return Ok(numbers.f_dropout(probability, training)?);
    }
    let n = numbers.numel() as i64;
    let n_draws = (n + ENTRIES_PER_DRAW - 1) / ENTRIES_PER_DRAW;
    let mut draws = Tensor::f_empty([n_draws], (Kind::Int64, numbers.device()))?;
    let values = draws.f_random_from_(i64::MIN, None)?.f_view_dtype(Kind::Int16)?;
    let stays = values.f_narrow(0, 0, n)?.f_ge(i64::from(i16::MIN) + n_dropped)?;
    let scale = N_VALUES as f64 / (N_VALUES - n_dropped) as f64;
    let factors = stays.f_to_kind(numbers.kind())?.f_mul_scalar_(scale)?;
    Ok(numbers.f_mul(&factors.f_view_as(numbers)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::holds_undisturbed;
    use tch::Device;

    const N: i64 = 400_001;

    fn ones() -> Tensor {
        Tensor::ones([N], (Kind::Float, Device::Cpu)).set_requires_grad(true)
    }

    #[test]
    fn as_many_are_dropped_as_should_be_and_the_expectation_is_kept() {
        for probability in [0.01, 0.3, 0.75] {
            let dropped = with_dropout(&ones(), probability, true).unwrap();
            let share = dropped.eq(0.0).to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
            let sd = (probability * (1.0 - probability) / N as f64).sqrt();
            assert!((share - probability).abs() < 5.0 * sd + 1e-5, "{share} instead of {probability}");
            let most = dropped.max().double_value(&[]);
            assert!((most - 1.0 / (1.0 - probability)).abs() < 1e-4, "{most}");
        }
    }

    #[test]
    fn neighbours_are_dropped_independently() {
        let gone = with_dropout(&ones(), 0.5, true).unwrap().eq(0.0).to_kind(Kind::Double);
        for lag in 1..=8 {
            let both = (gone.narrow(0, 0, N - lag) * gone.narrow(0, lag, N - lag)).mean(Kind::Double).double_value(&[]);
            assert!((both - 0.25).abs() < 0.005, "{both} at a distance of {lag}");
        }
    }

    #[test]
    fn what_is_dropped_has_no_gradient() {
        let numbers = ones();
        let dropped = with_dropout(&numbers, 0.4, true).unwrap();
        let gradient = Tensor::run_backward(&[dropped.sum(Kind::Float)], &[&numbers], false, false).remove(0);
        assert!(gradient.allclose(&dropped.detach(), 0.0, 1e-6, false));
    }

    #[test]
    fn nothing_is_dropped_elsewhere() {
        let numbers = ones();
        for (probability, training) in [(0.5, false), (0.0, true)] {
            assert_eq!(with_dropout(&numbers, probability, training).unwrap(), numbers);
        }
        let empty = Tensor::zeros([0, 3], (Kind::Float, Device::Cpu));
        assert_eq!(with_dropout(&empty, 0.5, true).unwrap().size(), [0, 3]);
        let shaped = with_dropout(&Tensor::ones([3, 5], (Kind::Double, Device::Cpu)), 0.5, true).unwrap();
        assert_eq!((shaped.size(), shaped.kind()), (vec![3, 5], Kind::Double));
    }

    #[test]
    fn a_seed_drops_the_same() {
        let drawn = || {
            tch::manual_seed(4);
            with_dropout(&ones(), 0.5, true).unwrap()
        };
        assert!(holds_undisturbed(|| drawn() == drawn()));
    }
}
