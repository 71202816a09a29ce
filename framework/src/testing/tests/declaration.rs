//! Components that are declared badly.

use crate::component::{AnySpec, ComponentInfo, Problem, Role, Spec, declared, parse_table, schema_of};
use crate::testing::declaration::{check, check_all};
use crate::testing::{all_declarations, declaration, declarations};
use crate::{Step, StepSpec, component};
use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

fn sound() -> ComponentInfo {
    *declared().find(|info| info.name == "toy_step").unwrap()
}

/// What the kit says of a declaration.
fn told(info: &ComponentInfo) -> String {
    check(info).expect_err("the kit noticed nothing").to_string()
}

fn assert_told(info: &ComponentInfo, check: &str, words: &str) {
    let told = told(info);
    assert!(told.contains(&format!("does not conform: {check}")) && told.contains(words), "{told}");
}

/// Makes a spec that of a step of this name, which is never built.
macro_rules! step_spec {
    ($spec:ident, $name:literal) => {
        impl Spec for $spec {}

        #[typetag::serialize(name = $name)]
        impl StepSpec for $spec {
            fn build(&self) -> Result<Box<dyn Step>> {
                anyhow::bail!("this step is only declared")
            }
        }
    };
}

fn info<S>(name: &'static str, example: &'static str) -> ComponentInfo
where
    S: StepSpec + serde::de::DeserializeOwned + JsonSchema + 'static,
{
    let parse = |table| parse_table::<S>(table).map(|spec| AnySpec::Step(Box::new(spec)));
    ComponentInfo { name, example, parse, schema: schema_of::<S>, ..sound() }
}

/// A step that takes any key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct OpenSpec {
    /// A key that is described.
    known: f64,
}
step_spec!(OpenSpec, "open");

/// A step whose key says nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct BareSpec {
    silent: f64,
}
step_spec!(BareSpec, "bare");

/// A step with a table of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct NestedSpec {
    /// A table inside the table.
    inner: Option<Inner>,
}
step_spec!(NestedSpec, "nested");

/// A step that is written under another name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RenamedSpec {
    /// A key that is described.
    known: f64,
}
step_spec!(RenamedSpec, "another_name");

/// A step that is not written whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ForgetfulSpec {
    /// A key that is described.
    #[serde(serialize_with = "one_more")]
    known: f64,
}
step_spec!(ForgetfulSpec, "forgetful");

/// A step with a key of the host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct TakenSpec {
    /// A key that is the host's.
    weight: f64,
}
step_spec!(TakenSpec, "taken");

/// A step that needs a key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NeedySpec {
    /// A key without which nothing works.
    needed: f64,
}
step_spec!(NeedySpec, "needy");

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Inner {
    /// A key that is described.
    known: f64,
    silent: f64,
}

/// Writes 1 more each time it is read.
fn one_more<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value + 1.0)
}

#[test]
fn a_sound_declaration_passes() {
    declaration(&sound());
    declaration(&info::<NeedySpec>("needy", "needed = 1.0"));
}

/// The tests of the guard declare components that panic; the kit names them all, and none that is sound.
#[test]
fn all_faults_of_a_crate_are_told_at_once() {
    for check in [|| declarations(env!("CARGO_PKG_NAME")), all_declarations] {
        let panic = std::panic::catch_unwind(check).unwrap_err();
        let told = panic.downcast::<String>().unwrap();
        assert!(told.contains("the modality `faulty_modality` does not conform"), "{told}");
        assert!(told.contains("the loss `faulty_loss` does not conform"), "{told}");
        assert!(!told.contains("toy_") && !told.contains("needy"), "{told}");
    }
}

#[test]
fn names_summaries_and_sources_are_wanted() {
    let about = "it is named, summarised and sourced";
    assert_told(&ComponentInfo { name: "Toy-Step", ..sound() }, about, "`Toy-Step`");
    assert_told(&ComponentInfo { name: "2nd", ..sound() }, about, "`2nd`");
    assert_told(&ComponentInfo { summary: "it works.", ..sound() }, about, "a summary without a full stop");
    assert_told(&ComponentInfo { source: " ", ..sound() }, about, "a source");
    assert_told(&ComponentInfo { origin: "", ..sound() }, about, "the crate that declares it");
}

#[test]
fn examples_and_empty_tables_must_read() {
    let tables = "example and empty table read without problems";
    assert_told(&ComponentInfo { example: "fault = 1", ..sound() }, tables, "invalid type: integer");
    assert_told(&ComponentInfo { example: "fault =", ..sound() }, tables, "expected: TOML");
    let silent = |table: toml::Table| match table.is_empty() {
        true => Err(Problem::new("", "no")),
        false => (sound().parse)(table),
    };
    let info = ComponentInfo { example: "fault = \"\"", parse: silent, ..sound() };
    assert_told(&info, tables, "an empty table that reads, as no key is required");
    let needy = ComponentInfo { parse: silent, ..self::info::<NeedySpec>("needy", "fault = \"\"") };
    assert_told(&needy, tables, "names one of the required keys [\"needed\"]");
}

#[test]
fn keys_must_be_known_described_and_written() {
    assert_told(&info::<OpenSpec>("open", "known = 1.0"), "an unknown key is refused by name", "`no_such_key`");
    let keys = "every key is described and has a default";
    assert_told(&info::<BareSpec>("bare", "silent = 1.0"), keys, "a doc comment on `silent`");
    assert_told(&info::<NestedSpec>("nested", ""), keys, "a doc comment on `silent`");
}

#[test]
fn schemas_must_be_closed_described_and_whole() {
    let told = |schema, check, words| assert_told(&ComponentInfo { schema, ..sound() }, check, words);
    let keys = "every key is described and has a default";
    told(|| json!({ "description": "A step of a test." }), keys, "a schema that allows no other keys");
    told(|| json!({ "additionalProperties": false, "description": "" }), keys, "a doc comment on the spec");
    let without_default = || {
        let fault = json!({ "type": "string", "description": "What is wrong with it." });
        json!({ "additionalProperties": false, "description": "A step of a test.", "properties": { "fault": fault } })
    };
    told(without_default, keys, "a default of `fault`, or that it is required");
    let without_keys =
        || json!({ "additionalProperties": false, "description": "A step of a test.", "properties": {} });
    told(without_keys, "the schema names the keys that are written", "`fault` among the keys of the schema");
}

#[test]
#[should_panic(expected = "a component is declared twice")]
fn a_name_that_is_taken_is_told() {
    let step = declared().find(|info| info.name == "toy_step").unwrap();
    check_all([step, step].into_iter());
}

#[test]
fn what_is_written_must_read_back() {
    let back = "what is written reads back the same";
    assert_told(&info::<RenamedSpec>("renamed", "known = 1.0"), back, "the kind `renamed` in what is written");
    assert_told(&info::<ForgetfulSpec>("forgetful", "known = 1.0"), back, "again");
}

#[test]
fn keys_of_the_host_are_the_hosts() {
    declaration(&info::<TakenSpec>("taken", "weight = 1.0"));
    let modality = ComponentInfo { role: Role::Modality, ..info::<TakenSpec>("taken", "weight = 1.0") };
    assert_told(&modality, "no key is the host's", "`weight`");
}

#[test]
#[should_panic(expected = "the crate `nobody` declares no component in this program")]
fn a_crate_without_components_is_told() {
    declarations("nobody");
}

component! {
    role: Step,
    name: "needy",
    spec: NeedySpec,
    summary: "a step that needs a key",
    source: "a test",
    example: "needed = 2.0",
}
