//! JSON Schema (draft 07) of a whole spec with all components, for editors that complete and check while one types.
//!
//! Components are alternatives (`oneOf`) told apart by a constant `kind`; the default one may leave its `kind` out.

use crate::ablation::AblationSection;
use crate::catalogue::Catalogue;
use crate::modalities::example;
use crate::preset::expand;
use crate::sections::{LatentSection, ModalitySection, TopSection, properties, with_properties, without_required};
use framework::component::{ComponentInfo, Role, schema_of};
use framework::spec::{
    ConditionSpec, DataSpec, EvaluateSpec, FitSpec, ModelSpec, PluginsSpec, SPEC_VERSION, TrunkSpec,
};
use serde_json::{Map, Value as Schema, json};
use toml::Table;

/// The JSON Schema of a spec.
pub fn spec_schema(catalogue: &Catalogue) -> Schema {
    let mut definitions = Map::new();
    let modality = modalities(catalogue, &mut definitions);
    let latent = latent(catalogue, &mut definitions);
    let mut keys = Map::new();
    keys.insert("spec_version".into(), json!({"const": SPEC_VERSION, "description": "Version of the spec format."}));
    keys.extend(properties::<TopSection>());
    keys.insert("plugins".into(), section::<PluginsSpec>());
    keys.insert("data".into(), section::<DataSpec>());
    keys.insert("modality".into(), modality);
    keys.insert("model".into(), section::<ModelSpec>());
    keys.insert("latent".into(), latent);
    keys.insert("condition".into(), conditions());
    keys.insert("trunk".into(), section::<TrunkSpec>());
    keys.insert("fit".into(), section::<FitSpec>());
    keys.insert("evaluate".into(), section::<EvaluateSpec>());
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Cithara spec",
        "type": "object",
        "required": ["spec_version", "modality"],
        "properties": keys,
        "additionalProperties": false,
        "definitions": definitions,
    })
}

/// The JSON Schema of an ablation.
pub fn ablation_schema() -> Schema {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Cithara ablation",
        "type": "object",
        "required": ["ablation"],
        "properties": { "spec_version": { "const": SPEC_VERSION }, "ablation": section::<AblationSection>() },
        "additionalProperties": false,
    })
}

fn section<S: schemars::JsonSchema>() -> Schema {
    schema_of::<S>()
}

/// `[modality.*]`: a table named like an assay may leave its `kind` out.
fn modalities(catalogue: &Catalogue, definitions: &mut Map<String, Schema>) -> Schema {
    for info in catalogue.of_role(Role::Modality) {
        let table = modality(catalogue, info, definitions);
        define(definitions, info, &table, None);
        define(definitions, info, &table, Some((&Table::new(), "table")));
    }
    let of = |own: &str| {
        let one = |info: &ComponentInfo| reference(info, (info.name == own).then_some("table"));
        json!({"oneOf": catalogue.of_role(Role::Modality).map(one).collect::<Vec<_>>()})
    };
    let named: Map<String, Schema> =
        catalogue.names(Role::Modality).into_iter().map(|name| (name.to_owned(), of(name))).collect();
    json!({
        "type": "object",
        "description": "The assays; at least one.",
        "minProperties": 1,
        "properties": named,
        "additionalProperties": of(""),
    })
}

/// The table of one assay: the host's keys, its components, its own keys.
fn modality(catalogue: &Catalogue, info: &ComponentInfo, definitions: &mut Map<String, Schema>) -> Schema {
    let defaults = example(info).map(|spec| spec.defaults());
    let mut part = |role: Role, default: Option<(&'static str, &'static str)>| {
        component(catalogue, &Place { role, default, owner: info.name }, definitions)
    };
    let steps = json!({
        "type": "array",
        "description": "What is done to the values, in order.",
        "items": part(Role::Step, None),
    });
    let encoder = part(Role::Encoder, defaults.as_ref().map(|defaults| defaults.encoder));
    let decoder = part(Role::Decoder, defaults.as_ref().map(|defaults| defaults.decoder));
    let loss = part(Role::Loss, defaults.as_ref().map(|defaults| defaults.loss));
    let host = properties::<ModalitySection>();
    let mut first: Vec<(&str, Schema)> = host.iter().map(|(key, schema)| (key.as_str(), schema.clone())).collect();
    first.extend([("steps", steps), ("encoder", encoder), ("decoder", decoder), ("loss", loss)]);
    with_properties(&first, &(info.schema)())
}

