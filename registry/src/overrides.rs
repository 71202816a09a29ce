//! `--set a.b=c`: values that replace what a spec says.
//!
//! A value is TOML; bare words are strings. Naming another `kind` of a component replaces its whole table, because the
//! other keys belong to the old kind. `!a.b` (`--unset a.b`) takes a key or a table out; that is done first.

use crate::diagnostic::{Diagnostics, Place};
use crate::document::{Content, Entries, Node, parse};
use crate::suggest::{advice, alternatives};
use toml::Value;

/// What stands before a key that is taken out.
pub(crate) const UNSET: char = '!';

/// One override, taken apart.
#[derive(Debug)]
struct Override {
    path: Vec<String>,
    node: Node,
}

/// Applies overrides to a spec, in order; those that cannot be read are pushed.
pub(crate) fn apply(root: &mut Node, written: &[String], diagnostics: &mut Diagnostics) {
    let mut list = Vec::new();
    for (index, text) in written.iter().enumerate() {
        if let Some(key) = text.strip_prefix(UNSET) {
            unset(root, key, index, diagnostics);
            continue;
        }
        match take_apart(text, index) {
            Ok(one) => list.push(one),
            Err((message, help)) => diagnostics.push(Place::Override(index), message, Some(help)),
        }
    }
    // Kinds first: the other overrides then belong to the new kind, wherever they stand.
    list.sort_by_key(|one| !names_kind(&one.path));
    for one in list {
        if names_kind(&one.path) {
            drop_other_kind(root, &one);
        }
        let place = one.node.place.clone();
        if let Err(message) = set(root, &one.path, one.node) {
            diagnostics.push(place, message, Some("set the whole list, as in `a.b=[1, 2]`".into()));
        }
    }
}

/// Takes a key or a table out of the spec.
fn unset(root: &mut Node, key: &str, index: usize, diagnostics: &mut Diagnostics) {
    let refuse = |message: String, help: Option<String>| (Place::Override(index), message, help);
    let taken = match key_path(key.trim()) {
        Some(path) => take_out(root, &path).map_err(|known| {
            refuse(format!("`{}` is not written in the spec, so it cannot be taken out", path.join(".")), known)
        }),
        None => Err(refuse(format!("`{key}` is not a key"), Some("name it as in `modality.atac`".to_owned()))),
    };
    if let Err((place, message, help)) = taken {
        diagnostics.push(place, message, help);
    }
}

/// Takes a path out; what is written beside its first missing key if there is no such path.
fn take_out(root: &mut Node, path: &[String]) -> Result<(), Option<String>> {
    let Some((last, above)) = path.split_last() else { return Err(None) };
    let mut node = root;
    for key in above.iter().chain([last]) {
        let Content::Table(entries) = &mut node.content else { return Err(None) };
        let names: Vec<&str> = entries.keys().map(String::as_str).collect();
        if !entries.contains_key(key) {
            return Err(Some(advice(key, "keys", &names)));
        }
        if std::ptr::eq(key, last) {
            entries.shift_remove(key);
            return Ok(());
        }
        let Some(next) = entries.get_mut(key) else { return Err(None) };
        node = next;
    }
    Ok(())
}

type Refusal = (String, String);

fn take_apart(text: &str, index: usize) -> Result<Override, Refusal> {
    let example = || "write it as `table.key=value`, as in `fit.latent.n_epochs=10`".to_owned();
    let Some(equals) = equals_sign(text) else {
        return Err((format!("`{text}` sets no value"), example()));
    };
    let (key, value) = (text[..equals].trim(), text[equals + 1..].trim());
    let path = key_path(key).ok_or_else(|| (format!("`{key}` is not a key"), example()))?;
    let mut content = content(value).map_err(|message| (format!("`{value}` is not a value: {message}"), example()))?;
    place_at(&mut content, index);
    Ok(Override { path, node: Node { key: Place::Override(index), place: Place::Override(index), content } })
}

/// The first `=` outside quotes.
fn equals_sign(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '=') => return Some(at),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

