//! Broken losses.

use super::assert_told;
use crate::component::{Role, Spec};
use crate::testing;
use crate::{FeatureShape, Features, Loss, LossContext, LossSpec, Target, TargetValues, component};
use anyhow::{Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};
use tch::{Device, Kind, Tensor};

/// Binomial cross-entropy of logits times a learned scale.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ToyLossSpec {
    /// What is wrong with it; nothing where it is empty.
    fault: String,
    /// Whether targets are successes among trials; else values in [0, 1].
    trials: bool,
}

impl Spec for ToyLossSpec {}

#[typetag::serialize(name = "toy_loss")]
impl LossSpec for ToyLossSpec {
    fn build(&self, context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        let fault = self.fault.clone();
        if fault == "refuses_some_widths" && context.output == FeatureShape::Vector(1) {
            bail!("one feature is not enough");
        }
        ensure!(fault != "refuses_all", "no form of features is any good");
        assert!(fault != "build_panics", "something is not as it should be");
        let drawn = Tensor::f_empty([1], (Kind::Float, Device::Cpu))?.f_uniform_(0.5, 1.5)?;
        let scale = match fault.as_str() {
            "not_saved" => drawn,
            "unseeded" => context.vars.f_var_copy("scale", &Tensor::from_slice(&[next() as f32]))?,
            _ => context.vars.f_var_copy("scale", &drawn)?,
        };
        let unused = if fault == "unused" { Some(context.vars.f_zeros("unused", &[2])?) } else { None };
        Ok(Box::new(ToyLoss { fault, trials: self.trials, scale, unused }))
    }
}

/// Another number each time.
fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

struct ToyLoss {
    fault: String,
    trials: bool,
    scale: Tensor,
    unused: Option<Tensor>,
}

impl ToyLoss {
    fn each(&self, x: &Tensor, target: &Target) -> Result<Tensor> {
        let k = target.dense();
        let n = match target.trials() {
            Some(trials) => trials.to_dense(),
            None => k.ones_like(),
        };
        let n = if self.fault == "one_trial_at_least" { n.clamp_min(1.0) } else { n };
        let logits = match self.fault.as_str() {
            "wrong_gradient" => x * self.scale.detach() * 0.5 + (x * &self.scale).detach() * 0.5,
            "no_gradient" => x.detach() * &self.scale,
            _ => x * &self.scale,
        };
        Ok(match self.fault.as_str() {
            "overflows" => &n * (logits.exp() + 1.0).log() - k * logits,
            "infinite_slope" => &n * logits.softplus() - k * &logits + logits.square().sqrt() * 0.1,
            "zero_is_no_number" => &n * logits.softplus() - k * logits + k * k.log(),
            _ => &n * logits.softplus() - k * logits,
        })
    }
}

impl Loss for ToyLoss {
    fn target(&self) -> TargetValues {
        if self.trials { TargetValues::Trials } else { TargetValues::UnitInterval }
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let sizes = (prediction.size(), target.dense().size());
        if self.fault != "broadcasts" {
            assert!(self.fault != "panics_on_others" || sizes.0 == sizes.1, "the sizes differ");
            ensure!(sizes.0 == sizes.1, "the prediction has shape {:?}, but the target has {:?}", sizes.0, sizes.1);
        }
        let per_cell = self.each(prediction, target)?.flatten(1, -1).mean_dim([1i64].as_slice(), false, None::<Kind>);
        let sparse = f64::from(u8::from(matches!(target.features(), Features::Sparse(_))));
        Ok(match self.fault.as_str() {
            "wrong_shape" => per_cell.unsqueeze(1),
            "wrong_kind" => per_cell.to_kind(Kind::Double),
            "neighbours" => &per_cell - per_cell.mean(None::<Kind>) * 0.1,
            "counts_cells" => &per_cell * per_cell.size()[0] as f64,
            "order" => per_cell.sort(0, false).0,
            "remembers" => per_cell + f64::from(next()),
            "sparse_differs" => per_cell * (1.0 + sparse),
            "sparse_gradient_differs" if sparse > 0.0 => per_cell.detach() * 0.5 + per_cell * 0.5,
            _ => per_cell,
        })
    }

    fn expectation(&self, prediction: &Tensor, _totals: Option<&Tensor>) -> Result<Tensor> {
        let _ = &self.unused;
        Ok(match self.fault.as_str() {
            "expectation_out_of_range" => prediction.shallow_clone(),
            "expectation_of_another_shape" => prediction.sigmoid().flatten(0, -1),
            _ => (prediction * self.scale.detach()).sigmoid(),
        })
    }
}

component! {
    role: Loss,
    name: "toy_loss",
    spec: ToyLossSpec,
    summary: "binomial cross-entropy, broken where it is told to be",
    source: "a test",
    example: "trials = true",
}

#[test]
fn a_sound_loss_passes() {
    testing::loss("toy_loss").check();
}

#[test]
fn a_loss_that_counts_what_was_not_tried_is_caught() {
    let told = testing::loss("toy_loss").table("fault = \"one_trial_at_least\"\ntrials = true").run().unwrap_err();
    let told = told.to_string();
    assert!(told.contains("does not conform: entries without trials add nothing"), "{told}");
}

#[test]
fn broken_losses_are_caught() {
    let faults = [
        ("build_panics", "it builds", "something is not as it should be"),
        ("refuses_some_widths", "it builds", "1 feature: one feature is not enough"),
        ("refuses_all", "it builds", "no form of features is any good"),
        ("wrong_kind", "shapes are right", "expected: numbers of kind Float for 5 cells"),
        ("zero_is_no_number", "cells whose inputs are all zero", "NaN at [0]"),
        ("remembers", "evaluation gives the same bits", "instead of"),
        ("order", "the order of the cells is that of the outputs", "outputs in the order of the cells"),
        ("neighbours", "a cell's output depends on that cell only", "when all others change"),
        ("counts_cells", "one cell gives what it gives among others", "the same for a cell by itself"),
        ("sparse_differs", "sparse and dense inputs give the same", "from sparse inputs what dense ones give"),
        ("broadcasts", "predictions of another shape are refused", "it was accepted"),
        ("panics_on_others", "predictions of another shape are refused", "panicked: the sizes differ"),
        ("overflows", "extreme but legal inputs", "predictions of the largest legal size with targets of 0"),
        ("infinite_slope", "extreme but legal inputs", "a finite gradient of the parameter `scale` for predictions of"),
        ("expectation_out_of_range", "expected values are in range", "finite expected values in [0, 1]"),
        ("expectation_of_another_shape", "expected values are in range", "the size [5, 1] of the prediction"),
        ("unused", "a gradient reaches all that is learned", "none for the parameter `unused`"),
        ("no_gradient", "a gradient reaches all that is learned", "none for input 1"),
        ("wrong_gradient", "a gradient reaches all that is learned", "none for the parameter `scale`"),
        ("sparse_gradient_differs", "sparse and dense inputs give the same gradients", "the gradient of input 1"),
        ("unseeded", "the same seed gives the same bits", "the same numbers in `scale`"),
        ("not_saved", "saved and loaded it is the same", "whose parameters and buffers were saved"),
    ];
    assert_told(Role::Loss, "toy_loss", &faults);
}