fn latent(catalogue: &Catalogue, definitions: &mut Map<String, Schema>) -> Schema {
    let default = expand(&ModelSpec::default(), &[]).priors.other;
    let place = Place { role: Role::LatentPrior, default: Some(default), owner: "latent" };
    let prior = component(catalogue, &place, definitions);
    let mut keys: Map<String, Schema> = properties::<LatentSection>().into_iter().collect();
    keys.insert("prior".into(), prior);
    json!({
        "type": "object",
        "description": "Latent spaces; what is not written comes from the preset in `[model]`.",
        "additionalProperties": {"type": "object", "properties": keys, "additionalProperties": false},
    })
}

fn conditions() -> Schema {
    json!({
        "type": "object",
        "description": "Categories of cells that networks are told.",
        "additionalProperties": section::<ConditionSpec>(),
    })
}

/// Where a component is written.
struct Place {
    role: Role,
    /// The component that is used where none is named, and the TOML that its table starts from.
    default: Option<(&'static str, &'static str)>,
    /// Whose default that is.
    owner: &'static str,
}

/// A component of one role: a bare name, or a table with its `kind`.
fn component(catalogue: &Catalogue, place: &Place, definitions: &mut Map<String, Schema>) -> Schema {
    let mut alternatives = vec![json!({"type": "string", "enum": catalogue.names(place.role)})];
    for info in catalogue.of_role(place.role) {
        let own = (info.schema)();
        define(definitions, info, &own, None);
        let default = place.default.filter(|(kind, _)| *kind == info.name);
        if let Some((_, text)) = default {
            let written: Table = toml::from_str(text).unwrap_or_default();
            define(definitions, info, &own, Some((&written, place.owner)));
        }
        alternatives.push(reference(info, default.map(|_| place.owner)));
    }
    json!({"oneOf": alternatives})
}

/// Adds the definition of a component's table. As somebody's default it needs neither its `kind` nor the keys that are
/// written by default.
fn define(definitions: &mut Map<String, Schema>, info: &ComponentInfo, own: &Schema, default: Option<(&Table, &str)>) {
    let kind = json!({"const": info.name, "description": info.summary});
    let mut table = with_properties(&[("kind", kind)], own);
    if let Some((written, _)) = default {
        table = without_required(table, written);
    } else {
        let mut required = table.get("required").and_then(Schema::as_array).cloned().unwrap_or_default();
        required.push(json!("kind"));
        table["required"] = Schema::Array(required);
    }
    table["description"] = json!(info.summary);
    definitions.insert(name(info, default.map(|(_, owner)| owner)), table);
}

fn reference(info: &ComponentInfo, owner: Option<&str>) -> Schema {
    json!({"$ref": format!("#/definitions/{}", name(info, owner))})
}

/// Name of the definition of a component's table, or of that table as somebody's default.
fn name(info: &ComponentInfo, owner: Option<&str>) -> String {
    let name = format!("{}.{}", info.role.name(), info.name);
    owner.map_or(name.clone(), |owner| format!("{name}.by_default_in.{owner}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_is_an_alternative_and_every_reference_resolves() {
        let catalogue = Catalogue::linked().unwrap();
        let schema = spec_schema(&catalogue);
        for info in catalogue.iter() {
            let found = &schema["definitions"][name(info, None)];
            assert_eq!(found["properties"]["kind"]["const"], info.name);
            assert_eq!(found["additionalProperties"], false, "{} must deny unknown keys", info.name);
            assert!(found["required"].as_array().unwrap().contains(&json!("kind")));
        }
        let text = schema.to_string();
        let references: Vec<&str> =
            text.split("\"#/definitions/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(!references.is_empty());
        for reference in references {
            assert!(schema["definitions"].get(reference).is_some(), "{reference}");
        }
    }

    #[test]
    fn the_default_component_needs_no_kind() {
        let schema = spec_schema(&Catalogue::linked().unwrap());
        let encoder = &schema["definitions"]["modality.rna"]["properties"]["encoder"]["oneOf"];
        assert!(encoder.as_array().unwrap().contains(&json!({"$ref": "#/definitions/encoder.mlp.by_default_in.rna"})));
        assert_eq!(schema["definitions"]["encoder.mlp.by_default_in.rna"].get("required"), None);
        assert_eq!(schema["definitions"]["step.highly_variable"]["required"], json!(["n", "kind"]));
        assert_eq!(schema["properties"]["modality"]["properties"]["rna"]["oneOf"].as_array().unwrap().len(), 2);
    }
}