/// The keys of a dotted key; `None` if it is not one.
fn key_path(key: &str) -> Option<Vec<String>> {
    if key.contains('\n') || key.starts_with('[') {
        return None;
    }
    let text = format!("{key} = 0");
    let mut diagnostics = Diagnostics::new("", text.as_str(), &[]);
    let mut node = parse(&text, &mut diagnostics);
    let mut path = Vec::new();
    while let Content::Table(entries) = node.content {
        let (key, below) = entries.into_iter().next()?;
        path.push(key);
        node = below;
    }
    diagnostics.is_empty().then_some(path)
}

/// A value as TOML, or the bare text as a string.
fn content(value: &str) -> Result<Content, String> {
    let text = format!("value = {value}");
    let mut diagnostics = Diagnostics::new("", text.as_str(), &[]);
    let root = parse(&text, &mut diagnostics);
    if diagnostics.is_empty()
        && let Content::Table(mut entries) = root.content
        && entries.len() == 1
        && let Some(node) = entries.shift_remove("value")
    {
        return Ok(node.content);
    }
    match value.chars().next() {
        None => Err("it is empty; an empty string is `\"\"`".to_owned()),
        Some('[' | '{' | '"' | '\'') => Err(first_message(&diagnostics)),
        Some(_) => Ok(Content::Scalar(Value::String(value.to_owned()))),
    }
}

fn first_message(diagnostics: &Diagnostics) -> String {
    diagnostics.sorted().first().map_or_else(|| "it is more than one value".to_owned(), |one| one.message.clone())
}

fn place_at(content: &mut Content, index: usize) {
    let nodes: Vec<&mut Node> = match content {
        Content::Table(entries) => entries.values_mut().collect(),
        Content::List(items) => items.iter_mut().collect(),
        Content::Scalar(_) => return,
    };
    for node in nodes {
        (node.key, node.place) = (Place::Override(index), Place::Override(index));
        place_at(&mut node.content, index);
    }
}

/// Whether a path names the kind of a component (not that of `[model]`, which is a preset).
fn names_kind(path: &[String]) -> bool {
    path.len() > 2 && path.last().is_some_and(|key| key == "kind")
}

/// Keys of `[modality.*]` that are the host's, whatever the kind.
const KEPT: [&str; 9] = ["path", "key", "table", "measured", "weight", "steps", "encoder", "decoder", "loss"];

fn drop_other_kind(root: &mut Node, one: &Override) {
    let above = &one.path[..one.path.len() - 1];
    let mut node = &mut *root;
    for key in above {
        let Content::Table(entries) = &mut node.content else { return };
        let Some(next) = entries.get_mut(key) else { return };
        node = next;
    }
    let (Content::Table(entries), Content::Scalar(Value::String(kind))) = (&mut node.content, &one.node.content) else {
        return;
    };
    if entries.get("kind").and_then(Node::as_str) != Some(kind) {
        let is_modality = above.len() == 2 && above[0] == "modality";
        entries.retain(|key, _| is_modality && KEPT.contains(&key.as_str()));
    }
}

/// Sets a value, making tables on the way.
fn set(root: &mut Node, path: &[String], node: Node) -> Result<(), String> {
    let mut at = root;
    for (depth, key) in path.iter().enumerate() {
        let last = depth + 1 == path.len();
        let entries = table_at(at, &node.place, &path[..depth])?;
        if last {
            entries.insert(key.clone(), node);
            return Ok(());
        }
        let fresh = || Node { key: node.place.clone(), ..Node::empty_table() };
        at = entries.entry(key.clone()).or_insert_with(fresh);
    }
    Ok(())
}

