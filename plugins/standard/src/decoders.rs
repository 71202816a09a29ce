//! Decoders: from latent rows to the parameter that a loss works with.

mod mlp;

pub use mlp::{MlpDecoder, MlpDecoderSpec};
