//! The encoder and the decoder: one linear map each.

use crate::components::Faulty;
use framework::anyhow::{Result, ensure};
use framework::nn::{InputLayer, Linear};
use framework::tch::Tensor;
use framework::{
    Decoder, DecoderContext, DecoderSpec, Encoder, EncoderContext, EncoderSpec, Features, component, typetag,
};

#[typetag::serialize(name = "faulty")]
impl EncoderSpec for Faulty {
    fn build(&self, context: &EncoderContext<'_>) -> Result<Box<dyn Encoder>> {
        ensure!(context.n_condition == 0, "it cannot be told a category of cells");
        let n_features = context.input.n_features();
        let layer = |(place, head): (usize, &framework::Head)| {
            InputLayer::new(&(&context.vars / format!("head{place}")), n_features, head.dim, true)
        };
        let heads = context.heads.iter().enumerate().map(layer).collect::<Result<_>>()?;
        Ok(Box::new(Heads { spec: self.clone(), heads }))
    }
}

struct Heads {
    spec: Faulty,
    heads: Vec<InputLayer>,
}

impl Encoder for Heads {
    fn encode(&self, input: &Features, _condition: Option<&Tensor>, training: bool) -> Result<Vec<Tensor>> {
        self.spec.act();
        self.heads.iter().map(|head| head.forward(input, 0.0, training)).collect()
    }
}

component! { role: Encoder, name: "faulty", spec: Faulty, summary: "a linear map to each space", source: "a test", example: "" }

#[typetag::serialize(name = "faulty")]
impl DecoderSpec for Faulty {
    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>> {
        let layer = Linear::new(&context.vars, context.n_latent, context.output.n_features(), true)?;
        Ok(Box::new(Map { spec: self.clone(), layer }))
    }
}

struct Map {
    spec: Faulty,
    layer: Linear,
}

impl Decoder for Map {
    fn decode(&self, latent: &Tensor, _training: bool) -> Result<Tensor> {
        self.spec.act();
        self.layer.forward(latent)
    }
}

component! { role: Decoder, name: "faulty", spec: Faulty, summary: "a linear map to the features", source: "a test", example: "" }
