//! A written table against the JSON Schema of what it should be: unknown keys, types, choices and ranges, all at once.
//!
//! What does not fit is told and left out, so that the rest can be read. Schemas come from `schemars` without
//! references; what this walker does not know in them it lets pass, because the spec's own parse comes after.

use crate::diagnostic::Diagnostics;
use crate::document::{Content, Entries, Node};
use crate::reference::{limits, n_items};
use crate::suggest::{advice, either, nearest};
use serde_json::Value as Schema;
use toml::{Table, Value};

/// What is left of a table once everything that does not fit is out.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The keys that fit.
    pub(crate) table: Table,
    /// Paths of the values that do not, below the table.
    pub(crate) dropped: Vec<String>,
}

/// Checks a node that should be a table; `None` if it is no table.
pub(crate) fn check_table(node: &Node, schema: &Schema, path: &str, diagnostics: &mut Diagnostics) -> Option<Checked> {
    let mut check = Check { diagnostics, dropped: Vec::new(), root: path };
    match check.object(node, schema, path)? {
        Value::Table(table) => Some(Checked { table, dropped: check.dropped }),
        _ => None,
    }
}

/// A node as a plain value.
pub(crate) fn plain(node: &Node) -> Value {
    match &node.content {
        Content::Scalar(value) => value.clone(),
        Content::List(items) => Value::Array(items.iter().map(plain).collect()),
        Content::Table(entries) => Value::Table(entries.iter().map(|(key, node)| (key.clone(), plain(node))).collect()),
    }
}

/// The path of a key below a path.
pub(crate) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A table as it is named in messages.
pub(crate) fn header(path: &str) -> String {
    if path.is_empty() { "the spec".to_owned() } else { format!("`[{path}]`") }
}

struct Check<'a> {
    diagnostics: &'a mut Diagnostics,
    dropped: Vec<String>,
    root: &'a str,
}

