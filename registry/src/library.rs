//! Libraries of components that are loaded while the program runs.
//!
//! Loading is running code: a library can do whatever the program can. So only libraries that somebody named are opened,
//! and none before its header, read from the file as plain bytes, says that the same compiler made it from the same
//! framework. This is the only place that opens one. Libraries stay open for ever: components, messages and threads of
//! theirs may outlive any value that could close them.

mod file;

pub use file::read_header;

use crate::suggest::alternatives;
use anyhow::{Context, Result, bail, ensure};
use framework::ComponentInfo;
use framework::plugin::{Entry, Header, Host, LogLine};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A library that was loaded.
#[derive(Debug)]
pub struct Library {
    /// The file, as an absolute path without links.
    pub path: PathBuf,
    /// What it says of itself.
    pub header: Header,
    /// What it declares.
    pub components: Vec<&'static ComponentInfo>,
}

/// The libraries of this process: opening one twice would give the same components.
static LOADED: Mutex<BTreeMap<PathBuf, &'static Library>> = Mutex::new(BTreeMap::new());

/// Loads a library, once per process.
///
/// # Errors
/// When there is no such file, it is no plugin, it was compiled from something else (both fingerprints are in the
/// message), it lacks a library of its own, or it declares nothing.
pub fn load(path: &Path) -> Result<&'static Library> {
    let known = std::fs::canonicalize(path);
    let path = known.with_context(|| format!("the plugin `{}` cannot be read", path.display()))?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = loaded.get(&path) {
        return Ok(library);
    }
    let library = open(&path).with_context(|| format!("the plugin `{}` cannot be loaded", path.display()))?;
    let library: &'static Library = Box::leak(Box::new(library));
    loaded.insert(path, library);
    Ok(library)
}

/// Says what differs between this program and a plugin.
///
/// # Errors
/// When anything does: both fingerprints, and what to do.
pub fn ensure_same_fingerprint(header: &Header) -> Result<()> {
    let own = Header::own();
    let differing = header.differences(&own);
    ensure!(
        differing.is_empty(),
        "it was compiled for another program: {} differ{}\nplugin `{}` {}\n{}\nthis program\n{}\nhelp: compile it \
         again with `cithara plugins build FOLDER_OF_THE_PLUGIN`",
        alternatives(&differing).replace(" or ", " and "),
        if differing.len() == 1 { "s" } else { "" },
        header.name,
        header.version,
        indented(header),
        indented(&own),
    );
    Ok(())
}

fn indented(header: &Header) -> String {
    header.to_string().lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[allow(unsafe_code)]
fn open(path: &Path) -> Result<Library> {
    let (symbol, header) = read_header(path)?;
    ensure_same_fingerprint(&header)?;
    // SAFETY: opening runs the library's initialisers. Somebody named this library, and its header says that it is a
    // plugin compiled by this program's compiler from this program's framework, which is what those need.
    let opened = unsafe { libloading::Library::new(path) };
    let opened = opened.context("the system does not open it")?;
    // SAFETY: `export_plugin!` gives symbols of this name this type; the form of the type is C's, and the framework that
    // defines it is the same.
    let entry: &'static Entry = unsafe { *opened.get::<&'static Entry>(symbol.as_bytes())? };
    // Never closed: see above.
    std::mem::forget(opened);
    ensure!(Header::parse(&entry.header)? == header, "the file changed while it was opened; try again");
    let host = Host { log, max_level: framework::log::max_level() };
    let components = (entry.start)(&host).components;
    if components.is_empty() {
        bail!("it declares no component; does its crate `{}` use `component!`?", header.name);
    }
    Ok(Library { path: path.to_owned(), header, components })
}

/// Takes a log line of a library.
fn log(line: &LogLine<'_>) {
    framework::log::log!(target: line.target, line.level, "{}", line.message);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_fingerprint_is_told_with_both() {
        let mut header = Header::own();
        assert!(ensure_same_fingerprint(&header).is_ok());
        for (place, value) in [(1, "1.80.0 (051478957 2024-07-21)"), (3, "abort")] {
            value.clone_into(&mut header.fingerprint[place].1);
        }
        let text = ensure_same_fingerprint(&header).unwrap_err().to_string();
        assert!(text.starts_with("it was compiled for another program: `rustc` and `profile` differ\n"), "{text}");
        assert!(text.contains("  rustc     1.80.0 (051478957 2024-07-21)\n"), "{text}");
        assert!(text.contains("cithara plugins build"), "{text}");
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let text = format!("{:#}", load(Path::new("no/such/libplugin.so")).unwrap_err());
        assert!(text.starts_with("the plugin `no/such/libplugin.so` cannot be read: "), "{text}");
    }
}
