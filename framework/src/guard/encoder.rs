//! Guarded encoders.

use super::Guarded;
use crate::{Encoder, EncoderContext, EncoderSpec, Features};
use anyhow::Result;
use serde::Serialize;
use tch::Tensor;

impl<S: EncoderSpec + Serialize> EncoderSpec for Guarded<S> {
    fn typetag_name(&self) -> &'static str {
        self.guard.name
    }

    fn build(&self, context: &EncoderContext<'_>) -> Result<Box<dyn Encoder>> {
        let built = self.attempt(|spec| spec.build(context))?;
        Ok(Box::new(Guarded::new(self.guard, built)))
    }
}

impl Encoder for Guarded<dyn Encoder> {
    fn encode(&self, input: &Features, condition: Option<&Tensor>, training: bool) -> Result<Vec<Tensor>> {
        self.attempt(|encoder| encoder.encode(input, condition, training))
    }
}
