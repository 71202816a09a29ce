//! `[condition.*]`: categories of cells that networks are told.

use crate::check::shown;
use crate::document::Node;
use crate::latents::known_modalities;
use crate::modalities::named_well;
use crate::sections::{Reader, Site};
use framework::spec::{ConditionSpec, ModelKind};
use indexmap::IndexMap;
use toml::{Table, Value};

/// Reads all conditions, in the order of the spec; `kind` is the family of the model, if it could be read.
pub(crate) fn read(
    reader: &mut Reader,
    root: &Node,
    kind: Option<ModelKind>,
    modalities: &[&str],
) -> IndexMap<String, ConditionSpec> {
    let Some(node) = root.get("condition") else { return IndexMap::new() };
    let Some(tables) = node.as_table() else {
        let message = format!("`condition` is {}, but must be a table", shown(node));
        reader.push(Site { node, path: "" }, "", message, Some("write `[condition.NAME]` for each".into()));
        return IndexMap::new();
    };
    let all = modalities.iter().map(|&name| Value::String(name.to_owned())).collect();
    let defaults = Table::from_iter([("modalities".to_owned(), Value::Array(all))]);
    let mut found = IndexMap::new();
    for (name, node) in tables {
        let path = format!("condition.{name}");
        let site = Site { node, path: &path };
        if !named_well(reader, site, name) {
            continue;
        }
        if kind == Some(ModelKind::Dgd) {
            let help = "list the column in `covariates` of `[model]`: it gets a latent space";
            reader.push(site, "", format!("`[{path}]`: a `dgd` model is told no conditions"), Some(help.into()));
        }
        if let Some(spec) = reader.section::<ConditionSpec>(site, defaults.clone()) {
            known_modalities(reader, site, &spec.modalities, modalities);
            found.insert(name.clone(), spec);
        }
    }
    found
}
