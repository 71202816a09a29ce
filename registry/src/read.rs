//! TOML text to a typed experiment, with all errors at once.
//!
//! The order: text to a tree with places, overrides into the tree, then table by table: unknown keys and types against
//! the schema, the table's own parse, its own ranges, and last what the tables say of each other.

use crate::catalogue::Catalogue;
use crate::check::{Checked, check_table, shown};
use crate::diagnostic::{Diagnostics, Place};
use crate::document::{Node, parse};
use crate::preset::{expand, model_defaults};
use crate::sections::{Parser, Reader, Site, TopSection, properties, with_properties};
use crate::suggest::nearest;
use crate::{conditions, images, latents, modalities, overrides, plugins};
use framework::Spec;
use framework::component::parse_table;
use framework::spec::{DataSpec, EvaluateSpec, Experiment, FitSpec, ModelSpec, SPEC_VERSION, TrunkSpec};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A spec as it was written.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// The file, for messages, for relative paths and for the name of the run.
    pub path: &'a Path,
    /// Its text.
    pub text: &'a str,
    /// Values that replace those of the text, each as `table.key=value`.
    pub overrides: &'a [String],
}

/// Reads a spec file.
///
/// # Errors
/// All that is wrong with it.
pub fn read_file(path: &Path, overrides: &[String], catalogue: &Catalogue) -> Result<Experiment, Diagnostics> {
    let text = whole_text(path, "the spec", overrides)?;
    read(&Written { path, text: &text, overrides }, catalogue)
}

/// Reads the text of a spec.
///
/// # Errors
/// All that is wrong with it; where the text is not TOML, that alone.
pub fn read(written: &Written<'_>, catalogue: &Catalogue) -> Result<Experiment, Diagnostics> {
    let mut diagnostics = Diagnostics::new(written.path.display().to_string(), written.text, written.overrides);
    let mut root = parse(written.text, &mut diagnostics);
    let is_toml = diagnostics.is_empty();
    overrides::apply(&mut root, written.overrides, &mut diagnostics);
    let mut reader = Reader { catalogue: catalogue.clone(), diagnostics };
    let experiment = if is_toml { experiment(&mut reader, &root, written.path) } else { None };
    match experiment {
        Some(experiment) if reader.diagnostics.is_empty() => Ok(experiment),
        _ => {
            if reader.diagnostics.is_empty() {
                reader.diagnostics.push(Place::Whole, "the spec cannot be read", None);
            }
            Err(reader.diagnostics)
        }
    }
}

/// The text of a file that is read with these overrides, or the error that there is none.
pub(crate) fn whole_text(path: &Path, what: &str, overrides: &[String]) -> Result<String, Diagnostics> {
    text_of(path, what).map_err(|(message, help)| {
        let mut diagnostics = Diagnostics::new(path.display().to_string(), "", overrides);
        diagnostics.push(Place::Whole, message, help);
        diagnostics
    })
}

/// The text of a file, or what is wrong with it and what to do.
pub(crate) fn text_of(path: &Path, what: &str) -> Result<String, (String, Option<String>)> {
    let bytes = std::fs::read(path).map_err(|error| (format!("{what} cannot be read: {error}"), neighbours(path)))?;
    String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        (format!("{what} is not UTF-8 text (byte {byte})"), Some("save it as UTF-8".to_owned()))
    })
}

/// Specs beside a path that is none.
fn neighbours(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut specs: Vec<String> = files.filter(|name| name.ends_with(".toml")).collect();
    specs.sort_unstable();
    let written = path.file_name()?.to_str()?;
    let near = nearest(written, specs.iter().map(String::as_str))
        .or(specs.iter().map(String::as_str).find(|name| name.strip_suffix(".toml") == Some(written)))?;
    Some(format!("did you mean `{}`?", path.with_file_name(near).display()))
}

fn experiment(reader: &mut Reader, root: &Node, path: &Path) -> Option<Experiment> {
    version(reader, root)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let plugins = plugins::read(reader, root, folder)?;
    let top = top(reader, root);
    let data: Option<DataSpec> = section(reader, root, "data", Table::new());
    let kind = root.get("model").and_then(|model| model.get("kind")).and_then(Node::as_str);
    let model: Option<ModelSpec> = section(reader, root, "model", model_defaults(kind));
    let evaluate: Option<EvaluateSpec> = section(reader, root, "evaluate", Table::new());
    let tables = root.get("modality").and_then(Node::as_table);
    let names = tables.into_iter().flatten().map(|(name, _)| name.as_str());
    let names: Vec<&str> = names.filter(|name| modalities::is_name(name)).collect();
    let settings = model.as_ref().map(|model| model.settings).unwrap_or_default();
    let preset = expand(&model.clone().unwrap_or_default(), &names);
    let fit: Option<FitSpec> = section(reader, root, "fit", toml::from_str(preset.fit).unwrap_or_default());
    let trunk: Option<TrunkSpec> = section(reader, root, "trunk", toml::from_str(preset.trunk).unwrap_or_default());
    let mut modalities = modalities::read(reader, root, modalities::Start { settings, parts: preset.parts });
    let latents = latents::read(reader, root, &preset, &names);
    let conditions = conditions::read(reader, root, model.as_ref().map(|model| model.kind), &names);
    if reader.diagnostics.is_empty() {
        latents::all_read(reader, root, &latents);
        if let Some(model) = &model {
            images::check_augmentation(reader, root, model.kind, &modalities);
        }
        if let Some(evaluate) = &evaluate {
            images::check_unshown(reader, root, &evaluate.images, &conditions);
        }
    }
    let mut data = data?;
    has_files(reader, root, &data);
    resolve(folder, &mut data.path);
    resolve(folder, &mut data.cache);
    resolve(folder, &mut data.obs);
    modalities.values_mut().for_each(|entry| resolve(folder, &mut entry.path));
    let TopSection { name, seed } = top?;
    let name = name.unwrap_or_else(|| stem(path));
    let (model, trunk, fit, evaluate) = (model?, trunk?, fit?, evaluate?);
    Some(Experiment { name, seed, plugins, data, modalities, model, latents, conditions, trunk, fit, evaluate })
}

