//! The keys of a table, from its JSON Schema: what each may be, its limits, what holds where it is not written.
//!
//! Terminal pages and Markdown pages lay out what is found here; nothing here knows how.

use super::inline::inlined;
use super::words::{forms, in_toml, kinds, range};
use serde_json::Value as Schema;

/// One key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its path below the table: `split.test`; `steps[].n` in each table of a list, `rates.NAME` under any name.
    pub name: String,
    /// What it may be: `number`, `list of whole numbers`, and choices as TOML writes them, such as `"batch"`.
    pub kinds: Vec<String>,
    /// Its limits in words, such as `in [0, 1)`; empty where it has none.
    pub range: String,
    /// What holds where it is not written.
    pub unwritten: Unwritten,
    /// Its description, one line.
    pub about: String,
}

/// What holds where a key is not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwritten {
    /// Nothing: it must be written.
    Required,
    /// There is no such value.
    Absent,
    /// This value, as TOML writes it.
    Value(String),
    /// What holds of its own keys, which are listed.
    OwnKeys,
}

/// The keys of a table and of the tables in it, in the order of the schema.
pub fn keys(schema: &Schema) -> Vec<Key> {
    let mut found = Vec::new();
    of_table(&inlined(schema), "", None, &mut found);
    found
}

/// Adds the keys of one table; `default` is what the table is where it is not written, if somebody says so.
fn of_table(schema: &Schema, above: &str, default: Option<&Schema>, found: &mut Vec<Key>) {
    let required = schema.get("required").and_then(Schema::as_array);
    let is_required = |key: &str| required.is_some_and(|names| names.iter().any(|name| name == key));
    for (key, own) in schema.get("properties").and_then(Schema::as_object).into_iter().flatten() {
        let name = format!("{above}{key}");
        let default = default.and_then(|table| table.get(key)).or_else(|| own.get("default"));
        let unwritten = match default {
            _ if own.get("properties").is_some_and(Schema::is_object) => Unwritten::OwnKeys,
            Some(Schema::Null) | None if is_required(key) => Unwritten::Required,
            Some(Schema::Null) | None => Unwritten::Absent,
            Some(value) => Unwritten::Value(in_toml(value)),
        };
        add(found, one(&name, own, unwritten));
        inner_tables(own, &name, default, found);
    }
}

fn one(name: &str, schema: &Schema, unwritten: Unwritten) -> Key {
    let about = schema.get("description").and_then(Schema::as_str).unwrap_or_default();
    let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
    Key { name: name.to_owned(), kinds: kinds(schema), range: range(schema).unwrap_or_default(), unwritten, about }
}

/// Adds the keys of the tables that a value may be or hold.
fn inner_tables(schema: &Schema, name: &str, default: Option<&Schema>, found: &mut Vec<Key>) {
    of_table(schema, &format!("{name}."), default, found);
    for form in forms(schema).into_iter().flatten() {
        inner_tables(form, name, None, found);
    }
    if let Some(item) = schema.get("items") {
        inner_tables(item, &format!("{name}[]"), None, found);
    }
    if let Some(value) = schema.get("additionalProperties") {
        inner_tables(value, &format!("{name}.NAME"), None, found);
    }
}

/// Adds a key; where several forms of a table have it, what it may be is joined.
fn add(found: &mut Vec<Key>, key: Key) {
    match found.iter_mut().find(|known| known.name == key.name) {
        Some(known) => {
            let new: Vec<String> = key.kinds.into_iter().filter(|kind| !known.kinds.contains(kind)).collect();
            known.kinds.extend(new);
        }
        None => found.push(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use framework::component::schema_of;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::json;
    use std::collections::BTreeMap;

    /// A table as a plugin may have it.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    struct Outer {
        /// Two lines
        /// in the source.
        #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
        dropout: f64,
        /// Widths.
        #[schemars(length(min = 1), inner(range(min = 1, max = 64)))]
        hidden: Vec<i64>,
        /// Nothing by default.
        #[schemars(range(min = 0, max = 1))]
        slope: Option<f64>,
        /// A rule or a number.
        weight: Weight,
        /// A table.
        split: Split,
        /// A table or nothing.
        noise: Option<Noise>,
        /// Tables.
        splits: Vec<Split>,
        /// Under any name.
        rates: BTreeMap<String, f64>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(untagged)]
    enum Weight {
        Rule(Rule),
        Number(#[schemars(extend("exclusiveMinimum" = 0))] f64),
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Rule {
        /// One.
        AllCells,
        /// The other.
        NoCells,
    }

    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    struct Split {
        /// Share of the cells.
        test: f64,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Noise {
        /// Normal.
        Gaussian {
            /// Standard deviation.
            sd: f64,
        },
        /// Counts.
        Poisson {},
    }

    impl Default for Outer {
        fn default() -> Self {
            let (dropout, hidden, slope, weight) = (0.1, vec![8, 4], None, Weight::Rule(Rule::AllCells));
            let (split, noise, splits, rates) = (Split { test: 0.2 }, None, Vec::new(), BTreeMap::new());
            Outer { dropout, hidden, slope, weight, split, noise, splits, rates }
        }
    }

    fn lines(schema: &Schema) -> String {
        let default = |key: &Key| match &key.unwritten {
            Unwritten::Value(value) => value.clone(),
            other => format!("{other:?}"),
        };
        let line = |key: Key| {
            format!("{} / {} / {} / {} / {}\n", key.name, key.kinds.join("|"), default(&key), key.range, key.about)
        };
        keys(schema).into_iter().map(line).collect()
    }

    #[test]
    fn every_key_of_a_table_is_found() {
        insta::assert_snapshot!(lines(&schema_of::<Outer>()), @r#"
        dropout / number / 0.1 / in [0, 1) / Two lines in the source.
        hidden / list of whole numbers / [8, 4] / at least 1 item, each from 1 to 64 / Widths.
        slope / number / Absent / in [0, 1] / Nothing by default.
        weight / "all_cells"|"no_cells"|number / "all_cells" / above 0 / A rule or a number.
        split / table / OwnKeys /  / A table.
        split.test / number / 0.2 /  / Share of the cells.
        noise / table / Absent /  / A table or nothing.
        noise.kind / "gaussian"|"poisson" / Required /  / 
        noise.sd / number / Required /  / Standard deviation.
        splits / list of tables / [] /  / Tables.
        splits[].test / number / Required /  / Share of the cells.
        rates / table of numbers / {} /  / Under any name.
        "#);
    }

    #[test]
    fn tables_behind_references_are_found() {
        let settings = schemars::generate::SchemaSettings::draft07();
        let with_references = settings.into_generator().into_root_schema_for::<Outer>().to_value();
        assert!(with_references.to_string().contains("$ref"));
        assert_eq!(lines(&with_references), lines(&schema_of::<Outer>()));
    }

    #[test]
    fn required_keys_say_so() {
        let schema = json!({"required": ["n"], "properties": {"n": {"type": "integer"}, "m": {"type": "integer"}}});
        let found: Vec<Unwritten> = keys(&schema).into_iter().map(|key| key.unwritten).collect();
        assert_eq!(found, [Unwritten::Required, Unwritten::Absent]);
        assert_eq!(keys(&json!(true)), []);
        assert_eq!(keys(&json!({"type": "object", "additionalProperties": false})), []);
    }
}
