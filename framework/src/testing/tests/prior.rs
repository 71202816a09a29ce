//! Broken priors.

use super::assert_told;
use crate::component::{Role, Spec};
use crate::testing;
use crate::{LatentPrior, LatentPriorSpec, PriorContext, component};
use anyhow::{Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};
use tch::{Device, Kind, Tensor};

/// Half the squared distance from a learned centre, whose own cost is its norm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ToyPriorSpec {
    /// What is wrong with it; nothing where it is empty.
    fault: String,
}

impl Spec for ToyPriorSpec {}

#[typetag::serialize(name = "toy_prior")]
impl LatentPriorSpec for ToyPriorSpec {
    fn build(&self, context: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        let centre = context.vars.f_randn_standard("centre", &[context.dim])?;
        Ok(Box::new(ToyPrior { fault: self.fault.clone(), centre }))
    }
}

struct ToyPrior {
    fault: String,
    centre: Tensor,
}

fn sum(values: &Tensor) -> Tensor {
    values.sum_dim_intlist([1i64].as_slice(), false, None::<Kind>)
}

impl LatentPrior for ToyPrior {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        let squares = (rows - &self.centre).square();
        Ok(match self.fault.as_str() {
            "per_dimension" => squares,
            "infinite_slope" => sum(&rows.square()).sqrt() + sum(&squares),
            "overflows" => sum(&squares.exp()),
            "mean_over_cells" => sum(&squares).mean(None::<Kind>).expand([rows.size()[0]], false),
            _ => sum(&squares) * 0.5,
        })
    }

    fn per_minibatch(&self) -> Result<Option<Tensor>> {
        let norm = self.centre.square();
        Ok(Some(match self.fault.as_str() {
            "own_cost_per_cell" => Tensor::zeros([5], (Kind::Float, Device::Cpu)),
            "own_cost_detached" => norm.detach().sum(None::<Kind>) + &norm.sum(None::<Kind>) * 0.1,
            _ => norm.sum(None::<Kind>),
        }))
    }

    fn divergence(&self, mean: &Tensor, log_sd: &Tensor) -> Result<Tensor> {
        if self.fault == "no_divergence" {
            bail!("this prior has no divergence");
        }
        assert!(self.fault != "divergence_panics", "not written yet");
        ensure!(mean.size() == log_sd.size(), "mean and log_sd differ in shape");
        let each = (mean - &self.centre).square() + (log_sd * 2.0).exp() - 1.0 - log_sd * 2.0;
        Ok(match self.fault.as_str() {
            "negative_divergence" => -sum(&each),
            "divergence_detached" => sum(&each) + sum(&log_sd.detach().square()),
            _ => sum(&each) * 0.5,
        })
    }

    fn initial_rows(&self, n_cells: i64, dim: i64, device: Device) -> Result<Tensor> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Ok(match self.fault.as_str() {
            "rows_of_its_own" => {
                Tensor::full([n_cells, dim], NEXT.fetch_add(1, Ordering::Relaxed) as f64, (Kind::Float, device))
            }
            "rows_transposed" => Tensor::randn([dim, n_cells], (Kind::Float, device)),
            _ => Tensor::randn([n_cells, dim], (Kind::Float, device)) + self.centre.detach(),
        })
    }
}

component! {
    role: LatentPrior,
    name: "toy_prior",
    spec: ToyPriorSpec,
    summary: "distance from a learned centre, broken where it is told to be",
    source: "a test",
    example: "",
}

#[test]
fn a_sound_prior_passes_with_and_without_divergence() {
    testing::prior("toy_prior").table("fault = \"no_divergence\"").check();
}

#[test]
fn broken_priors_are_caught() {
    let faults = [
        ("per_dimension", "shapes are right", "expected: the sizes [[5]] for 5 cells"),
        ("mean_over_cells", "a cell's output depends on that cell only", "when all others change"),
        ("own_cost_detached", "gradients are those of finite differences", "of the parameter `centre`"),
        ("infinite_slope", "far rows cost a finite number", "finite gradients at rows of ±1000 and 0"),
        ("overflows", "far rows cost a finite number", "finite costs of rows of ±1000 and 0"),
        ("own_cost_per_cell", "the prior's own cost is one finite number", "the shape [5]"),
        ("rows_of_its_own", "initial rows are finite", "the same rows from the same seed"),
        ("rows_transposed", "initial rows are finite", "rows of size [7, 1]"),
        ("divergence_panics", "the divergence of posteriors", "panicked: not written yet"),
        ("negative_divergence", "the divergence of posteriors", "a finite number of at least 0"),
        ("divergence_detached", "gradients are those of finite differences", "along a direction of input 2"),
    ];
    assert_told(Role::LatentPrior, "toy_prior", &faults);
}
