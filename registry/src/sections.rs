//! The tables of a spec that belong to the host, and how any typed table is read.

use crate::catalogue::Catalogue;
use crate::check::{Checked, below, check_table, header};
use crate::diagnostic::{Diagnostics, Place};
use crate::document::{Node, Segment, segments};
use framework::component::{Problem, Spec, parse_table, require, schema_of};
use framework::spec::TableSpec;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Schema, json};
use std::path::PathBuf;
use toml::{Table, Value};

/// Keys at the top of a spec.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct TopSection {
    /// Name of the run; the name of the file where it is not given.
    pub(crate) name: Option<String>,
    /// Seed of everything random.
    pub(crate) seed: u64,
}

impl Spec for TopSection {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let usable = |name: &String| !name.trim().is_empty() && !name.contains(['/', '\\', '\0']);
        require(
            &mut problems,
            self.name.as_ref().is_none_or(usable),
            "name",
            "must not be empty nor contain slashes: it names the run's folder",
        );
        problems
    }
}

/// Keys of `[modality.*]` that are the host's, whatever the assay.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ModalitySection {
    /// The file, where it is not `data.path`. Relative to the spec.
    pub(crate) path: Option<PathBuf>,
    /// The modality inside a MuData file, where it is not the table's name.
    pub(crate) key: Option<String>,
    /// How separated text is understood, where it is not as `data.table` says.
    pub(crate) table: Option<TableSpec>,
    /// The column of obs that says which cells the assay measured (`true` or `false`, `1` or `0`), where the file has rows of
    /// others, too: those rows are left out.
    pub(crate) measured: Option<String>,
    /// Weight of its losses in the objective.
    pub(crate) weight: f64,
}

impl Default for ModalitySection {
    fn default() -> Self {
        ModalitySection { path: None, key: None, table: None, measured: None, weight: 1.0 }
    }
}

impl Spec for ModalitySection {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let weight = self.weight;
        require(
            &mut problems,
            weight >= 0.0 && weight.is_finite(),
            "weight",
            format!("is {weight}, but must be at least 0"),
        );
        require(&mut problems, self.path.as_ref().is_none_or(|path| !path.as_os_str().is_empty()), "path", "is empty");
        problems.extend(self.table.iter().flat_map(|table| table.problems("table")));
        problems
    }
}

/// Keys of `[latent.*]`, without its prior.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LatentSection {
    /// Numbers per cell.
    pub(crate) dim: i64,
    /// The modalities whose decoders read it.
    pub(crate) modalities: Vec<String>,
    /// Standard deviation of the Gaussian noise added to its rows in training.
    #[serde(default)]
    pub(crate) noise: f64,
    /// The column of obs whose classes the space stands for; its prior is told the class of each training cell.
    #[serde(default)]
    pub(crate) covariate: Option<String>,
}

impl Spec for LatentSection {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let (dim, noise) = (self.dim, self.noise);
        require(&mut problems, (1..=65_536).contains(&dim), "dim", format!("is {dim}, but must be from 1 to 65536"));
        require(
            &mut problems,
            noise >= 0.0 && noise.is_finite(),
            "noise",
            format!("is {noise}, but must be at least 0"),
        );
        require(
            &mut problems,
            !self.modalities.is_empty(),
            "modalities",
            "is empty, but some modality must read the space",
        );
        problems
    }
}

/// What every reader of a part of a spec works with.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) catalogue: Catalogue,
    pub(crate) diagnostics: Diagnostics,
}

/// A table of a spec and its path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: &'a str,
}

impl Site<'_> {
    /// Where a path below the table was written.
    pub(crate) fn place(&self, key: &str) -> Place {
        self.node.place_of(key)
    }
}

/// How a checked table becomes what it describes.
pub(crate) struct Parser<'a, T> {
    /// What keys that are not written start from.
    pub(crate) defaults: Table,
    /// Reads the table.
    pub(crate) parse: &'a dyn Fn(Table) -> Result<T, Problem>,
    /// Ranges and combinations.
    pub(crate) validate: &'a dyn Fn(&T) -> Vec<Problem>,
}

impl Reader {
    /// An error at the key or value of a path below a table.
    pub(crate) fn push(&mut self, site: Site<'_>, key: &str, message: impl Into<String>, help: Option<String>) {
        self.diagnostics.push(site.place(key), message, help);
    }

