//! Decoders: from latent rows to the parameter that a loss works with.

mod branched;
mod mlp;

pub use branched::{BranchedDecoder, BranchedDecoderSpec};
pub use mlp::{MlpDecoder, MlpDecoderSpec};