impl Check<'_> {
    fn value(&mut self, node: &Node, schema: &Schema, path: &str) -> Option<Value> {
        if let Some(choices) = choices(schema) {
            return self.choice(node, &choices, &must_be_one_of(&[schema]), path);
        }
        if let Some(options) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Schema::as_array) {
            return self.any(node, options, path);
        }
        let types = types(schema);
        if !types.is_empty() && !types.iter().any(|&name| fits(node, name)) {
            return self.refuse(node, path, &must_be(&types));
        }
        match &node.content {
            Content::Table(_) => self.object(node, schema, path),
            Content::List(items) => self.list(node, items, schema, path),
            Content::Scalar(value) => self.range(node, value, schema, path),
        }
    }

    fn object(&mut self, node: &Node, schema: &Schema, path: &str) -> Option<Value> {
        let Content::Table(entries) = &node.content else {
            return self.refuse(node, path, "must be a table");
        };
        let none = serde_json::Map::new();
        let known = schema.get("properties").and_then(Schema::as_object).unwrap_or(&none);
        let others = schema.get("additionalProperties");
        let closed = others == Some(&Schema::Bool(false));
        let mut table = Table::new();
        for (key, value) in entries {
            let schema = known.get(key).or(others.filter(|_| !closed)).unwrap_or(&Schema::Bool(true));
            if closed && !known.contains_key(key) {
                self.unknown(key, value, known, path);
            } else if let Some(value) = self.value(value, schema, &below(path, key)) {
                table.insert(key.clone(), value);
            }
        }
        self.required(node, entries, schema, path);
        Some(Value::Table(table))
    }

    fn unknown(&mut self, key: &str, node: &Node, known: &serde_json::Map<String, Schema>, path: &str) {
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        let message = format!("unknown key `{key}` in {}", header(path));
        self.diagnostics.push(node.key.clone(), message, Some(advice(key, "keys", &names)));
    }

    /// Tells the required keys that are missing, unless a slip of one of them was told.
    fn required(&mut self, node: &Node, entries: &Entries, schema: &Schema, path: &str) {
        let required =
            schema.get("required").and_then(Schema::as_array).into_iter().flatten().filter_map(Schema::as_str);
        for key in required.filter(|key| !entries.contains_key(*key)) {
            self.dropped.push(self.relative(&below(path, key)));
            if !entries.keys().any(|written| nearest(written, [key]).is_some()) {
                let about = schema.pointer(&format!("/properties/{key}/description")).and_then(Schema::as_str);
                let message = format!("{} needs the key `{key}`", header(path));
                self.diagnostics.push(node.key.clone(), message, about.map(|text| format!("{key}: {text}")));
            }
        }
    }

    fn list(&mut self, node: &Node, items: &[Node], schema: &Schema, path: &str) -> Option<Value> {
        let n = items.len() as u64;
        let limit = |key: &str| schema.get(key).and_then(Schema::as_u64);
        let is_outside =
            limit("minItems").is_some_and(|least| n < least) || limit("maxItems").is_some_and(|most| n > most);
        if let Some(n_items) = n_items(schema).filter(|_| is_outside) {
            return self.refuse(node, path, &format!("must have {n_items}"));
        }
        let each = |index: usize| match schema.get("items") {
            Some(Schema::Array(places)) => places.get(index).unwrap_or(&Schema::Bool(true)),
            Some(one) => one,
            None => &Schema::Bool(true),
        };
        let checked: Vec<Option<Value>> =
            items.iter().enumerate().map(|(i, item)| self.value(item, each(i), &format!("{path}[{i}]"))).collect();
        let complete: Option<Vec<Value>> = checked.into_iter().collect();
        if complete.is_none() {
            self.dropped.push(self.relative(path));
        }
        complete.map(Value::Array)
    }

    fn range(&mut self, node: &Node, value: &Value, schema: &Schema, path: &str) -> Option<Value> {
        let number = match value {
            Value::Integer(number) => *number as f64,
            Value::Float(number) => *number,
            _ => return Some(value.clone()),
        };
        let limit = |key: &str| schema.get(key).and_then(Schema::as_f64);
        let is_outside = limit("minimum").is_some_and(|least| number < least)
            || limit("maximum").is_some_and(|most| number > most)
            || limit("exclusiveMinimum").is_some_and(|least| number <= least)
            || limit("exclusiveMaximum").is_some_and(|most| number >= most);
        match limits(schema).filter(|_| is_outside) {
            Some(limits) => self.refuse(node, path, &format!("must be {limits}")),
            None => Some(value.clone()),
        }
    }

    fn choice(&mut self, node: &Node, choices: &[&str], expected: &str, path: &str) -> Option<Value> {
        if let Some(text) = node.as_str()
            && choices.contains(&text)
        {
            return Some(Value::String(text.to_owned()));
        }
        let Some(text) = node.as_str() else { return self.refuse(node, path, expected) };
        let help = nearest(text, choices.iter().copied()).map(|name| format!("did you mean `{name}`?"));
        self.dropped.push(self.relative(path));
        self.diagnostics.push(node.place.clone(), format!("`{path}` is `{text}`, but {expected}"), help);
        None
    }

    /// The first of several forms that fits; if none does, what is wrong with the likeliest.
    fn any(&mut self, node: &Node, options: &[Schema], path: &str) -> Option<Value> {
        let options: Vec<&Schema> = options.iter().filter(|option| types(option) != ["null"]).collect();
        for option in &options {
            let mut scratch = Diagnostics::new("", "", &[]);
            let mut trial = Check { diagnostics: &mut scratch, dropped: Vec::new(), root: self.root };
            let value = trial.value(node, option, path);
            if scratch.is_empty() && value.is_some() {
                return value;
            }
        }
        let likely = |option: &&&Schema| match choices(option) {
            Some(_) => node.as_str().is_some(),
            None => types(option).iter().any(|name| fits(node, name)),
        };
        let expected = must_be_one_of(&options);
        match options.iter().filter(likely).collect::<Vec<_>>().as_slice() {
            [one] => match choices(one) {
                Some(choices) => self.choice(node, &choices, &expected, path),
                None => self.value(node, one, path),
            },
            _ => self.refuse(node, path, &expected),
        }
    }

    fn refuse(&mut self, node: &Node, path: &str, expected: &str) -> Option<Value> {
        self.dropped.push(self.relative(path));
        let message = format!("`{path}` is {}, but {expected}", shown(node));
        self.diagnostics.push(node.place_of(""), message, None);
        None
    }

    fn relative(&self, path: &str) -> String {
        path.strip_prefix(self.root).unwrap_or(path).trim_start_matches('.').to_owned()
    }
}

/// The strings that a schema allows, if it is a choice of strings.
fn choices(schema: &Schema) -> Option<Vec<&str>> {
    if let Some(names) = schema.get("enum").and_then(Schema::as_array) {
        return names.iter().filter(|name| !name.is_null()).map(Schema::as_str).collect();
    }
    if let Some(name) = schema.get("const") {
        return name.as_str().map(|name| vec![name]);
    }
    let options = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    let kept = options.iter().filter(|option| types(option) != ["null"]);
    let lists: Option<Vec<Vec<&str>>> = kept.map(choices).collect();
    lists.map(|lists| lists.concat()).filter(|names| !names.is_empty())
}

fn types(schema: &Schema) -> Vec<&str> {
    match schema.get("type") {
        Some(Schema::String(name)) => vec![name],
        Some(Schema::Array(names)) => {
            let named: Vec<&str> = names.iter().filter_map(Schema::as_str).collect();
            if named.len() > 1 { named.into_iter().filter(|name| *name != "null").collect() } else { named }
        }
        _ => Vec::new(),
    }
}

fn fits(node: &Node, name: &str) -> bool {
    match &node.content {
        Content::Table(_) => name == "object",
        Content::List(_) => name == "array",
        Content::Scalar(Value::String(_)) => name == "string",
        Content::Scalar(Value::Boolean(_)) => name == "boolean",
        Content::Scalar(Value::Integer(_)) => name == "integer" || name == "number",
        Content::Scalar(Value::Float(_)) => name == "number",
        Content::Scalar(_) => false,
    }
}

