//! What is checked of every component, whatever its role: how it is declared and read.

use super::documented::{documented, host_keys, properties, required};
use super::mismatch::{Check, Checked, Examined, Fault, Mismatch, expect};
use crate::component::{AnySpec, ComponentInfo, Problem, declared};
use std::collections::BTreeSet;
use toml::{Table, Value};

/// Checks how one component is declared, see [`Conformance`](super::Conformance).
///
/// # Panics
/// When a check fails.
#[track_caller]
pub fn declaration(info: &ComponentInfo) {
    if let Err(fault) = check(info) {
        panic!("{fault}");
    }
}

/// Checks how all components of a crate are declared: `declarations(env!("CARGO_PKG_NAME"))`.
///
/// # Panics
/// When a check fails, with the faults of all components; when the crate declares none.
#[track_caller]
pub fn declarations(origin: &str) {
    let of_crate = || declared().filter(|info| info.origin == origin);
    assert!(
        of_crate().next().is_some(),
        "the crate `{origin}` declares no component in this program; name it, or the linker drops it: `use … as _;`"
    );
    check_all(of_crate());
}

/// Checks how all components that this program links are declared.
///
/// # Panics
/// When a check fails, with the faults of all components; when there is no component.
#[track_caller]
pub fn all_declarations() {
    assert!(
        declared().next().is_some(),
        "this program links no component; name a crate that declares some: `use … as _;`"
    );
    check_all(declared());
}

/// Checks some declarations, and tells the faults of all.
#[track_caller]
pub(super) fn check_all(components: impl Iterator<Item = &'static ComponentInfo>) {
    let mut components: Vec<_> = components.collect();
    components.sort_by_key(|info| (info.role, info.name));
    let faults: Vec<String> =
        components.iter().filter_map(|info| check(info).err()).map(|fault| fault.to_string()).collect();
    let names: BTreeSet<_> = components.iter().map(|info| (info.role, info.name)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(names.len() == components.len(), "a component is declared twice: {names:?}");
}

/// All checks of one declaration.
pub(super) fn check(info: &ComponentInfo) -> Result<(), Fault> {
    let checks: [Check<ComponentInfo>; 7] = [
        ("it is named, summarised and sourced", about),
        ("example and empty table read without problems", tables),
        ("an unknown key is refused by name", unknown_key),
        ("what is written reads back the same", round_trip),
        ("every key is described and has a default", documented),
        ("the schema names the keys that are written", written_keys),
        ("no key is the host's", host_keys),
    ];
    let examined = Examined { info, table: info.example };
    checks.into_iter().try_for_each(|(name, check)| examined.check(name, "as it is declared", || check(info)))
}

fn about(info: &ComponentInfo) -> Checked {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let named = info.name.starts_with(|letter: char| letter.is_ascii_lowercase()) && info.name.chars().all(plain);
    expect(named, "a name of lower-case letters, digits and `_`", format!("`{}`", info.name))?;
    let summarised = !info.summary.trim().is_empty() && !info.summary.ends_with('.');
    expect(summarised, "a summary without a full stop", format!("`{}`", info.summary))?;
    expect(!info.source.trim().is_empty(), "a source: paper and section, or that there is none", "nothing")?;
    expect(!info.origin.is_empty(), "the crate that declares it", "nothing")
}

fn tables(info: &ComponentInfo) -> Checked {
    let spec = parsed(info, info.example)?;
    let problems = spec.validate();
    expect(problems.is_empty(), "an example without problems", format!("{problems:?}"))?;
    let required = required(&(info.schema)());
    match parse(info, "") {
        Ok(spec) => {
            let problems = spec.validate();
            expect(problems.is_empty(), "an empty table without problems: valid defaults", format!("{problems:?}"))
        }
        Err(problem) => {
            let named = required.iter().any(|key| problem.key.contains(key) || problem.message.contains(key));
            let expected = match required.is_empty() {
                true => "an empty table that reads, as no key is required".to_owned(),
                false => format!("a refusal of the empty table that names one of the required keys {required:?}"),
            };
            expect(named, expected, format!("{problem:?}"))
        }
    }
}

fn unknown_key(info: &ComponentInfo) -> Checked {
    const KEY: &str = "no_such_key";
    let mut table = table_of(info.example)?;
    table.insert(KEY.to_owned(), Value::Integer(1));
    match (info.parse)(table) {
        Ok(_) => Err(Mismatch::new(format!("a refusal of the key `{KEY}`"), "it was accepted: deny unknown fields")),
        Err(Problem { key, message, .. }) => {
            let named = message.contains(KEY) || key.contains(KEY);
            expect(named, format!("a refusal that names the key `{KEY}`"), format!("`{key}`: {message}"))
        }
    }
}

fn round_trip(info: &ComponentInfo) -> Checked {
    for text in readable(info) {
        let first = written(&parsed(info, text)?)?;
        let kind = first.get("kind").and_then(Value::as_str);
        expect(kind == Some(info.name), format!("the kind `{}` in what is written", info.name), format!("{kind:?}"))?;
        let mut table = first.clone();
        table.remove("kind");
        let second =
            (info.parse)(table).map_err(|problem| Mismatch::new("what is written reads", format!("{problem:?}")))?;
        let second = written(&second)?;
        expect(first == second, format!("`{first}` again"), format!("`{second}`"))?;
    }
    Ok(())
}

fn written_keys(info: &ComponentInfo) -> Checked {
    let schema = (info.schema)();
    let known: BTreeSet<&str> = properties(&schema).map(|(key, _)| key).collect();
    for key in written(&parsed(info, info.example)?)?.keys().filter(|key| *key != "kind") {
        expect(known.contains(key.as_str()), format!("`{key}` among the keys of the schema"), format!("{known:?}"))?;
    }
    Ok(())
}

/// The tables of a component that read: its example, and the empty one unless a key is required.
pub(super) fn readable(info: &ComponentInfo) -> Vec<&'static str> {
    let both = if info.example.trim().is_empty() { vec![""] } else { vec!["", info.example] };
    both.into_iter().filter(|text| *text == info.example || parse(info, text).is_ok()).collect()
}

fn table_of(text: &str) -> Result<Table, Mismatch> {
    text.parse().map_err(|error| Mismatch::new("TOML", format!("`{text}`: {error}")))
}

fn parse(info: &ComponentInfo, text: &str) -> Result<AnySpec, Problem> {
    let table = text.parse::<Table>().map_err(|error| Problem::new("", error.to_string()))?;
    (info.parse)(table)
}

/// The spec that a table makes.
pub(super) fn parsed(info: &ComponentInfo, text: &str) -> Result<AnySpec, Mismatch> {
    table_of(text)?;
    parse(info, text).map_err(|problem| Mismatch::new("a table that reads", format!("{problem:?}")))
}

/// The spec as it is written into a run's resolved spec.
fn written(spec: &AnySpec) -> Result<Table, Mismatch> {
    let value = match spec {
        AnySpec::Modality(spec) => Value::try_from(spec),
        AnySpec::Encoder(spec) => Value::try_from(spec),
        AnySpec::Decoder(spec) => Value::try_from(spec),
        AnySpec::LatentPrior(spec) => Value::try_from(spec),
        AnySpec::Loss(spec) => Value::try_from(spec),
        AnySpec::Step(spec) => Value::try_from(spec),
    };
    match value {
        Ok(Value::Table(table)) => Ok(table),
        Ok(other) => Err(Mismatch::new("a spec that is written as a table", format!("{other}"))),
        Err(error) => Err(Mismatch::new("a spec that can be written as TOML", error.to_string())),
    }
}
