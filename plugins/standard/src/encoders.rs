//! Encoders: from features to latent rows.

mod conv;
mod mlp;

pub use conv::{ConvEncoder, ConvEncoderSpec, HeadChannels, HeadChannelsRule};
pub use mlp::{HeadHidden, HeadRule, MlpEncoder, MlpEncoderSpec};