fn word(name: &str) -> &str {
    match name {
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a string",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

fn must_be(types: &[&str]) -> String {
    let words: Vec<&str> = types.iter().map(|name| word(name)).collect();
    format!("must be {}", words.join(" or "))
}

/// What a value must be that may have several forms.
fn must_be_one_of(options: &[&Schema]) -> String {
    let mut words = Vec::new();
    for option in options {
        match choices(option) {
            Some(names) => words.extend(names.iter().map(|name| format!("`{name}`"))),
            None => {
                let limits = limits(option).map(|limits| format!(" {limits}")).unwrap_or_default();
                words.extend(types(option).iter().map(|name| format!("{}{limits}", word(name))));
            }
        }
    }
    match words.as_slice() {
        [] => "must have one of the forms that `cithara schema` describes".to_owned(),
        words => format!("must be {}", either(words)),
    }
}

/// A value as it is named in messages.
pub(crate) fn shown(node: &Node) -> String {
    match &node.content {
        Content::Table(_) => "a table".to_owned(),
        Content::List(items) if items.is_empty() => "an empty list".to_owned(),
        Content::List(items) => format!("a list of {}", items.len()),
        Content::Scalar(Value::String(text)) if text.chars().count() > 60 => "a long string".to_owned(),
        Content::Scalar(Value::String(text)) => format!("the string `{text}`"),
        Content::Scalar(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;
    use serde_json::json;

    fn messages(text: &str, schema: &Schema) -> (Vec<String>, Checked) {
        let mut diagnostics = Diagnostics::new("spec.toml", text, &[]);
        let node = parse(text, &mut diagnostics);
        let checked = check_table(&node, schema, "", &mut diagnostics).unwrap();
        (diagnostics.sorted().iter().map(|one| one.message.clone()).collect(), checked)
    }

    #[test]
    fn each_slip_of_a_limit_is_one_error() {
        let width =
            json!({"anyOf": [{"oneOf": [{"const": "latent"}, {"const": "none"}]}, {"type": "integer", "minimum": 1}]});
        let schema = json!({"properties": {
            "dropout": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            "n": {"type": "integer", "minimum": 1, "maximum": 9},
            "hidden": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2},
            "a": width, "b": width, "c": width,
        }});
        let (found, _) = messages("dropout = 1\nn = 10\nhidden = []\na = 0\nb = \"latnt\"\nc = true", &schema);
        let expected = [
            "`dropout` is 1, but must be in [0, 1)",
            "`n` is 10, but must be from 1 to 9",
            "`hidden` is an empty list, but must have from 1 to 2 items",
            "`a` is 0, but must be at least 1",
            "`b` is `latnt`, but must be `latent`, `none` or a whole number at least 1",
            "`c` is true, but must be `latent`, `none` or a whole number at least 1",
        ];
        assert_eq!(found, expected);
        assert_eq!(
            messages("dropout = 0\nn = 9\nhidden = [1, 0]\na = 1", &schema).0,
            ["`hidden[1]` is 0, but must be at least 1"]
        );
        assert!(messages("dropout = nan", &schema).0.is_empty(), "left to the component's own check");
    }

    #[test]
    fn all_that_does_not_fit_is_told_and_left_out() {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["dim", "name"],
            "properties": {
                "dim": {"type": "integer", "minimum": 0},
                "name": true,
                "rate": {"type": ["number", "null"], "exclusiveMinimum": 0},
                "order": {"oneOf": [{"const": "fixed", "type": "string"}, {"const": "reshuffled", "type": "string"}]},
                "hidden": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
                "split": {"anyOf": [{"type": "object", "additionalProperties": false, "properties": {"a": {"type": "number"}}}, {"type": "null"}]},
            }
        });
        let text = "dim = -1\nrate = 0\norder = \"fixd\"\nhidden = [1, \"x\"]\nsplit = { a = 1, b = 2 }\nnmae = 1";
        let (found, checked) = messages(text, &schema);
        assert_eq!(
            found,
            [
                "`dim` is -1, but must be at least 0",
                "`rate` is 0, but must be above 0",
                "`order` is `fixd`, but must be `fixed` or `reshuffled`",
                "`hidden[1]` is the string `x`, but must be a whole number",
                "unknown key `b` in `[split]`",
                "unknown key `nmae` in the spec",
            ]
        );
        assert_eq!(checked.table.keys().collect::<Vec<_>>(), ["split"]);
        assert!(
            ["dim", "rate", "order", "hidden[1]", "hidden", "name"]
                .iter()
                .all(|path| checked.dropped.iter().any(|d| d == path))
        );
        let (found, _) = messages("dim = 1\nrate = 1", &schema);
        assert_eq!(found, ["the spec needs the key `name`"]);
        let (found, checked) = messages("dim = 1\nrate = 1\nname = 3", &schema);
        assert!(found.is_empty() && checked.dropped.is_empty());
    }
}
