//! Components that exist in this crate's own tests only.

mod messages;
mod properties;

use framework::anyhow::{Result, bail};
use framework::component::{Problem, Spec, require};
use framework::{
    Decoder, DecoderContext, DecoderSpec, Defaults, Encoder, EncoderContext, EncoderSpec, LatentPrior, LatentPriorSpec,
    Loss, LossContext, LossSpec, Modality, ModalitySpec, PriorContext, Source, Step, StepSpec, component,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A spec that the tests read when they read no other.
pub(crate) const TINY: &str = r#"spec_version = 1
seed = 7

[data]
path = "tiny.h5mu"
label = "cell_type"
split = { test = 0.2 }

[modality.rna]
layer = "counts"
steps = ["log_min_max", { kind = "highly_variable", n = 200 }]
loss = "mse"

[modality.rna.encoder]
hidden = [64, 32]

[modality.protein]
kind = "tags"
weight = 2.0
decoder = { kind = "mlp", hidden = [16] }

[model]
shared = 8
specific = 4

[latent.shared]
noise = 0.5
prior = { kind = "l2", weight = 0.1 }

[fit]
n_threads = 2

[fit.latent]
n_epochs = 10
order = "fixed"

[evaluate]
labels = ["cell_type"]
"#;

macro_rules! spec {
    ($(#[$about:meta])* $name:ident { $($(#[$inner:meta])* $key:ident: $type:ty = $default:expr),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        struct $name { $($(#[$inner])* $key: $type),* }

        impl Default for $name {
            fn default() -> Self {
                $name { $($key: $default),* }
            }
        }
    };
}

spec!(RnaSpec { layer: Option<String> = None, min_cells: usize = 300 });
spec!(TagsSpec { drop: Vec<String> = Vec::new() });
spec!(Mlp { hidden: Vec<i64> = vec![1024], dropout: f64 = 0.01 });
spec!(Bce { pos_weight: Option<f64> = None });
spec!(Mse {});
spec!(L2 { weight: f64 = 0.001 });
spec!(StandardNormal { kl_scaling: Option<String> = None });
spec!(LogMinMax { pseudo_count: f64 = 0.5 });

/// Keeps the features that vary most.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HighlyVariable {
    /// Number of features kept.
    n: usize,
}

impl Spec for RnaSpec {}
impl Spec for TagsSpec {}
impl Spec for Bce {}
impl Spec for Mse {}
impl Spec for L2 {}
impl Spec for StandardNormal {}
impl Spec for LogMinMax {}
impl Spec for HighlyVariable {}
impl Spec for Mlp {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (index, width) in self.hidden.iter().enumerate() {
            require(
                &mut problems,
                *width >= 1,
                &format!("hidden[{index}]"),
                format!("is {width}, but must be at least 1"),
            );
        }
        let share = self.dropout;
        require(&mut problems, (0.0..1.0).contains(&share), "dropout", format!("is {share}, but must be in [0, 1)"));
        problems
    }
}

const DEFAULTS: (&str, &str) = ("mlp", "hidden = [128]");

#[framework::typetag::serialize(name = "rna")]
impl ModalitySpec for RnaSpec {
    fn open(&self, _: &Source<'_>, _: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        bail!("tests open nothing")
    }

    fn defaults(&self) -> Defaults {
        Defaults {
            steps: vec![("log_min_max", "")],
            encoder: DEFAULTS,
            decoder: DEFAULTS,
            loss: ("bce", "pos_weight = 3.0"),
        }
    }
}

#[framework::typetag::serialize(name = "tags")]
impl ModalitySpec for TagsSpec {
    fn open(&self, _: &Source<'_>, _: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        bail!("tests open nothing")
    }

    fn defaults(&self) -> Defaults {
        Defaults { steps: vec![("highly_variable", "n = 10")], encoder: DEFAULTS, decoder: DEFAULTS, loss: ("mse", "") }
    }
}

#[framework::typetag::serialize(name = "mlp")]
impl EncoderSpec for Mlp {
    fn build(&self, _: &EncoderContext<'_>) -> Result<Box<dyn Encoder>> {
        bail!("tests build nothing")
    }
}

#[framework::typetag::serialize(name = "mlp")]
impl DecoderSpec for Mlp {
    fn build(&self, _: &DecoderContext<'_>) -> Result<Box<dyn Decoder>> {
        bail!("tests build nothing")
    }
}

#[framework::typetag::serialize(name = "bce")]
impl LossSpec for Bce {
    fn build(&self, _: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        bail!("tests build nothing")
    }
}

#[framework::typetag::serialize(name = "mse")]
impl LossSpec for Mse {
    fn build(&self, _: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        bail!("tests build nothing")
    }
}

#[framework::typetag::serialize(name = "l2")]
impl LatentPriorSpec for L2 {
    fn build(&self, _: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        bail!("tests build nothing")
    }
}

#[framework::typetag::serialize(name = "standard_normal")]
impl LatentPriorSpec for StandardNormal {
    fn build(&self, _: &PriorContext<'_>) -> Result<Box<dyn LatentPrior>> {
        bail!("tests build nothing")
    }
}

struct Nothing;

impl Step for Nothing {}

#[framework::typetag::serialize(name = "log_min_max")]
impl StepSpec for LogMinMax {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(Nothing))
    }
}

#[framework::typetag::serialize(name = "highly_variable")]
impl StepSpec for HighlyVariable {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(Nothing))
    }
}

component! { role: Modality, name: "rna", spec: RnaSpec, summary: "counts of RNA", source: "tests", example: "" }
component! { role: Modality, name: "tags", spec: TagsSpec, summary: "counts of tags", source: "tests", example: "" }
component! { role: Encoder, name: "mlp", spec: Mlp, summary: "layers", source: "tests", example: "hidden = [8]" }
component! { role: Decoder, name: "mlp", spec: Mlp, summary: "layers", source: "tests", example: "hidden = [8]" }
component! { role: Loss, name: "bce", spec: Bce, summary: "cross entropy", source: "tests", example: "" }
component! { role: Loss, name: "mse", spec: Mse, summary: "squared error", source: "tests", example: "" }
component! { role: LatentPrior, name: "l2", spec: L2, summary: "norm", source: "tests", example: "weight = 0.1" }
component! { role: LatentPrior, name: "standard_normal", spec: StandardNormal, summary: "normal", source: "tests", example: "" }
component! { role: Step, name: "log_min_max", spec: LogMinMax, summary: "unit interval", source: "tests", example: "" }
component! { role: Step, name: "highly_variable", spec: HighlyVariable, summary: "selection", source: "tests", example: "n = 100" }

/// Reads a text as `specs/tiny.toml`.
pub(crate) fn read_tiny(text: &str, overrides: &[&str]) -> Result<framework::spec::Experiment, crate::Diagnostics> {
    let overrides: Vec<String> = overrides.iter().map(|&one| one.to_owned()).collect();
    let catalogue = crate::Catalogue::linked().unwrap_or_default();
    crate::read(&crate::Written { path: Path::new("specs/tiny.toml"), text, overrides: &overrides }, &catalogue)
}
