//! What every component of the catalogue must do, whoever wrote it.

use framework::ComponentInfo;
use framework::component::{AnySpec, Problem, declared};
use plugins as _;
use std::collections::HashSet;
use toml::{Table, Value};

/// The components, in a fixed order.
fn catalogue() -> Vec<&'static ComponentInfo> {
    let mut all: Vec<_> = declared().collect();
    all.sort_by_key(|info| (info.role, info.name));
    all
}

fn label(info: &ComponentInfo) -> String {
    format!("{} `{}`", info.role, info.name)
}

fn parsed(info: &ComponentInfo, text: &str) -> Result<AnySpec, Problem> {
    (info.parse)(text.parse().unwrap_or_else(|error| panic!("{}: {error}", label(info))))
}

/// The spec as it is written into a run's resolved spec.
fn written(spec: &AnySpec) -> Table {
    let value = match spec {
        AnySpec::Modality(spec) => Value::try_from(spec),
        AnySpec::Encoder(spec) => Value::try_from(spec),
        AnySpec::Decoder(spec) => Value::try_from(spec),
        AnySpec::LatentPrior(spec) => Value::try_from(spec),
        AnySpec::Loss(spec) => Value::try_from(spec),
        AnySpec::Step(spec) => Value::try_from(spec),
    };
    match value.expect("a spec can be written as TOML") {
        Value::Table(table) => table,
        other => panic!("{other} is not a table"),
    }
}

#[test]
fn the_built_in_components_are_linked() {
    let names: Vec<String> = catalogue().into_iter().map(label).collect();
    let expected = [
        "modality `atac`",
        "modality `rna`",
        "modality `surface_protein`",
        "encoder `mlp`",
        "decoder `mlp`",
        "prior `l2`",
        "prior `none`",
        "prior `standard_normal`",
        "loss `bce`",
        "loss `bernoulli`",
        "loss `mse`",
        "loss `poisson`",
        "step `binarize`",
        "step `clr`",
        "step `highly_variable`",
        "step `log1p`",
        "step `log_min_max`",
        "step `normalize_total`",
        "step `tf_idf`",
    ];
    for name in expected {
        assert!(names.iter().any(|known| known == name), "{name} is missing among {names:?}");
    }
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "a component is declared twice: {names:?}");
}

#[test]
fn every_component_is_described() {
    for info in catalogue() {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        assert!(info.name.chars().all(plain), "{}", label(info));
        assert!(!info.summary.is_empty() && !info.summary.ends_with('.'), "{}: {}", label(info), info.summary);
        assert!(!info.source.is_empty(), "{}", label(info));
        assert!(info.origin.starts_with("cithara-"), "{}", label(info));
    }
}

#[test]
fn empty_tables_and_examples_are_read_without_problems() {
    for info in catalogue() {
        for text in ["", info.example] {
            let spec = parsed(info, text).unwrap_or_else(|problem| panic!("{}: {problem:?}", label(info)));
            assert_eq!(spec.validate(), [], "{}", label(info));
        }
    }
}

#[test]
fn unknown_keys_are_refused() {
    for info in catalogue() {
        let problem = parsed(info, "no_such_key = 1").expect_err(&label(info));
        assert!(problem.message.contains("no_such_key"), "{}: {problem:?}", label(info));
    }
}

#[test]
fn what_is_written_bears_the_declared_name_and_reads_back_the_same() {
    for info in catalogue() {
        for text in ["", info.example] {
            let first = written(&parsed(info, text).unwrap());
            assert_eq!(first.get("kind").and_then(Value::as_str), Some(info.name), "{}", label(info));
            let mut table = first.clone();
            table.remove("kind");
            let second = written(&(info.parse)(table).unwrap_or_else(|problem| panic!("{}: {problem:?}", label(info))));
            assert_eq!(first, second, "{}", label(info));
        }
    }
}

#[test]
fn every_key_is_described_and_has_a_default() {
    for info in catalogue() {
        let schema = (info.schema)();
        assert_eq!(schema["additionalProperties"], false, "{}", label(info));
        assert!(schema["description"].is_string(), "{} has no description", label(info));
        let properties = schema.get("properties").and_then(|properties| properties.as_object());
        for (key, property) in properties.into_iter().flatten() {
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.len() > 10, "`{key}` of {} is not described: {property}", label(info));
            let optional = property["type"].as_array().is_some_and(|types| types.iter().any(|name| name == "null"));
            assert!(
                optional || property.get("default").is_some(),
                "`{key}` of {} has no default: {property}",
                label(info)
            );
        }
    }
}

#[test]
fn the_schema_names_the_keys_that_are_written() {
    for info in catalogue() {
        let schema = (info.schema)();
        let empty = framework::serde_json::Map::new();
        let properties = schema.get("properties").and_then(|properties| properties.as_object()).unwrap_or(&empty);
        for key in written(&parsed(info, info.example).unwrap()).keys().filter(|key| *key != "kind") {
            assert!(properties.contains_key(key), "`{key}` of {} is not in its schema", label(info));
        }
    }
}

#[test]
fn what_modalities_use_by_default_exists_and_reads() {
    let find =
        |role: &str, kind: &str| catalogue().into_iter().find(|info| info.role.name() == role && info.name == kind);
    for info in catalogue() {
        let AnySpec::Modality(spec) = parsed(info, "").unwrap() else { continue };
        let defaults = spec.defaults();
        let steps = defaults.steps.iter().map(|step| ("step", *step));
        let parts = [("encoder", defaults.encoder), ("decoder", defaults.decoder), ("loss", defaults.loss)];
        for (role, (kind, table)) in steps.chain(parts) {
            let part = find(role, kind)
                .unwrap_or_else(|| panic!("{} uses the {role} `{kind}`, which is not there", label(info)));
            assert_eq!(parsed(part, table).unwrap().validate(), [], "{role} `{kind}` of {}", label(info));
        }
    }
}

#[test]
fn a_name_that_is_not_known_is_answered_with_those_that_are() {
    let bce = catalogue().into_iter().find(|info| info.name == "bce").unwrap();
    let problem = parsed(bce, "pos_weight = \"raw\"").unwrap_err();
    assert_eq!(problem.key, "pos_weight");
    assert!(problem.message.contains("expected `none`, `raw_sum_all`"), "{problem:?}");
}
