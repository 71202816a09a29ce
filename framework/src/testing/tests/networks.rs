//! Broken encoders and decoders.

use super::assert_told;
use crate::component::{Role, Spec};
use crate::testing;
use crate::{
    Decoder, DecoderContext, DecoderSpec, Encoder, EncoderContext, EncoderSpec, FeatureShape, Features, component,
};
use anyhow::{Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn};

/// A linear map and a bend.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ToyNetworkSpec {
    /// What is wrong with it; nothing where it is empty.
    fault: String,
}

impl Spec for ToyNetworkSpec {}

/// x ↦ tanh(x Wᵀ) + running mean of the minibatches, of fixed size.
struct Map {
    fault: String,
    weight: Tensor,
    mean: Tensor,
}

impl Map {
    fn new(vars: &nn::Path<'_>, [n_inputs, n_outputs]: [i64; 2], fault: &str) -> Result<Map> {
        let init = nn::Init::Uniform { lo: -0.5, up: 0.5 };
        let weight = vars.f_var("weight", &[n_outputs, n_inputs], init)?;
        let mean = match fault {
            "mean_not_saved" => Tensor::zeros([n_outputs], (Kind::Float, vars.device())),
            _ => vars.f_zeros_no_train("mean", &[n_outputs])?,
        };
        Ok(Map { fault: fault.to_owned(), weight, mean })
    }

    fn apply(&self, rows: &Tensor, training: bool) -> Result<Tensor> {
        let n_inputs = self.weight.size()[1];
        if self.fault == "takes_any_width" {
            return self.bend(&rows.narrow(1, 0, n_inputs), training);
        }
        ensure!(rows.size()[1] == n_inputs, "built for {n_inputs} numbers, but there are {}", rows.size()[1]);
        self.bend(rows, training)
    }

    fn bend(&self, rows: &Tensor, training: bool) -> Result<Tensor> {
        let mapped = rows.f_linear(&self.weight, None::<Tensor>)?;
        if training {
            let now = mapped.detach().mean_dim([0i64].as_slice(), false, None::<Kind>) * 0.1;
            let _ = self.mean.shallow_clone().g_add_(&now);
        }
        let bent = mapped.f_tanh()?;
        assert!(self.fault != "one_cell_panics" || bent.size()[0] > 1, "one cell is not enough");
        let bent = match (self.fault.as_str(), training) {
            // Half of the slope is missing.
            ("wrong_gradient", _) | ("wrong_gradient_in_training", true) => &bent * 0.5 + bent.detach() * 0.5,
            ("kink_is_no_fault", _) => bent.relu(),
            ("in_single_precision", _) | ("wrong_in_single_precision", _) => bent.to_kind(Kind::Float),
            _ => bent,
        };
        let bent = if self.fault == "wrong_in_single_precision" { &bent * 0.9 + bent.detach() * 0.1 } else { bent };
        Ok(if training { bent } else { &bent + self.mean.to_kind(bent.kind()) })
    }
}

#[typetag::serialize(name = "toy_encoder")]
impl EncoderSpec for ToyNetworkSpec {
    fn build(&self, context: &EncoderContext<'_>) -> Result<Box<dyn Encoder>> {
        ensure!(matches!(context.input, FeatureShape::Vector(_)), "it takes vectors only");
        let is_told = context.n_condition > 0;
        assert!(!is_told || self.fault != "panics_when_told", "no categories, please");
        ensure!(!is_told || self.fault != "knows_no_categories", "it cannot be told a category of cells");
        let n_inputs = context.input.n_features() + context.n_condition;
        let map = |(place, dim)| Map::new(&(&context.vars / place), [n_inputs, dim], &self.fault);
        let heads = context.heads.iter().map(|head| head.dim).enumerate().map(map);
        Ok(Box::new(ToyEncoder { heads: heads.collect::<Result<_>>()?, fault: self.fault.clone() }))
    }
}

struct ToyEncoder {
    heads: Vec<Map>,
    fault: String,
}

impl Encoder for ToyEncoder {
    fn encode(&self, input: &Features, condition: Option<&Tensor>, training: bool) -> Result<Vec<Tensor>> {
        let dense = input.to_dense();
        let mut rows = match self.fault.as_str() {
            "neighbours" => &dense - dense.mean_dim([0i64].as_slice(), true, None::<Kind>),
            "dropout_in_evaluation" => dense.dropout(0.5, true),
            "scaled_by_the_cell" => &dense / dense.sum_dim_intlist([1i64].as_slice(), true, None::<Kind>),
            _ => dense,
        };
        if self.fault == "sparse_differs" && matches!(input, Features::Sparse(_)) {
            rows *= 1.1;
        }
        if let Some(condition) = condition {
            let told = if self.fault == "does_not_learn_its_condition" { &condition.detach() } else { condition };
            rows = Tensor::f_cat(&[&rows, told], 1)?;
        }
        let n_heads = if self.fault == "a_head_is_missing" { 3 } else { self.heads.len() };
        self.heads[..n_heads].iter().map(|head| head.apply(&rows, training)).collect()
    }
}

