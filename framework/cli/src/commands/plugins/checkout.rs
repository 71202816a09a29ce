//! The sources that this program was compiled from: plugins are compiled from the same.

use crate::failure::Misuse;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A checkout of Cithara.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The folder that somebody named, or the one that this program was compiled in.
    ///
    /// # Errors
    /// When it holds no sources of Cithara.
    pub fn find(given: Option<&Path>) -> Result<Checkout> {
        let compiled_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = given.map_or(compiled_in, Path::to_owned);
        let found = root.canonicalize().ok().filter(|root| root.join("framework/Cargo.toml").is_file());
        let missing = || {
            let text = format!("`{}` holds no sources of Cithara, which a plugin is compiled with", root.display());
            Misuse::new(text).help("name the checkout that this program was compiled from: `--cithara FOLDER`")
        };
        Ok(Checkout { root: found.ok_or_else(missing)? })
    }

    /// The crate that plugins depend on.
    pub fn framework(&self) -> PathBuf {
        self.root.join("framework")
    }

    /// The releases that the program was compiled with.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("Cargo.lock")
    }

    /// How cargo builds here: tables `env`, its paths made absolute, and `profile`. What is compiled already fits only what
    /// is compiled with the same.
    ///
    /// # Errors
    /// When the checkout's settings of cargo cannot be read.
    pub fn settings(&self) -> Result<Table> {
        let path = self.root.join(".cargo/config.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        let all: Table = text.parse().with_context(|| format!("`{}` cannot be read", path.display()))?;
        let absolute = |value: &Value| match value {
            Value::Table(table) => Value::String(self.root.join(table["value"].as_str()?).display().to_string()).into(),
            value => Some(value.clone()),
        };
        let own = |(name, value): (&String, &Value)| {
            let given = std::env::var(name).ok().map(Value::String);
            given.or_else(|| absolute(value)).map(|value| (name.clone(), value))
        };
        let mut settings = Table::new();
        let env = all.get("env").and_then(Value::as_table).into_iter().flatten().filter_map(own).collect();
        settings.insert("env".into(), Value::Table(env));
        settings.extend(all.get("profile").map(|profile| ("profile".to_owned(), profile.clone())));
        Ok(settings)
    }

    /// Where cargo puts what it compiles: what is there already is not compiled again.
    pub fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }
}

/// The values below a key as cargo takes them on its command line: `profile.dev.opt-level=2`.
pub(super) fn flatten(key: &str, value: &Value, flat: &mut Vec<String>) {
    match value {
        Value::Table(table) => table.iter().for_each(|(name, value)| flatten(&format!("{key}.{name}"), value, flat)),
        value => flat.push(format!("{key}={value}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_of_the_checkout() {
        let settings = Checkout::find(None).unwrap().settings().unwrap();
        let mut flat = Vec::new();
        flatten("profile", &settings["profile"], &mut flat);
        assert!(flat.contains(&"profile.dev.opt-level=2".to_owned()), "{flat:?}");
        assert!(flat.contains(&"profile.release.package.torch-sys.opt-level=1".to_owned()), "{flat:?}");
        for (name, value) in settings["env"].as_table().unwrap() {
            let value = value.as_str().unwrap();
            assert!(value == "passive" || Path::new(value).is_absolute(), "{name}: {value}");
        }
    }

    #[test]
    fn a_folder_without_sources_is_refused() {
        let error = Checkout::find(Some(&std::env::temp_dir())).unwrap_err().to_string();
        assert!(error.contains("holds no sources of Cithara") && error.contains("--cithara FOLDER"), "{error}");
    }
}
