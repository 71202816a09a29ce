//! A JSON Schema without references: each is replaced by what it refers to.
//!
//! Schemas of the framework have none but those of types that hold themselves; a plugin may write its own schema.

use serde_json::{Map, Value as Schema};

/// The schema with its references and `allOf` followed. What a schema says itself wins over what it refers to; a
/// reference inside its own target keeps nothing but the type.
pub(crate) fn inlined(schema: &Schema) -> Schema {
    Inliner { root: schema, within: vec!["#".to_owned()] }.schema(schema)
}

struct Inliner<'a> {
    root: &'a Schema,
    /// The references that are being followed.
    within: Vec<String>,
}

impl Inliner<'_> {
    fn schema(&mut self, schema: &Schema) -> Schema {
        let own = match schema {
            Schema::Object(own) => own,
            Schema::Array(items) => return items.iter().map(|item| self.schema(item)).collect(),
            other => return other.clone(),
        };
        let mut found = Map::new();
        if let Some(Schema::String(reference)) = own.get("$ref") {
            merge(&mut found, self.target(reference));
        }
        for part in own.get("allOf").and_then(Schema::as_array).into_iter().flatten() {
            let part = self.schema(part);
            merge(&mut found, part);
        }
        merge(&mut found, Schema::Object(self.rest(own)));
        Schema::Object(found)
    }

    /// What a schema says itself.
    fn rest(&mut self, own: &Map<String, Schema>) -> Map<String, Schema> {
        let kept = own.iter().filter(|(key, _)| !matches!(key.as_str(), "$ref" | "allOf" | "definitions" | "$defs"));
        let inline = |(key, value): (&String, &Schema)| {
            let value = match (key.as_str(), value) {
                ("default" | "const" | "enum" | "examples", value) => value.clone(),
                ("properties" | "patternProperties", Schema::Object(tables)) => {
                    tables.iter().map(|(name, table)| (name.clone(), self.schema(table))).collect()
                }
                (_, value) => self.schema(value),
            };
            (key.clone(), value)
        };
        kept.map(inline).collect()
    }

    fn target(&mut self, reference: &str) -> Schema {
        let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let Some(target) = target else { return Schema::Object(Map::new()) };
        if self.within.iter().any(|one| one == reference) {
            return target.get("type").map(|name| ("type".to_owned(), name.clone())).into_iter().collect();
        }
        self.within.push(reference.to_owned());
        let found = self.schema(target);
        self.within.pop();
        found
    }
}

/// Adds what a schema says; properties and required keys are joined, all else is replaced.
fn merge(found: &mut Map<String, Schema>, more: Schema) {
    let Schema::Object(more) = more else { return };
    for (key, value) in more {
        match (found.get_mut(&key), value) {
            (Some(Schema::Object(old)), Schema::Object(new)) if key == "properties" => old.extend(new),
            (Some(Schema::Array(old)), Schema::Array(new)) if key == "required" => old.extend(new),
            (_, value) => drop(found.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_followed_and_own_words_win() {
        let schema = json!({
            "properties": {
                "rate": {"$ref": "#/definitions/Rate", "description": "its own"},
                "$ref": {"type": "string", "default": {"$ref": "kept"}},
                "both": {"allOf": [{"$ref": "#/$defs/A"}, {"properties": {"b": true}, "required": ["b"]}]},
            },
            "definitions": {"Rate": {"type": "number", "description": "any rate"}},
            "$defs": {"A": {"type": "object", "properties": {"a": true}, "required": ["a"]}},
        });
        let expected = json!({
            "properties": {
                "rate": {"type": "number", "description": "its own"},
                "$ref": {"type": "string", "default": {"$ref": "kept"}},
                "both": {"type": "object", "properties": {"a": true, "b": true}, "required": ["a", "b"]},
            },
        });
        assert_eq!(inlined(&schema), expected);
    }

    #[test]
    fn what_holds_itself_ends() {
        let tree = json!({"type": "object", "properties": {"branches": {"type": "array", "items": {"$ref": "#"}}}});
        let expected =
            json!({"type": "object", "properties": {"branches": {"type": "array", "items": {"type": "object"}}}});
        assert_eq!(inlined(&tree), expected);
        assert_eq!(inlined(&json!({"$ref": "#/nowhere"})), json!({}));
    }
}
