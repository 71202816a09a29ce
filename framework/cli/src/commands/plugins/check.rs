//! `cithara plugins check`: what a library says of itself, and whether this program can load it.

use crate::commands::model::OfInput;
use crate::console::Console;
use anyhow::{Context, Result};
use registry::{Catalogue, ensure_same_fingerprint, read_header};
use std::path::Path;

/// The header is printed whenever there is one; the components only where the library can be loaded, for only the library
/// itself can list them.
pub(super) fn execute(path: &Path, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let context = || format!("the plugin `{}` cannot be loaded", path.display());
    let (symbol, header) = read_header(path).with_context(context).of_input()?;
    console.print(&format!("plugin    {} {}", header.name, header.version))?;
    console.print(&format!("symbol    {symbol}\n{header}"))?;
    ensure_same_fingerprint(&header).with_context(context).of_input()?;
    let mut catalogue = catalogue.clone();
    let library = catalogue.load(path).of_input()?;
    console.print("it loads; it declares")?;
    let mut components = library.components.clone();
    components.sort_by_key(|info| (info.role, info.name));
    for info in components {
        console.print(&format!("  {} {}: {}", info.role, info.name, info.summary))?;
    }
    Ok(())
}
