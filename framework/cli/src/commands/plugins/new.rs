//! `cithara plugins new`: a complete crate of an assay, which builds and passes its tests as it is.

use super::checkout::Checkout;
use crate::arguments::NewPluginArguments;
use crate::commands::model::OfInput;
use crate::console::Console;
use crate::failure::Misuse;
use anyhow::{Context, Result};
use framework::run::write_atomically;
use registry::Catalogue;
use std::path::{Component, Path, PathBuf};

/// The files of a new crate, with names in `{{…}}`.
const FILES: [(&str, &str); 12] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.txt")),
    (".cargo/config.toml", include_str!("template/cargo_config.toml.txt")),
    (".gitignore", include_str!("template/gitignore.txt")),
    (".github/workflows/test.yml", include_str!("template/ci.yml.txt")),
    ("README.md", include_str!("template/README.md.txt")),
    ("example.toml", include_str!("template/example.toml.txt")),
    ("src/lib.rs", include_str!("template/lib.rs.txt")),
    ("src/modality.rs", include_str!("template/modality.rs.txt")),
    ("src/decoder.rs", include_str!("template/decoder.rs.txt")),
    ("src/loss.rs", include_str!("template/loss.rs.txt")),
    ("tests/conformance.rs", include_str!("template/conformance.rs.txt")),
    ("tests/parity.rs", include_str!("template/parity.rs.txt")),
];

pub(super) fn execute(arguments: &NewPluginArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let name = arguments.name.as_str();
    check_name(name, catalogue)?;
    let checkout = Checkout::find(arguments.cithara.as_deref())?;
    let folder = arguments.folder.clone().unwrap_or_else(|| PathBuf::from(name));
    let is_free = !folder.exists() || folder.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if !is_free {
        let text = format!("`{}` exists already", folder.display());
        return Err(Misuse::new(text).help("choose another folder with `--folder`").into());
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("`{}` cannot be made", folder.display())).of_input()?;
    let folder = folder.canonicalize()?;
    for (path, text) in FILES {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(&folder))?;
        write_atomically(&file, filled(text, name, &folder, &checkout)?.as_bytes())?;
    }
    let lock = std::fs::read(checkout.lock_file()).context("the checkout has no Cargo.lock")?;
    write_atomically(&folder.join("Cargo.lock"), &lock)?;
    console.print(&format!("made the plugin `{name}` in {}", folder.display()))?;
    console.note(&format!(
        "next: `cd {0}`, `cargo test`, `cithara plugins build .`; then make src/ your own",
        folder.display()
    ))
}

/// Refuses names that cargo or a spec could not use, or that are taken.
fn check_name(name: &str, catalogue: &Catalogue) -> Result<()> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(plain);
    if !is_plain {
        let text = format!("`{name}` cannot name an assay");
        return Err(Misuse::new(text)
            .help("use lower-case letters, digits and `_`, a letter first: `methylation`")
            .into());
    }
    const TAKEN: [&str; 5] = ["test", "std", "core", "framework", "cli"];
    let parts = [name.to_owned(), format!("{name}_decoder"), format!("{name}_loss")];
    if TAKEN.contains(&name) || catalogue.iter().any(|info| parts.iter().any(|part| part == info.name)) {
        return Err(Misuse::new(format!("the name `{name}` is taken")).help("see `cithara plugins list`").into());
    }
    Ok(())
}

/// A file of the template with everything filled in.
fn filled(text: &str, name: &str, folder: &Path, checkout: &Checkout) -> Result<String> {
    let quoted = |path: PathBuf| toml::Value::String(path.display().to_string()).to_string();
    let library = checkout.target().join("debug").join(library_name(name));
    let settings = toml::to_string(&checkout.settings()?)?;
    let filled = text
        .replace("{{name}}", name)
        .replace("{{Name}}", &camel_case(name))
        .replace("{{framework}}", &quoted(relative(folder, &checkout.framework())))
        .replace("{{target}}", &quoted(checkout.target()))
        .replace("{{settings}}", &settings)
        .replace("{{library}}", &library.display().to_string());
    Ok(filled)
}

/// What the system calls the library of a crate.
fn library_name(name: &str) -> String {
    format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// `cell_shape` as `CellShape`.
fn camel_case(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').filter(|part| !part.is_empty()).map(word).collect()
}

/// A path from a folder to another, so that both can be moved together; as it is where they have only `/` in common.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from_parts, to_parts): (Vec<Component<'_>>, Vec<_>) = (from.components().collect(), to.components().collect());
    let n_common = from_parts.iter().zip(&to_parts).take_while(|(from, to)| from == to).count();
    if n_common < 2 {
        return to.to_owned();
    }
    let up = from_parts[n_common..].iter().map(|_| Component::ParentDir);
    up.chain(to_parts[n_common..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_one_folder_to_the_other() {
        let relative = |from: &str, to: &str| relative(Path::new(from), Path::new(to)).display().to_string();
        assert_eq!(relative("/home/me/methylation", "/home/me/cithara/framework"), "../cithara/framework");
        assert_eq!(relative("/home/me/a/b", "/home/me/a"), "..");
        assert_eq!(relative("/data/plugin", "/home/me/cithara"), "/home/me/cithara");
    }

    #[test]
    fn names_become_names_of_types() {
        assert_eq!(
            (camel_case("methylation"), camel_case("cell_shape_2")),
            ("Methylation".into(), "CellShape2".into())
        );
    }

    #[test]
    fn every_placeholder_is_filled() {
        let checkout = Checkout::find(None).unwrap();
        for (path, text) in FILES {
            let text = filled(text, "cell_shape", Path::new("/home/me/cell_shape"), &checkout).unwrap();
            // GitHub's own placeholders have a dollar before them.
            assert!(!text.replace("${{", "").contains("{{"), "{path}: {text}");
        }
    }

    #[test]
    fn names_that_cannot_be_used_are_refused() {
        let catalogue = Catalogue::linked().unwrap();
        for name in ["", "Methylation", "2d", "a-b", "rna", "framework", "é"] {
            assert!(check_name(name, &catalogue).is_err(), "{name}");
        }
        assert!(check_name("methylation", &catalogue).is_ok());
    }
}