    /// A section of the host: schema, parse and ranges come from its struct.
    pub(crate) fn section<S>(&mut self, site: Site<'_>, defaults: Table) -> Option<S>
    where
        S: DeserializeOwned + JsonSchema + Spec,
    {
        let checked = check_table(site.node, &schema_of::<S>(), site.path, &mut self.diagnostics)?;
        self.typed(site, checked, &Parser { defaults, parse: &parse_table::<S>, validate: &Spec::validate })
    }

    /// Reads a checked table. A value that its parse refuses is told and left out, and the rest is read again.
    pub(crate) fn typed<T>(&mut self, site: Site<'_>, checked: Checked, parser: &Parser<'_, T>) -> Option<T> {
        let Checked { table, mut dropped } = checked;
        let mut table = merged(parser.defaults.clone(), table);
        loop {
            match (parser.parse)(table.clone()) {
                Ok(value) => {
                    self.validated(site, (parser.validate)(&value), &dropped);
                    return Some(value);
                }
                Err(problem) => {
                    let consequence = dropped.iter().any(|path| problem.message.contains(&last_key(path)));
                    if !consequence {
                        let message = format!("{} cannot be read: {}", named(site.path, &problem.key), problem.message);
                        self.push(site, &problem.key, message, problem.help);
                    }
                    if consequence || !remove(&mut table, &problem.key) {
                        return None;
                    }
                    dropped.push(problem.key);
                }
            }
        }
    }

    /// Tells what `validate` found; if values were left out, only what it says of values that were written.
    fn validated(&mut self, site: Site<'_>, problems: Vec<Problem>, dropped: &[String]) {
        for problem in problems {
            let written = site.node.place_of(&problem.key) != site.node.key && !dropped.contains(&problem.key);
            if dropped.is_empty() || written {
                let message = format!("{} {}", named(site.path, &problem.key), problem.message);
                self.push(site, &problem.key, message, problem.help);
            }
        }
    }
}

/// The last key of a path as messages quote it.
fn last_key(path: &str) -> String {
    format!("`{}`", path.rsplit('.').next().unwrap_or(path))
}

fn named(path: &str, key: &str) -> String {
    if key.is_empty() { header(path) } else { format!("`{}`", below(path, key)) }
}

/// The defaults with the written keys over them, table by table.
pub(crate) fn merged(mut defaults: Table, written: Table) -> Table {
    for (key, value) in written {
        let value = match (defaults.remove(&key), value) {
            (Some(Value::Table(below)), Value::Table(value)) => Value::Table(merged(below, value)),
            (_, value) => value,
        };
        defaults.insert(key, value);
    }
    defaults
}

/// Takes the value of a path out; false if there is none. An item of a list takes the list with it.
fn remove(table: &mut Table, path: &str) -> bool {
    let keys: Vec<String> = segments(path).into_iter().map_while(Segment::into_key).collect();
    remove_keys(table, &keys)
}

fn remove_keys(table: &mut Table, keys: &[String]) -> bool {
    match keys {
        [] => false,
        [key] => table.remove(key).is_some(),
        [key, below @ ..] => match table.get_mut(key) {
            Some(Value::Table(inner)) => remove_keys(inner, below),
            _ => table.remove(key).is_some(),
        },
    }
}

/// A schema with more properties before its own; what has the same name is replaced.
pub(crate) fn with_properties(first: &[(&str, Schema)], schema: &Schema) -> Schema {
    let mut all: serde_json::Map<String, Schema> =
        first.iter().map(|(key, schema)| ((*key).to_owned(), schema.clone())).collect();
    for (key, own) in schema.get("properties").and_then(Schema::as_object).into_iter().flatten() {
        all.entry(key.clone()).or_insert_with(|| own.clone());
    }
    let mut joined = schema.clone();
    if !joined.is_object() {
        joined = json!({});
    }
    joined["type"] = json!("object");
    joined["properties"] = Schema::Object(all);
    joined
}

/// A schema that does not require what is written by default.
pub(crate) fn without_required(mut schema: Schema, defaults: &Table) -> Schema {
    if let Some(required) = schema.get_mut("required").and_then(Schema::as_array_mut) {
        required.retain(|key| key.as_str().is_none_or(|key| !defaults.contains_key(key)));
    }
    schema
}

/// The properties of a section of the host.
pub(crate) fn properties<S: JsonSchema>() -> Vec<(String, Schema)> {
    let schema = schema_of::<S>();
    let map = schema.get("properties").and_then(Schema::as_object).cloned().unwrap_or_default();
    map.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_keys_win_table_by_table() {
        let defaults: Table = toml::from_str("a = 1\nb = { c = 1, d = 2 }").unwrap();
        let written: Table = toml::from_str("b = { d = 3 }\ne = 4").unwrap();
        let expected: Table = toml::from_str("a = 1\nb = { c = 1, d = 3 }\ne = 4").unwrap();
        assert_eq!(merged(defaults, written), expected);
    }

    #[test]
    fn removing_follows_the_path() {
        let mut table: Table = toml::from_str("a = { b = { c = 1 }, d = [1, 2] }").unwrap();
        assert!(remove(&mut table, "a.b.c") && remove(&mut table, "a.d[1]"));
        assert!(!remove(&mut table, "a.x") && !remove(&mut table, ""));
        assert_eq!(table.to_string().trim(), "[a.b]");
    }
}
