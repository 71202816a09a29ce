//! What a JSON Schema lets a value be, in words: types, choices, limits.

use serde_json::Value as Schema;

/// What a value may be: `number`, `list of whole numbers`, `"batch"` and other choices as TOML writes them.
pub(crate) fn kinds(schema: &Schema) -> Vec<String> {
    if let Some(choices) = choices(schema) {
        return choices;
    }
    if let Some(forms) = forms(schema) {
        let mut found: Vec<String> = Vec::new();
        for kind in forms.into_iter().flat_map(kinds) {
            if !found.contains(&kind) {
                found.push(kind);
            }
        }
        return found;
    }
    let types = types(schema);
    match types.as_slice() {
        [] if schema.get("type").is_none() => vec!["anything".to_owned()],
        names => names.iter().flat_map(|name| named(name, schema)).collect(),
    }
}

/// The limits of a value in words, as messages say them: `at least 0`, `in [0, 1)`, `at least 1 item, each above 0`.
pub(crate) fn range(schema: &Schema) -> Option<String> {
    if choices(schema).is_some() {
        return None;
    }
    if let Some(forms) = forms(schema) {
        return joined(forms.into_iter().map(range), "; ");
    }
    let items = schema.get("items").and_then(range).map(|words| format!("each {words}"));
    let n_letters = count(schema, "Length", "character");
    let pattern = schema.get("pattern").and_then(Schema::as_str).map(|pattern| format!("matching `{pattern}`"));
    joined([limits(schema), n_items(schema), items, n_letters, pattern].into_iter(), ", ")
}

/// The limits of a number in words: `at least 0`, `above 0`, `from 1 to 65536`, `in [0, 1)`.
pub(crate) fn limits(schema: &Schema) -> Option<String> {
    let bound = |key: &str| schema.get(key).and_then(Schema::as_f64);
    let tighter = |closed: Option<f64>, open: Option<f64>, is_tighter: fn(f64, f64) -> bool| match (closed, open) {
        (Some(closed), Some(open)) if is_tighter(closed, open) => Some((closed, true)),
        (_, Some(open)) => Some((open, false)),
        (closed, None) => closed.map(|closed| (closed, true)),
    };
    let low = tighter(bound("minimum"), bound("exclusiveMinimum"), |closed, open| closed > open);
    let high = tighter(bound("maximum"), bound("exclusiveMaximum"), |closed, open| closed < open);
    Some(match (low, high) {
        (None, None) => return None,
        (Some((low, true)), None) => format!("at least {low}"),
        (Some((low, false)), None) => format!("above {low}"),
        (None, Some((high, true))) => format!("at most {high}"),
        (None, Some((high, false))) => format!("below {high}"),
        (Some((low, true)), Some((high, true))) if types(schema) == ["integer"] => format!("from {low} to {high}"),
        (Some((low, closed_low)), Some((high, closed_high))) => {
            let (left, right) = (if closed_low { '[' } else { '(' }, if closed_high { ']' } else { ')' });
            format!("in {left}{low}, {high}{right}")
        }
    })
}

/// How many items a list may have, in words: `at least 1 item`.
pub(crate) fn n_items(schema: &Schema) -> Option<String> {
    count(schema, "Items", "item")
}

/// The forms that a value may take, without `null`.
pub(crate) fn forms(schema: &Schema) -> Option<Vec<&Schema>> {
    let forms = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    Some(forms.iter().filter(|form| form.get("type") != Some(&Schema::from("null"))).collect())
}

/// The choices of an enumeration, as TOML writes them.
fn choices(schema: &Schema) -> Option<Vec<String>> {
    if let Some(name) = schema.get("const") {
        return Some(vec![in_toml(name)]);
    }
    if let Some(names) = schema.get("enum").and_then(Schema::as_array) {
        return Some(names.iter().filter(|name| !name.is_null()).map(in_toml).collect());
    }
    let lists: Option<Vec<Vec<String>>> = forms(schema)?.into_iter().map(choices).collect();
    lists.map(|lists| lists.concat()).filter(|choices| !choices.is_empty())
}

/// The types of a schema, without `null`.
fn types(schema: &Schema) -> Vec<&str> {
    let names = match schema.get("type") {
        Some(Schema::String(name)) => vec![name.as_str()],
        Some(Schema::Array(names)) => names.iter().filter_map(Schema::as_str).collect(),
        _ => Vec::new(),
    };
    names.into_iter().filter(|name| *name != "null").collect()
}

fn named(name: &str, schema: &Schema) -> Vec<String> {
    let of = |what: &str, inner: Option<&Schema>| match inner {
        Some(inner @ Schema::Object(_)) => {
            let inner: Vec<String> = kinds(inner).into_iter().map(plural).collect();
            format!("{what} of {}", inner.join(" | "))
        }
        _ => what.to_owned(),
    };
    match name {
        "integer" => vec!["whole number".to_owned()],
        "boolean" => vec!["true".to_owned(), "false".to_owned()],
        "array" => vec![of("list", schema.get("items"))],
        "object" => vec![of("table", schema.get("additionalProperties"))],
        other => vec![other.to_owned()],
    }
}