component! {
    role: Encoder,
    name: "toy_encoder",
    spec: ToyNetworkSpec,
    summary: "a linear map per head, broken where it is told to be",
    source: "a test",
    example: "",
}

/// The same as a decoder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ToyDecoderSpec {
    /// What is wrong with it; nothing where it is empty.
    fault: String,
}

impl Spec for ToyDecoderSpec {}

#[typetag::serialize(name = "toy_decoder")]
impl DecoderSpec for ToyDecoderSpec {
    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>> {
        let FeatureShape::Image { channels, height, width } = context.output else { bail!("it makes images only") };
        ensure!(height % 8 == 0 && width % 8 == 0, "height and width must be multiples of 8");
        let map = Map::new(&context.vars, [context.n_latent, channels * height * width], &self.fault)?;
        Ok(Box::new(ToyDecoder { map, size: [-1, channels, height, width], fault: self.fault.clone() }))
    }
}

struct ToyDecoder {
    map: Map,
    size: [i64; 4],
    fault: String,
}

impl Decoder for ToyDecoder {
    fn decode(&self, latent: &Tensor, training: bool) -> Result<Tensor> {
        let latent = if self.fault == "no_way_back" { latent.detach() } else { latent.shallow_clone() };
        let flat = self.map.apply(&latent, training)?;
        Ok(match self.fault.as_str() {
            "flat" => flat,
            "not_finite" => flat.f_view(self.size)?.log(),
            _ => flat.f_view(self.size)?,
        })
    }
}

component! {
    role: Decoder,
    name: "toy_decoder",
    spec: ToyDecoderSpec,
    summary: "a linear map to images, broken where it is told to be",
    source: "a test",
    example: "",
}

#[test]
fn sound_networks_pass() {
    testing::encoder("toy_encoder").table("fault = \"kink_is_no_fault\"").check();
    testing::encoder("toy_encoder").table("fault = \"knows_no_categories\"").check();
    testing::decoder("toy_decoder").check();
}

/// Single precision is no fault, and a wrong gradient is found in it all the same.
#[test]
fn single_precision_is_enough() {
    testing::encoder("toy_encoder").table("fault = \"in_single_precision\"").check();
}

#[test]
fn broken_encoders_are_caught() {
    let faults = [
        ("a_head_is_missing", "shapes are right", "expected: the sizes [[5, 3], [5, 1], [5, 3], [5, 1]]"),
        ("one_cell_panics", "shapes are right", "panicked: one cell is not enough"),
        ("scaled_by_the_cell", "cells whose inputs are all zero", "NaN"),
        ("dropout_in_evaluation", "evaluation gives the same bits", "the second time what came out the first time"),
        ("neighbours", "a cell's output depends on that cell only", "the same for two cells when all others change"),
        ("sparse_differs", "sparse and dense inputs give the same", "from sparse inputs what dense ones give"),
        ("takes_any_width", "features of another form are refused", "an input of 2 features is refused"),
        ("wrong_gradient", "gradients are those of finite differences in evaluation", "of the parameter `0.weight`"),
        (
            "wrong_gradient_in_training",
            "gradients are those of finite differences in training",
            "as central differences",
        ),
        ("does_not_learn_its_condition", "a gradient reaches all that is learned", "none for input 1"),
        ("panics_when_told", "it is told a condition, or refuses it", "panicked: no categories, please"),
        ("mean_not_saved", "saved and loaded it is the same", "whose parameters and buffers were saved"),
    ];
    assert_told(Role::Encoder, "toy_encoder", &faults);
}

#[test]
fn broken_decoders_are_caught() {
    let faults = [
        ("flat", "shapes are right", "expected: the sizes [[5, 1, 8, 8]] for 5 cells in evaluation"),
        ("not_finite", "shapes are right", "finite numbers for 5 cells"),
        ("takes_any_width", "rows of another width are refused", "rows of 6 numbers is refused"),
        ("no_way_back", "a gradient reaches all that is learned", "none for input 1"),
        ("wrong_gradient", "gradients are those of finite differences in evaluation", "along a direction of input 1"),
        ("mean_not_saved", "saved and loaded it is the same", "whose parameters and buffers were saved"),
    ];
    assert_told(Role::Decoder, "toy_decoder", &faults);
}
