//! The loss: never built.

use framework::anyhow::{Result, bail};
use framework::component::Spec;
use framework::schemars::JsonSchema;
use framework::serde::{Deserialize, Serialize};
use framework::{Loss, LossContext, LossSpec, component, typetag};

/// Has no options.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "framework::serde", deny_unknown_fields, default)]
#[schemars(crate = "framework::schemars")]
pub struct DuplicateSpec {}

impl Spec for DuplicateSpec {}

#[typetag::serialize(name = "student_t")]
impl LossSpec for DuplicateSpec {
    fn build(&self, _context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        bail!("it is never built")
    }
}

component! { role: Loss, name: "student_t", spec: DuplicateSpec, summary: "another", source: "a test", example: "" }
