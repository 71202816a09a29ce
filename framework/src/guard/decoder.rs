//! Guarded decoders.

use super::Guarded;
use crate::{Decoder, DecoderContext, DecoderSpec};
use anyhow::Result;
use serde::Serialize;
use tch::Tensor;

impl<S: DecoderSpec + Serialize> DecoderSpec for Guarded<S> {
    fn typetag_name(&self) -> &'static str {
        self.guard.name
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>> {
        let built = self.attempt(|spec| spec.build(context))?;
        Ok(Box::new(Guarded::new(self.guard, built)))
    }
}

impl Decoder for Guarded<dyn Decoder> {
    fn decode(&self, latent: &Tensor, training: bool) -> Result<Tensor> {
        self.attempt(|decoder| decoder.decode(latent, training))
    }
}