fn plural(kind: String) -> String {
    match kind.as_str() {
        "whole number" | "number" | "string" | "table" | "list" => format!("{kind}s"),
        _ => match kind.split_once(" of ") {
            Some((what @ ("list" | "table"), inner)) => format!("{what}s of {inner}"),
            _ => kind,
        },
    }
}

fn count(schema: &Schema, of: &str, noun: &str) -> Option<String> {
    let bound = |which: &str| schema.get(format!("{which}{of}")).and_then(Schema::as_u64);
    let nouns = |n: u64| if n == 1 { noun.to_owned() } else { format!("{noun}s") };
    Some(match (bound("min").filter(|n| *n > 0), bound("max")) {
        (None, None) => return None,
        (Some(least), None) => format!("at least {least} {}", nouns(least)),
        (None, Some(most)) => format!("at most {most} {}", nouns(most)),
        (Some(least), Some(most)) if least == most => format!("{least} {}", nouns(least)),
        (Some(least), Some(most)) => format!("from {least} to {most} {}", nouns(most)),
    })
}

fn joined(parts: impl Iterator<Item = Option<String>>, separator: &str) -> Option<String> {
    let parts: Vec<String> = parts.flatten().collect();
    (!parts.is_empty()).then(|| parts.join(separator))
}

/// A value as TOML writes it; as JSON what TOML has no form for.
pub(crate) fn in_toml(value: &Schema) -> String {
    toml::Value::try_from(value).map_or_else(|_| value.to_string(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(schema: &Schema) -> String {
        kinds(schema).join(" | ")
    }

    #[test]
    fn types_are_said_in_words() {
        assert_eq!(words(&json!({"type": "array", "items": {"type": "integer"}})), "list of whole numbers");
        assert_eq!(words(&json!({"type": ["number", "null"]})), "number");
        assert_eq!(words(&json!({"type": "boolean"})), "true | false");
        assert_eq!(words(&json!({})), "anything");
        assert_eq!(words(&json!(true)), "anything");
        let lists = json!({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}});
        assert_eq!(words(&lists), "table of lists of strings");
        assert_eq!(words(&json!({"type": "object", "additionalProperties": false})), "table");
    }

    #[test]
    fn choices_are_written_out() {
        let choice = json!({"oneOf": [{"const": "fixed"}, {"enum": ["a", "b", null]}]});
        assert_eq!(words(&choice), r#""fixed" | "a" | "b""#);
        let or_number = json!({"anyOf": [choice, {"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]});
        assert_eq!(words(&or_number), r#""fixed" | "a" | "b" | number"#);
        assert_eq!(range(&or_number).unwrap(), "above 0");
        assert_eq!(words(&json!({"enum": [1, 2.5, true]})), "1 | 2.5 | true");
        assert_eq!(range(&choice), None);
    }

    #[test]
    fn limits_are_said_as_messages_say_them() {
        let said = |schema: Schema| range(&schema).unwrap_or_default();
        assert_eq!(said(json!({"type": "integer", "minimum": 0})), "at least 0");
        assert_eq!(said(json!({"type": "integer", "minimum": 1, "maximum": 1000})), "from 1 to 1000");
        assert_eq!(said(json!({"type": ["number", "null"], "minimum": 0, "exclusiveMaximum": 1})), "in [0, 1)");
        assert_eq!(said(json!({"type": "number", "exclusiveMinimum": 0.5, "maximum": 1e-3})), "in (0.5, 0.001]");
        assert_eq!(said(json!({"type": "number", "maximum": 1})), "at most 1");
        assert_eq!(said(json!({"type": "number", "exclusiveMaximum": 1})), "below 1");
        assert_eq!(said(json!({"type": "integer", "minimum": 0, "exclusiveMinimum": 0})), "above 0");
        assert_eq!(said(json!({"type": "integer", "minimum": 2, "exclusiveMinimum": 0})), "at least 2");
        assert_eq!(said(json!({"type": "number"})), "");
    }

    #[test]
    fn lengths_are_limits_too() {
        let said = |schema: Schema| range(&schema).unwrap_or_default();
        let widths = json!({"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 9}, "minItems": 1});
        assert_eq!(said(widths), "at least 1 item, each from 1 to 9");
        assert_eq!(said(json!({"type": "array", "minItems": 2, "maxItems": 2})), "2 items");
        assert_eq!(said(json!({"type": "array", "minItems": 0, "maxItems": 2})), "at most 2 items");
        assert_eq!(
            said(json!({"type": "string", "minLength": 1, "maxLength": 8, "pattern": "^a"})),
            "from 1 to 8 characters, matching `^a`"
        );
    }
}
