//! Decoders: from latent rows to the parameter that a loss works with.

mod branched;
mod conv;
mod mlp;

pub use branched::{BranchedDecoder, BranchedDecoderSpec};
pub use conv::{ConvDecoder, ConvDecoderSpec};
pub use mlp::{MlpDecoder, MlpDecoderSpec};