/// The table that a node is or becomes: a bare name becomes `{ kind = name }`, other values are replaced.
fn table_at<'a>(node: &'a mut Node, place: &Place, path: &[String]) -> Result<&'a mut Entries, String> {
    if let Content::List(_) = node.content {
        return Err(format!("{} is a list and has no keys", alternatives(&[&path.join(".")])));
    }
    if let Content::Scalar(value) = &node.content {
        let mut entries = Entries::new();
        if let Value::String(kind) = value {
            entries.insert("kind".to_owned(), node.string_here(kind));
        }
        (node.key, node.content) = (place.clone(), Content::Table(entries));
    }
    match &mut node.content {
        Content::Table(entries) => Ok(entries),
        _ => Err("has no keys".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, overrides: &[&str]) -> Result<Node, String> {
        let overrides: Vec<String> = overrides.iter().map(|&one| one.to_owned()).collect();
        let mut diagnostics = Diagnostics::new("spec.toml", text, &overrides);
        let mut root = parse(text, &mut diagnostics);
        apply(&mut root, &overrides, &mut diagnostics);
        if diagnostics.is_empty() { Ok(root) } else { Err(diagnostics.to_string()) }
    }

    fn value<'a>(root: &'a Node, path: &[&str]) -> Option<&'a Value> {
        let mut node = root;
        for key in path {
            node = node.get(key)?;
        }
        match &node.content {
            Content::Scalar(value) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn values_are_toml_and_bare_words_are_strings() {
        let set = ["seed=3", "fit.device=cuda:1", "name = \"a = b\"", "\"odd=key\".x=1e-3", "data.path=/d/x.h5mu"];
        let root = after("seed = 1", &set).unwrap();
        assert_eq!(value(&root, &["seed"]), Some(&Value::Integer(3)));
        assert_eq!(value(&root, &["fit", "device"]), Some(&Value::String("cuda:1".into())));
        assert_eq!(value(&root, &["name"]), Some(&Value::String("a = b".into())));
        assert_eq!(value(&root, &["odd=key", "x"]), Some(&Value::Float(1e-3)));
        assert_eq!(value(&root, &["data", "path"]), Some(&Value::String("/d/x.h5mu".into())));
        assert_eq!(root.place_of("seed"), Place::Override(0));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for bad in
            ["seed", "=3", "a..b=3", "seed=", "seed=[1,", "name=\"open", "[a]\nb=1", "a b=1", "seed=\"a\"\nname=1"]
        {
            let message = after("", &[bad]).unwrap_err();
            assert!(message.contains("  --> --set ") && message.contains("fit.latent.n_epochs=10"), "{bad}: {message}");
        }
        let message = after("steps = [1]", &["steps.a=1"]).unwrap_err();
        assert!(message.contains("`steps` is a list"), "{message}");
    }

    #[test]
    fn another_kind_replaces_the_table_and_keeps_other_overrides() {
        let text = "[modality.rna]\nloss = { kind = \"bce\", pos_weight = 2 }\npath = \"x\"\nlayer = \"y\"";
        let root = after(text, &["modality.rna.loss.weight=2", "modality.rna.loss.kind=mse"]).unwrap();
        let loss = root.get("modality").unwrap().get("rna").unwrap().get("loss").unwrap();
        assert_eq!(loss.as_table().unwrap().keys().collect::<Vec<_>>(), ["kind", "weight"]);
        let root = after(text, &["modality.rna.loss.kind=bce"]).unwrap();
        assert!(value(&root, &["modality", "rna", "loss", "pos_weight"]).is_some());
        let root = after(text, &["modality.rna.kind=atac"]).unwrap();
        let rna = root.get("modality").unwrap().get("rna").unwrap();
        assert_eq!(rna.as_table().unwrap().keys().collect::<Vec<_>>(), ["loss", "path", "kind"]);
    }

    #[test]
    fn what_is_unset_is_gone_before_anything_is_set() {
        let text = "[modality.rna]\npath = \"x\"\n[modality.atac]\npath = \"y\"";
        let root = after(text, &["modality.atac.layer=z", "!modality.atac", "!modality.rna.path"]).unwrap();
        let modality = root.get("modality").unwrap();
        assert_eq!(modality.get("atac").unwrap().as_table().unwrap().keys().collect::<Vec<_>>(), ["layer"]);
        assert!(modality.get("rna").unwrap().as_table().unwrap().is_empty());
        for (bad, said) in
            [("!modality.atak", "`modality.atak` is not written"), ("!a b", "`a b` is not a key"), ("!", "not a key")]
        {
            let message = after(text, &[bad]).unwrap_err();
            assert!(message.contains(said) && message.contains("--> --unset"), "{message}");
        }
        assert!(after(text, &["!modality.atak"]).unwrap_err().contains("did you mean `atac`?"));
    }

    #[test]
    fn a_bare_name_becomes_a_table() {
        let root = after("[modality.rna]\nencoder = \"mlp\"", &["modality.rna.encoder.hidden=[8]"]).unwrap();
        assert_eq!(value(&root, &["modality", "rna", "encoder", "kind"]), Some(&Value::String("mlp".into())));
    }
}
