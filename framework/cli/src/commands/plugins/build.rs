//! `cithara plugins build`: the loadable file of a crate of components, compiled to fit this program.

use super::checkout::{Checkout, flatten};
use crate::arguments::BuildPluginArguments;
use crate::commands::model::OfInput;
use crate::console::Console;
use crate::failure::Misuse;
use anyhow::{Context, Result, bail};
use registry::{ensure_same_fingerprint, read_header};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) fn execute(arguments: &BuildPluginArguments, console: &mut Console<'_>) -> Result<()> {
    let manifest = arguments.folder.join("Cargo.toml");
    if !manifest.is_file() {
        let text = format!("`{}` is no crate: it holds no Cargo.toml", arguments.folder.display());
        return Err(Misuse::new(text).help("make one with `cithara plugins new NAME`").into());
    }
    let checkout = Checkout::find(arguments.cithara.as_deref())?;
    let library = compile(&manifest, &checkout)?;
    let fits = read_header(&library).and_then(|(_, header)| ensure_same_fingerprint(&header).map(|()| header));
    let help = "the sources changed since this program was compiled: `cargo build` in the checkout, then build again";
    let header = fits.with_context(|| format!("`{}` was compiled, but does not fit ({help})", library.display()));
    let header = header.of_input()?;
    console.note(&format!("plugin {} {}, made for this program; use it with", header.name, header.version))?;
    console.note(&format!("[plugins]\nlibraries = [{}]", Value::String(library.display().to_string())))?;
    console.print(&library.display().to_string())
}

/// Compiles a crate as a library that can be loaded, with the checkout's profile and releases.
fn compile(manifest: &Path, checkout: &Checkout) -> Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let settings = checkout.settings()?;
    let mut profile = Vec::new();
    settings.get("profile").into_iter().for_each(|table| flatten("profile", table, &mut profile));
    for setting in profile {
        cargo.args(["--config", &setting]);
    }
    let variables = settings.get("env").and_then(toml::Value::as_table).into_iter().flatten();
    cargo.envs(variables.filter_map(|(name, value)| Some((name, value.as_str()?))));
    cargo.args(["rustc", "--lib", "--crate-type", "cdylib", "--message-format", "json-render-diagnostics"]);
    cargo.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(checkout.target());
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo.args(["--", "-C", "strip=symbols"]);
    for (name, _) in std::env::vars_os() {
        // Of a cargo that this program may run in; they would make the inner one build again what is built.
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
            cargo.env_remove(name);
        }
    }
    let output = cargo.stderr(Stdio::inherit()).output().context("cargo does not start; is Rust installed?")?;
    if !output.status.success() {
        return Err(Misuse::new("the plugin does not compile; see cargo's messages above").into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let library = messages.fold(None, |last, message| library_of(&message).or(last));
    let Some(library) = library else { bail!("cargo made no library; does the crate have a `src/lib.rs`?") };
    Ok(library)
}

/// The file of a message that a loadable library was made.
fn library_of(message: &Value) -> Option<PathBuf> {
    let kinds = message["target"]["crate_types"].as_array()?;
    let is_library = message["reason"] == "compiler-artifact" && kinds.iter().any(|kind| kind == "cdylib");
    let files = message["filenames"].as_array().filter(|_| is_library)?;
    files.iter().filter_map(Value::as_str).find(|file| file.ends_with(std::env::consts::DLL_SUFFIX)).map(PathBuf::from)
}
