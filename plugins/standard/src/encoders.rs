//! Encoders: from features to latent rows.

mod mlp;

pub use mlp::{HeadHidden, HeadRule, MlpEncoder, MlpEncoderSpec};
