//! The page of one component, from its declaration and its schema.

use framework::component::{ComponentInfo, Role};
use serde_json::Value;

/// Columns that a page takes at most.
const WIDTH: usize = 100;

/// What the component does, its keys, and an example.
pub(super) fn page(info: &ComponentInfo) -> String {
    let mut page = format!("{} ({})\n", info.name, info.role);
    page += &wrapped(info.summary, 2);
    page += &format!("\n  source       {}\n  declared by  {}\n", info.source, info.origin);
    let schema = (info.schema)();
    let keys = keys(&schema, "");
    if keys.is_empty() {
        page += "\n  It has no keys of its own.\n";
    } else {
        page += &format!("\n{}", table(&keys));
    }
    page + &format!("\n  example\n{}", example(info))
}

/// One key of a component's table.
struct Key {
    name: String,
    kind: String,
    default: String,
    about: String,
}

/// The keys of a table and of the tables in it.
fn keys(schema: &Value, above: &str) -> Vec<Key> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut found = Vec::new();
    for (key, own) in schema["properties"].as_object().into_iter().flatten() {
        let name = format!("{above}{key}");
        if own["properties"].is_object() {
            found.extend(keys(own, &format!("{name}.")));
            continue;
        }
        let default = match own.get("default") {
            Some(Value::Null) | None if required.contains(&key.as_str()) => "(required)".to_owned(),
            Some(Value::Null) | None => "(none)".to_owned(),
            Some(value) => value.to_string(),
        };
        let about = own["description"].as_str().unwrap_or_default().replace('\n', " ");
        found.push(Key { name, kind: kind(own), default, about });
    }
    found
}

/// What a value may be, in words.
fn kind(schema: &Value) -> String {
    if let Some(choices) = choices(schema) {
        return choices.join(" | ");
    }
    let forms = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    if let Some(forms) = forms {
        let words: Vec<String> = forms.iter().map(kind).filter(|word| word != "nothing").collect();
        return words.join(" | ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => return "anything".to_owned(),
    };
    types.iter().map(|name| word(name, schema)).collect::<Vec<_>>().join(" | ")
}

fn word(name: &str, schema: &Value) -> String {
    match name {
        "integer" => "whole number".to_owned(),
        "boolean" => "true | false".to_owned(),
        "array" => match &schema["items"] {
            items @ Value::Object(_) => format!("list of {}", plural(&kind(items))),
            _ => "list".to_owned(),
        },
        "object" => "table".to_owned(),
        "null" => "nothing".to_owned(),
        other => other.to_owned(),
    }
}

fn plural(word: &str) -> String {
    match word {
        "whole number" | "number" | "string" | "table" => format!("{word}s"),
        other => other.to_owned(),
    }
}

fn choices(schema: &Value) -> Option<Vec<String>> {
    if let Some(name) = schema.get("const") {
        return Some(vec![name.to_string()]);
    }
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return Some(names.iter().filter(|name| !name.is_null()).map(Value::to_string).collect());
    }
    let forms = schema.get("oneOf")?.as_array()?;
    let lists: Option<Vec<Vec<String>>> = forms.iter().map(choices).collect();
    lists.map(|lists| lists.concat())
}

/// The keys with their types, defaults and descriptions, in columns.
fn table(keys: &[Key]) -> String {
    let heading = Key { name: "key".into(), kind: "type".into(), default: "default".into(), about: String::new() };
    let all = || std::iter::once(&heading).chain(keys);
    let width = |column: fn(&Key) -> &String| all().map(|key| column(key).chars().count()).max().unwrap_or(0);
    let (name, kind) = (width(|key| &key.name), width(|key| &key.kind).min(40));
    let mut text = String::new();
    for key in all() {
        text += format!("  {:name$}  {:kind$}  {}", key.name, key.kind, key.default).trim_end();
        text += "\n";
        text += &wrapped(&key.about, 6);
    }
    text
}

/// The example as it stands in a spec.
fn example(info: &ComponentInfo) -> String {
    let header = match info.role {
        Role::Modality => format!("[modality.{}]", info.name),
        Role::Encoder => "[modality.NAME.encoder]".to_owned(),
        Role::Decoder => "[modality.NAME.decoder]".to_owned(),
        Role::Loss => "[modality.NAME.loss]".to_owned(),
        Role::LatentPrior => "[latent.NAME.prior]".to_owned(),
        Role::Step => "[[modality.NAME.steps]]".to_owned(),
    };
    let kind = format!("kind = \"{}\"", info.name);
    let lines = [header, kind].into_iter().chain(info.example.trim().lines().map(str::to_owned));
    lines.map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect()
}

/// A text in lines of at most `WIDTH` columns, each after `indent` spaces; nothing for an empty text.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() + indent <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_said_in_words() {
        assert_eq!(kind(&json!({"type": "array", "items": {"type": "integer"}})), "list of whole numbers");
        assert_eq!(kind(&json!({"type": ["number", "null"]})), "number");
        let choice = json!({"oneOf": [{"const": "fixed"}, {"enum": ["a", "b"]}]});
        assert_eq!(kind(&choice), "\"fixed\" | \"a\" | \"b\"");
        assert_eq!(
            kind(&json!({"anyOf": [choice, {"type": "number"}, {"type": "null"}]})),
            "\"fixed\" | \"a\" | \"b\" | number"
        );
    }

    #[test]
    fn long_texts_are_wrapped() {
        let text = wrapped(&"word ".repeat(60), 6);
        assert!(
            text.lines().count() > 2 && text.lines().all(|line| line.len() <= WIDTH && line.starts_with("      w"))
        );
        assert_eq!(wrapped("", 6), "");
    }
}
