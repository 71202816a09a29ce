use super::*;
use crate::{Defaults, FeatureShape, Features, Statistics, component};
use crate::{Loss, LossContext, LossSpec, Modality, ModalitySpec, Source, Step, Target, TargetValues};
use schemars::JsonSchema;
use serde::Deserialize;
use tch::{Device, Kind, Tensor, nn::VarStore};

/// Panics wherever its table says.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Faulty {
    /// Where.
    place: String,
}

/// Panics if this is the place.
fn at(wanted: &str, place: &str) {
    assert!(wanted != place, "over the {place}");
}

impl Spec for Faulty {
    fn validate(&self) -> Vec<Problem> {
        at(&self.place, "validation");
        Vec::new()
    }
}

#[typetag::serialize(name = "faulty_loss")]
impl LossSpec for Faulty {
    fn build(&self, _context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        at(&self.place, "building");
        Ok(Box::new(FaultyLoss { place: self.place.clone() }))
    }
}

struct FaultyLoss {
    place: String,
}

impl Loss for FaultyLoss {
    fn target(&self) -> TargetValues {
        at(&self.place, "target");
        TargetValues::Counts
    }

    fn per_cell(&self, prediction: &Tensor, _target: &Target) -> Result<Tensor> {
        at(&self.place, "loss");
        match self.place.as_str() {
            "tensor" => Ok(prediction.matmul(&Tensor::zeros([7, 7], (Kind::Float, Device::Cpu)))),
            "error" => anyhow::bail!("an error of its own"),
            _ => Ok(prediction.shallow_clone()),
        }
    }

    fn expectation(&self, prediction: &Tensor, _totals: Option<&Tensor>) -> Result<Tensor> {
        Ok(prediction.shallow_clone())
    }
}

impl Drop for FaultyLoss {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            at(&self.place, "end");
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FaultyModality {}

impl Spec for FaultyModality {}

#[typetag::serialize(name = "faulty_modality")]
impl ModalitySpec for FaultyModality {
    fn open(&self, _source: &Source<'_>, _steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        anyhow::bail!("never opened")
    }

    fn defaults(&self) -> Defaults {
        panic!("over the defaults")
    }
}

component! { role: Loss, name: "faulty_loss", spec: Faulty, summary: "panics", source: "tests", example: "" }
component! { role: Modality, name: "faulty_modality", spec: FaultyModality, summary: "panics", source: "tests", example: "" }

fn parsed(name: &str, place: &str) -> AnySpec {
    let info = component::declared().find(|info| info.name == name).unwrap();
    let table = if place.is_empty() { String::new() } else { format!("place = \"{place}\"") };
    (info.parse)(table.parse().unwrap()).unwrap()
}

fn built(place: &str) -> Result<Box<dyn Loss>> {
    let AnySpec::Loss(spec) = parsed("faulty_loss", place) else { panic!("a loss") };
    let vars = VarStore::new(Device::Cpu);
    let (training, all) = (Statistics::default(), Statistics::default());
    spec.build(&LossContext { vars: vars.root(), output: FeatureShape::Vector(3), training, all })
}

fn numbers() -> Tensor {
    Tensor::ones([2, 3], (Kind::Float, Device::Cpu))
}

fn lost(place: &str) -> Result<Tensor> {
    built(place)?.per_cell(&numbers(), &Target::new(Features::Dense(numbers())))
}

#[test]
fn what_does_not_panic_is_as_without_a_guard() {
    assert_eq!(lost("").unwrap(), numbers());
    assert_eq!(built("").unwrap().target(), TargetValues::Counts);
    assert_eq!(lost("error").unwrap_err().to_string(), "an error of its own");
    let AnySpec::Loss(spec) = parsed("faulty_loss", "nowhere") else { panic!("a loss") };
    let written = toml::Value::try_from(&spec).unwrap();
    assert_eq!(written.to_string(), "{ kind = \"faulty_loss\", place = \"nowhere\" }");
    assert_eq!(format!("{spec:?}"), "Faulty { place: \"nowhere\" }");
}

#[test]
fn a_panic_is_an_error_that_names_the_component() {
    for place in ["building", "loss"] {
        let text = lost(place).unwrap_err().to_string();
        let start = format!("the loss `faulty_loss` of `cithara-framework` panicked: over the {place} (");
        assert!(text.starts_with(&start) && text.contains("tests.rs:"), "{text}");
    }
    let text = lost("tensor").unwrap_err().to_string();
    assert!(text.contains("panicked: libtorch: mat1 and mat2 shapes cannot be multiplied (2x3 and 7x7);"), "{text}");
}

#[test]
fn a_panic_where_nothing_can_fail_is_told_by_the_next_call() {
    let loss = built("target").unwrap();
    assert_eq!(loss.target(), TargetValues::Processed);
    let text = loss.per_cell(&numbers(), &Target::new(Features::Dense(numbers()))).unwrap_err().to_string();
    assert!(text.contains("over the target"), "{text}");
    for (name, place, said) in
        [("faulty_loss", "validation", "over the validation"), ("faulty_modality", "", "over the defaults")]
    {
        let problems = parsed(name, place).validate();
        assert!(problems[0].message.contains(said), "{problems:?}");
    }
}

#[test]
fn dropping_may_panic() {
    drop(built("end").unwrap());
}
