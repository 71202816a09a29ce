//! How anything is declared: a component is a spec (data from TOML) that builds itself.
//!
//! Declaring and finding are two things: `component!` lists a spec in its crate's inventory; the registry finds it
//! there by role and name. Nothing here knows the name of any component.

use crate::{DecoderSpec, EncoderSpec, LatentPriorSpec, LossSpec, ModalitySpec, StepSpec};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::fmt;

/// The part that a component plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Opens the measurements of one assay.
    Modality,
    /// Infers latent rows from features.
    Encoder,
    /// Predicts features from latent rows.
    Decoder,
    /// Says which latent rows are plausible.
    LatentPrior,
    /// Compares predictions with measurements.
    Loss,
    /// Prepares the values of a modality.
    Step,
}

impl Role {
    /// All roles, in the order in which they are listed.
    pub const ALL: [Role; 6] =
        [Role::Modality, Role::Encoder, Role::Decoder, Role::LatentPrior, Role::Loss, Role::Step];

    /// The role as it is written in messages and pages.
    pub fn name(self) -> &'static str {
        match self {
            Role::Modality => "modality",
            Role::Encoder => "encoder",
            Role::Decoder => "decoder",
            Role::LatentPrior => "prior",
            Role::Loss => "loss",
            Role::Step => "step",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Something wrong with a value of a spec's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the key below the component's table, as in `hidden[1]`; empty for the table itself.
    pub key: String,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    /// A problem of one key.
    pub fn new(key: &str, message: impl Into<String>) -> Problem {
        Problem { key: key.to_owned(), message: message.into(), help: None }
    }

    /// The same problem with advice.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }
}

/// Collects a problem unless a condition holds.
pub fn require(problems: &mut Vec<Problem>, holds: bool, key: &str, message: impl Into<String>) {
    if !holds {
        problems.push(Problem::new(key, message));
    }
}

/// What every spec can do besides building its component.
pub trait Spec: fmt::Debug + Send + Sync {
    /// Ranges and combinations that types cannot express; empty when all is well.
    fn validate(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// A spec of any role, as the registry gets it from a component's own parse.
#[derive(Debug)]
pub enum AnySpec {
    /// See [`ModalitySpec`].
    Modality(Box<dyn ModalitySpec>),
    /// See [`EncoderSpec`].
    Encoder(Box<dyn EncoderSpec>),
    /// See [`DecoderSpec`].
    Decoder(Box<dyn DecoderSpec>),
    /// See [`LatentPriorSpec`].
    LatentPrior(Box<dyn LatentPriorSpec>),
    /// See [`LossSpec`].
    Loss(Box<dyn LossSpec>),
    /// See [`StepSpec`].
    Step(Box<dyn StepSpec>),
}

impl AnySpec {
    /// The spec's own check.
    pub fn validate(&self) -> Vec<Problem> {
        match self {
            AnySpec::Modality(spec) => spec.validate(),
            AnySpec::Encoder(spec) => spec.validate(),
            AnySpec::Decoder(spec) => spec.validate(),
            AnySpec::LatentPrior(spec) => spec.validate(),
            AnySpec::Loss(spec) => spec.validate(),
            AnySpec::Step(spec) => spec.validate(),
        }
    }
}

/// All that is known of a component before it is used: one entry of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct ComponentInfo {
    /// The part it plays.
    pub role: Role,
    /// The name that specs call it by (`kind = "…"`).
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Where it is described: paper and section.
    pub source: &'static str,
    /// A table that reads without errors, without its `kind`.
    pub example: &'static str,
    /// The crate that declares it.
    pub origin: &'static str,
    /// Reads a table (without its `kind`).
    pub parse: fn(toml::Table) -> Result<AnySpec, Problem>,
    /// JSON Schema of the table (without its `kind`).
    pub schema: fn() -> serde_json::Value,
}

inventory::collect!(ComponentInfo);

/// The components declared in this program or library, in no particular order.
pub fn declared() -> impl Iterator<Item = &'static ComponentInfo> {
    inventory::iter::<ComponentInfo>()
}

/// Reads a table into a typed spec.
///
/// # Errors
/// The first value that does not fit, with the path of its key.
pub fn parse_table<S: DeserializeOwned>(table: toml::Table) -> Result<S, Problem> {
    serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let text = error.inner().message().trim_end().to_owned();
        Problem::new(if path == "." { "" } else { &path }, text)
    })
}

/// The JSON Schema of a spec, without references.
pub fn schema_of<S: JsonSchema>() -> serde_json::Value {
    let mut settings = schemars::generate::SchemaSettings::draft07();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<S>().to_value()
}

/// Declares a component once: its role, name, spec, summary, source and example. A [guard](crate::guard) is put around it.
///
/// ```ignore
/// component! {
///     role: Encoder,
///     name: "mlp",
///     spec: MlpEncoderSpec,
///     summary: "a trunk of fully connected blocks with one head per latent space",
///     source: "Zhang et al. 2026, Methods",
///     example: "hidden = [1024, 1024]",
/// }
/// ```
#[macro_export]
macro_rules! component {
    (role: $role:ident, name: $name:literal, spec: $spec:ty, summary: $summary:literal, source: $source:literal, example: $example:expr $(,)?) => {
        $crate::inventory::submit! {
            $crate::component::ComponentInfo {
                role: $crate::component::Role::$role,
                name: $name,
                summary: $summary,
                source: $source,
                example: $example,
                origin: env!("CARGO_PKG_NAME"),
                parse: |table| {
                    let guard = $crate::guard::Guard::of($crate::Role::$role, $name, env!("CARGO_PKG_NAME"));
                    let spec = guard.parse::<$spec>(table)?;
                    Ok($crate::guard::try_defaults($crate::component::AnySpec::$role(Box::new(spec))))
                },
                schema: || {
                    let guard = $crate::guard::Guard::of($crate::Role::$role, $name, env!("CARGO_PKG_NAME"));
                    guard.schema($crate::component::schema_of::<$spec>)
                },
            }
        }
    };
}
