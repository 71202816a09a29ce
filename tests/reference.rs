//! The reference of the repository is what the declarations say, and what the declarations say is so.

use framework::component::{AnySpec, ComponentInfo, Problem};
// Naming the built-in components keeps the linker from dropping them.
use plugins as _;
use registry::Catalogue;
use registry::reference::{MARK, in_spec, keys, pages};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tests_support::{cithara_ok, repository};

/// What rewrites the pages.
const REWRITE: &str = "cargo run -- plugins reference docs/reference";

/// All files below a folder, by their paths below it.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The pages as they should be.
fn wanted() -> BTreeMap<String, String> {
    pages(&Catalogue::linked().unwrap()).into_iter().map(|page| (page.path, page.text)).collect()
}

/// Fails at the first file that is not there, is there without need, or differs.
fn assert_same(written: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>, help: &str) {
    for name in wanted.keys().chain(written.keys()) {
        let why = match (written.get(name), wanted.get(name)) {
            (None, _) => "is missing",
            (_, None) => "is of no component",
            (written, wanted) if written != wanted => "is not what the declarations say",
            _ => continue,
        };
        panic!("`{name}` {why}; {help}");
    }
}

#[test]
fn the_reference_is_what_the_declarations_say() {
    let help = format!("rewrite docs/reference with `{REWRITE}`");
    assert_same(&files(&repository().join("docs/reference")), &wanted(), &help);
}

#[test]
fn the_command_writes_the_reference_and_leaves_other_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(inside("loss")).unwrap();
    std::fs::write(inside("loss/no_more.md"), format!("{MARK}\n# loss `no_more`\n")).unwrap();
    std::fs::write(inside("loss/notes.md"), "# My own\n").unwrap();
    let said = cithara_ok(&["plugins", "reference", folder.path().to_str().unwrap()]);
    assert!(said.out.is_empty() && said.err.contains("; removed 1"), "{said}");
    let mut written = files(folder.path());
    assert_eq!(written.remove("loss/notes.md").as_deref(), Some("# My own\n"));
    assert_same(&written, &wanted(), "the command writes what `pages` returns");
}

#[test]
fn every_example_in_a_page_reads_as_the_declared_one() {
    for info in Catalogue::linked().unwrap().iter() {
        let text = in_spec(info);
        let spec: toml::Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut value = toml::Value::Table(spec);
        // down to the table that has a kind
        while value.get("kind").is_none() {
            value = match value {
                toml::Value::Table(table) => table.into_iter().next().unwrap().1,
                toml::Value::Array(mut items) => items.remove(0),
                other => panic!("{text}: {other}"),
            };
        }
        let toml::Value::Table(mut table) = value else { panic!("{text}") };
        assert_eq!(table.remove("kind").unwrap().as_str(), Some(info.name));
        assert_eq!(table, toml::from_str(info.example).unwrap(), "{text}");
    }
}

/// Numbers on both sides of every limit that a built-in component has.
const PROBES: [f64; 14] =
    [-1e9, -1.0, -1e-9, 0.0, 1e-9, 0.5, 1.0, 1.0 + 1e-9, 2.0, 1000.0, 1001.0, 1_048_576.0, 1_048_577.0, 1e9];

/// Whether a number lies in the limits of a schema.
fn is_inside(schema: &Value, number: f64) -> bool {
    let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
    limit("minimum").is_none_or(|least| number >= least)
        && limit("maximum").is_none_or(|most| number <= most)
        && limit("exclusiveMinimum").is_none_or(|least| number > least)
        && limit("exclusiveMaximum").is_none_or(|most| number < most)
}

/// What a component says of one value of its table, beside the keys of its example.
fn problems(info: &ComponentInfo, key: &str, value: toml::Value) -> Vec<Problem> {
    let mut table: toml::Table = toml::from_str(info.example).unwrap();
    table.insert(key.to_owned(), value);
    match (info.parse)(table) {
        Ok(spec) => AnySpec::validate(&spec).into_iter().filter(|problem| problem.key.starts_with(key)).collect(),
        Err(problem) => vec![problem],
    }
}

/// The schemas of the numbers that a value may be or hold, and whether they are items of a list.
fn numbers(schema: &Value) -> Vec<(&Value, bool)> {
    let forms = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    let inner = schema.get("items").into_iter().flat_map(numbers).map(|(items, _)| (items, true));
    let is = |name: &str| match &schema["type"] {
        Value::String(own) => own == name,
        Value::Array(names) => names.iter().any(|own| own == name),
        _ => false,
    };
    let own = (is("number") || is("integer")).then_some((schema, false));
    forms.into_iter().flatten().flat_map(numbers).chain(inner).chain(own).collect()
}

#[test]
fn limits_in_the_schema_are_those_that_components_enforce() {
    let mut n_limits = 0;
    for info in Catalogue::linked().unwrap().iter() {
        let schema = (info.schema)();
        for (key, own) in schema["properties"].as_object().into_iter().flatten() {
            for (number, is_item) in numbers(own) {
                let is_whole = number["type"] == "integer";
                for probe in PROBES.into_iter().filter(|probe| !is_whole || probe.fract() == 0.0) {
                    let value = if is_whole { toml::Value::Integer(probe as i64) } else { toml::Value::Float(probe) };
                    let value = if is_item { toml::Value::Array(vec![value]) } else { value };
                    let found = problems(info, key, value);
                    let inside = is_inside(number, probe);
                    assert_eq!(inside, found.is_empty(), "{} `{}`: {key} = {probe}: {found:?}", info.role, info.name);
                    n_limits += usize::from(!inside);
                }
            }
        }
    }
    assert!(n_limits > 50, "{n_limits}");
}

/// The key of a component's own table that a path below it starts with.
fn outer(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

#[test]
fn every_limit_of_a_schema_is_shown() {
    for info in Catalogue::linked().unwrap().iter() {
        let schema = (info.schema)();
        for key in keys(&schema) {
            let text = schema["properties"].get(outer(&key.name)).map(Value::to_string).unwrap_or_default();
            let has_limit =
                ["imum\"", "Minimum\"", "Maximum\"", "minItems", "maxItems"].iter().any(|word| text.contains(word));
            assert_eq!(has_limit, !key.range.is_empty(), "{} `{}`: {key:?}", info.role, info.name);
        }
    }
}

#[test]
fn described_components_are_json_too() {
    let said = cithara_ok(&["plugins", "describe", "mlp", "--json"]);
    let found: Value = serde_json::from_str(&said.out).unwrap();
    let roles: Vec<&str> = found.as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["encoder", "decoder"]);
    assert_eq!(found[0]["schema"]["properties"]["slope"]["maximum"], 1);
    assert!(found[1]["source"].as_str().unwrap().contains("Zhang et al. 2026"));
}

#[test]
fn a_described_component_says_types_defaults_ranges_example_and_source() {
    let said = cithara_ok(&["plugins", "describe", "bce"]).out;
    for part in [
        "bce (loss)\n  binary cross-entropy",
        "  source       Zhang et al. 2026",
        "  declared by  cithara-standard\n",
        "pos_weight_floor  number",
        "above 0",
        "    [modality.NAME.loss]\n    kind = \"bce\"\n",
    ] {
        assert!(said.contains(part), "{part}\n---\n{said}");
    }
}
