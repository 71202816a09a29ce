//! Resolved specs as tables, and where two of them differ.

use super::comparison::Change;
use anyhow::{Context, Result};
use std::path::Path;
use toml::{Table, Value};

/// Reads a resolved spec as the table that it is.
///
/// # Errors
/// When the file cannot be read or is damaged.
pub fn read_resolved(path: &Path) -> Result<Table> {
    let text = std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    toml::from_str(&text).with_context(|| format!("`{}` is damaged", path.display()))
}

/// Every key whose value differs, in the order of the first spec; tables are compared key by key.
pub fn changes(base: &Table, other: &Table) -> Vec<Change> {
    let mut found = Vec::new();
    below("", base, other, &mut found);
    found
}

fn below(path: &str, base: &Table, other: &Table, found: &mut Vec<Change>) {
    let keys = base.keys().chain(other.keys().filter(|key| !base.contains_key(*key)));
    for key in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (base.get(key), other.get(key)) {
            (Some(Value::Table(base)), Some(Value::Table(other))) => below(&path, base, other, found),
            (base, other) if base != other => {
                let shown = |value: Option<&Value>| value.map(Value::to_string);
                found.push(Change { key: path, base: shown(base), variant: shown(other) });
            }
            _ => {}
        }
    }
}

/// Leaves of paths only the names of files, so that a study may be moved with its data, and takes out what changes no number:
/// the name, and how often a checkpoint is written.
pub fn portable(spec: &mut Table) {
    let only_name = |value: &mut Value| {
        if let Value::String(path) = value
            && let Some(name) = Path::new(path).file_name()
        {
            *path = name.to_string_lossy().into_owned();
        }
    };
    for key in ["path", "obs"] {
        spec.get_mut("data").and_then(|data| data.get_mut(key)).into_iter().for_each(only_name);
    }
    let modalities = spec.get_mut("modality").and_then(Value::as_table_mut);
    for (_, modality) in modalities.into_iter().flat_map(Table::iter_mut) {
        if let Some(path) = modality.get_mut("path") {
            only_name(path);
        }
    }
    let libraries =
        spec.get_mut("plugins").and_then(|plugins| plugins.get_mut("libraries")).and_then(Value::as_array_mut);
    libraries.into_iter().flatten().for_each(only_name);
    spec.remove("name");
    if let Some(Value::Table(fit)) = spec.get_mut("fit") {
        fit.remove("checkpoint_every_secs");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn keys_that_differ_are_found_wherever_they_are() {
        let base = table("a = 1\n[b]\nc = [1, 2]\nd = \"x\"\n[e]\nf = 1");
        let other = table("a = 1\n[b]\nc = [1, 3]\nd = \"x\"\n[g]\nh = true");
        let found = changes(&base, &other);
        let lines: Vec<String> = (found.iter())
            .map(|one| format!("{} {:?} {:?}", one.key, one.base.as_deref(), one.variant.as_deref()))
            .collect();
        assert_eq!(
            lines,
            ["b.c Some(\"[1, 2]\") Some(\"[1, 3]\")", "e Some(\"{ f = 1 }\") None", "g None Some(\"{ h = true }\")"]
        );
        assert!(changes(&base, &base).is_empty());
    }

    #[test]
    fn a_study_may_move() {
        let mut here = table(
            "name = \"a\"\nfit = { n_threads = 1 }\n[data]\npath = \"/here/x.h5mu\"\n[modality.rna]\npath = \"/here/y.h5ad\"\n[plugins]\nlibraries = [\"/here/p.so\"]",
        );
        let mut there = table(
            "name = \"b\"\nfit = { n_threads = 1, checkpoint_every_secs = 60 }\n[data]\npath = \"/x.h5mu\"\n[modality.rna]\npath = \"/there/y.h5ad\"\n[plugins]\nlibraries = [\"p.so\"]",
        );
        portable(&mut here);
        portable(&mut there);
        assert_eq!(here, there);
    }
}
