//! Counter-based randomness: every draw is keyed by (seed, purpose, epoch, step), never by what was drawn before.
//!
//! So a step can be repeated alone, and a resumed run draws what the uninterrupted one would have drawn.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// What random numbers are drawn for; each purpose has a stream of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Initial values of network parameters.
    Parameters,
    /// Initial latent rows.
    Latents,
    /// The order in which training cells are visited.
    Order,
    /// Noise and dropout inside one training step.
    Step,
    /// Noise and dropout while encoders are trained.
    EncoderStep,
    /// Noise and initial rows while validation cells are fitted.
    Validation,
    /// The division of cells into training, validation and test.
    Split,
    /// Controls and probes of the evaluation.
    Evaluation,
    /// How images of training cells are laid.
    Turns,
    /// Which of its proteins a cell is observed with.
    Proteins,
}

impl Purpose {
    fn key(self) -> &'static str {
        match self {
            Purpose::Parameters => "parameters",
            Purpose::Latents => "latents",
            Purpose::Order => "order",
            Purpose::Step => "step",
            Purpose::EncoderStep => "encoder_step",
            Purpose::Validation => "validation",
            Purpose::Split => "split",
            Purpose::Evaluation => "evaluation",
            Purpose::Turns => "turns",
            Purpose::Proteins => "proteins",
        }
    }
}

/// A seed from which the streams of all purposes are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The 64-bit key of one purpose at one epoch and step.
    pub fn key(self, purpose: Purpose, epoch: u64, step: u64) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        hash.update(purpose.key().as_bytes());
        hash.update(epoch.to_le_bytes());
        hash.update(step.to_le_bytes());
        let digest = hash.finalize();
        let mut bytes = [0u8; 8];
        bytes.copy_from_slice(&digest[..8]);
        u64::from_le_bytes(bytes)
    }

    /// A generator for draws made in Rust (orders, splits).
    pub fn generator(self, purpose: Purpose, epoch: u64, step: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.key(purpose, epoch, step))
    }

    /// Sets libtorch's generators, for draws made in tensors (noise, dropout, initial values).
    pub fn set_torch(self, purpose: Purpose, epoch: u64, step: u64) {
        tch::manual_seed(self.key(purpose, epoch, step) as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_every_part() {
        let seed = Seed(1);
        let reference = seed.key(Purpose::Step, 2, 3);
        assert_eq!(reference, Seed(1).key(Purpose::Step, 2, 3));
        assert_ne!(reference, Seed(2).key(Purpose::Step, 2, 3));
        assert_ne!(reference, seed.key(Purpose::Order, 2, 3));
        assert_ne!(reference, seed.key(Purpose::Step, 3, 3));
        assert_ne!(reference, seed.key(Purpose::Step, 2, 2));
    }
}
