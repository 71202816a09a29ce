//! What the schema of a component's table must say.

use super::mismatch::{Checked, expect};
use crate::component::{ComponentInfo, Role};
use serde_json::Value as Json;

/// Keys of the host: of modalities, and (the first) of all others.
const HOST: [&str; 8] = ["kind", "path", "key", "weight", "steps", "encoder", "decoder", "loss"];
/// The least letters that describe anything.
const DESCRIBED: usize = 10;

/// Every key is described, and has a default or is required; the table itself is described and closed.
pub(super) fn documented(info: &ComponentInfo) -> Checked {
    let schema = (info.schema)();
    let closed = schema["additionalProperties"] == Json::Bool(false);
    expect(closed, "a schema that allows no other keys: deny unknown fields", "one that does")?;
    let about = schema["description"].as_str().unwrap_or_default();
    expect(about.len() > DESCRIBED, "a doc comment on the spec", format!("`{about}`"))?;
    let required = required(&schema);
    for (key, property) in properties(&schema) {
        let nullable = property["type"].as_array().is_some_and(|types| types.iter().any(|name| name == "null"));
        let has_default = nullable || property.get("default").is_some() || required.iter().any(|name| name == key);
        expect(has_default, format!("a default of `{key}`, or that it is required"), "neither")?;
    }
    described(&schema)
}

/// Every key at every depth has a description.
fn described(schema: &Json) -> Checked {
    match schema {
        Json::Array(parts) => parts.iter().try_for_each(described),
        Json::Object(parts) => {
            for (key, property) in properties(schema).filter(|(_, property)| property.get("const").is_none()) {
                let text = property["description"].as_str().unwrap_or_default();
                expect(text.len() > DESCRIBED, format!("a doc comment on `{key}`"), format!("`{text}`"))?;
            }
            // Values are no schemas, whatever they hold.
            let schemas =
                parts.iter().filter(|(key, _)| !["default", "examples", "enum", "const"].contains(&key.as_str()));
            schemas.into_iter().try_for_each(|(_, part)| described(part))
        }
        _ => Ok(()),
    }
}

/// No key is one that the host takes out of the table first.
pub(super) fn host_keys(info: &ComponentInfo) -> Checked {
    let taken: &[&str] = if info.role == Role::Modality { &HOST } else { &HOST[..1] };
    let schema = (info.schema)();
    let wrong = properties(&schema).map(|(key, _)| key).find(|key| taken.contains(key));
    expect(wrong.is_none(), format!("none of the keys {taken:?}"), format!("`{}`", wrong.unwrap_or_default()))
}

/// The keys of a table and what the schema says of each.
pub(super) fn properties(schema: &Json) -> impl Iterator<Item = (&str, &Json)> {
    let properties = schema.get("properties").and_then(Json::as_object);
    properties.into_iter().flatten().map(|(key, property)| (key.as_str(), property))
}

/// The keys without which the table does not read.
pub(super) fn required(schema: &Json) -> Vec<String> {
    let required = schema["required"].as_array().into_iter().flatten();
    required.filter_map(Json::as_str).map(str::to_owned).collect()
}