/// The version of the format; another one makes all other errors meaningless.
fn version(reader: &mut Reader, root: &Node) -> Option<()> {
    let site = Site { node: root, path: "" };
    match root.get("spec_version") {
        Some(node) if crate::check::plain(node) == Value::Integer(SPEC_VERSION.into()) => Some(()),
        Some(node) => {
            let message = format!("`spec_version` is {}, but this program reads version {SPEC_VERSION}", shown(node));
            let help =
                format!("write `spec_version = {SPEC_VERSION}` and see `cithara schema`, or use another release");
            reader.push(site, "spec_version", message, Some(help));
            None
        }
        None => {
            let slip = root.as_table().into_iter().flatten().any(|(key, _)| nearest(key, ["spec_version"]).is_some());
            if !slip {
                let help = format!("begin the spec with `spec_version = {SPEC_VERSION}`");
                reader.push(site, "", "the spec does not say its version", Some(help));
            }
            Some(())
        }
    }
}

/// Tables of a spec, in the order in which they are listed.
const TABLES: [&str; 9] = ["plugins", "data", "modality", "model", "latent", "condition", "trunk", "fit", "evaluate"];

fn top(reader: &mut Reader, root: &Node) -> Option<TopSection> {
    let site = Site { node: root, path: "" };
    let own = properties::<TopSection>();
    let mut keys = vec![("spec_version", json!(true))];
    keys.extend(own.iter().map(|(key, schema)| (key.as_str(), schema.clone())));
    keys.extend(TABLES.map(|key| (key, json!(true))));
    let schema = with_properties(&keys, &json!({"additionalProperties": false}));
    let Checked { mut table, dropped } = check_table(root, &schema, "", &mut reader.diagnostics)?;
    table.retain(|key, _| key != "spec_version" && !TABLES.contains(&key));
    let parse = &parse_table::<TopSection>;
    reader.typed(site, Checked { table, dropped }, &Parser { defaults: Table::new(), parse, validate: &Spec::validate })
}

fn section<S>(reader: &mut Reader, root: &Node, name: &str, defaults: Table) -> Option<S>
where
    S: DeserializeOwned + JsonSchema + Spec,
{
    let nothing = Node::empty_table();
    let node = root.get(name).unwrap_or(&nothing);
    reader.section(Site { node, path: name }, defaults)
}

/// Tells the modalities that have no file.
fn has_files(reader: &mut Reader, root: &Node, data: &DataSpec) {
    if data.path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        let site = Site { node: root.get("data").unwrap_or(root), path: "data" };
        reader.push(site, "path", "`data.path` is empty", None);
    }
    let written = root.get("data").and_then(|data| data.get("path")).is_some();
    for (name, node) in root.get("modality").and_then(Node::as_table).into_iter().flatten() {
        if !written && node.as_table().is_some() && node.get("path").is_none() {
            let message = format!("the modality `{name}` has no file");
            let help =
                format!("set `path` in `[data]`, or in `[modality.{name}]` where each modality has its own file");
            reader.push(Site { node, path: "" }, "", message, Some(help));
        }
    }
}

/// Makes a path absolute; relative ones start from the spec's folder.
fn resolve(folder: &Path, path: &mut Option<PathBuf>) {
    if let Some(written) = path {
        let joined = folder.join(&*written);
        *written = std::path::absolute(&joined).unwrap_or(joined);
    }
}

/// The name of a file without its extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "run".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_specs_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name: &str| {
            let catalogue = Catalogue::linked().unwrap();
            read_file(&folder.path().join(name), &[], &catalogue).map(|_| ()).unwrap_err().to_string()
        };
        std::fs::write(folder.path().join("latin1.toml"), b"spec_version = 1\nname = \"\xe9\"\n").unwrap();
        assert!(said("latin1.toml").contains("the spec is not UTF-8 text (byte 25)"), "{}", said("latin1.toml"));
        for slip in ["latin2.toml", "latin1"] {
            assert!(said(slip).contains("latin1.toml`?"), "{}", said(slip));
        }
        assert!(!said("other.toml").contains("help:"));
    }
}
