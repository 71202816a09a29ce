//! What holds of every component that is linked into the program.

use framework::component::{ComponentInfo, Role};
// Naming the built-in components keeps the linker from dropping them.
use plugins as _;
use registry::Catalogue;
use serde_json::Value;

fn all() -> Vec<&'static ComponentInfo> {
    Catalogue::linked().unwrap().iter().collect()
}

#[test]
fn every_example_is_a_valid_table() {
    for info in all() {
        let table: toml::Table = toml::from_str(info.example).unwrap_or_else(|error| panic!("{}: {error}", info.name));
        let spec = (info.parse)(table).unwrap_or_else(|problem| panic!("{} `{}`: {problem:?}", info.role, info.name));
        assert_eq!(spec.validate(), [], "{} `{}`", info.role, info.name);
    }
}

#[test]
fn every_table_refuses_unknown_keys_and_describes_its_own() {
    for info in all() {
        let schema = (info.schema)();
        assert_eq!(schema["additionalProperties"], false, "{} `{}` takes unknown keys", info.role, info.name);
        for (key, own) in schema["properties"].as_object().into_iter().flatten() {
            let about = own.get("description").and_then(Value::as_str).unwrap_or_default();
            assert!(!about.is_empty(), "{} `{}`: the key `{key}` has no description", info.role, info.name);
        }
    }
}

#[test]
fn no_table_uses_a_key_of_the_host() {
    const HOST: [&str; 8] = ["kind", "path", "key", "weight", "steps", "encoder", "decoder", "loss"];
    for info in all() {
        let taken: &[&str] = if info.role == Role::Modality { &HOST } else { &HOST[..1] };
        let schema = (info.schema)();
        for key in schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
            assert!(
                !taken.contains(&key.as_str()),
                "{} `{}` has a key `{key}`, which is the host's",
                info.role,
                info.name
            );
        }
    }
}

#[test]
fn every_default_of_a_modality_is_a_valid_component() {
    let catalogue = Catalogue::linked().unwrap();
    for name in catalogue.names(Role::Modality) {
        let text = format!("spec_version = 1\n[modality.it]\nkind = \"{name}\"\npath = \"cells.h5ad\"\n");
        let path = std::path::Path::new("spec.toml");
        let written = registry::Written { path, text: &text, overrides: &[] };
        registry::read(&written, &catalogue).unwrap_or_else(|errors| panic!("`{name}` by default: {errors}"));
    }
}
