//! The header of a plugin, read from its file without running anything of it.

use anyhow::{Context, Result, bail, ensure};
use framework::plugin::{HEADER_BYTES, Header, SYMBOL_PREFIX};
use object::read::{File, Object, ObjectSection, ObjectSymbol};
use std::path::Path;

/// Files above this are no plugins (bytes).
const MAX_BYTES: u64 = 4 << 30;

/// The symbol of a plugin's entry, and its header.
///
/// # Errors
/// When the file cannot be read, is no library of this system, or exports no plugin.
pub fn read_header(path: &Path) -> Result<(String, Header)> {
    let about = std::fs::metadata(path).context("it cannot be read")?;
    ensure!(about.is_file(), "it is no file");
    ensure!(about.len() <= MAX_BYTES, "it is larger than any plugin");
    let bytes = std::fs::read(path).context("it cannot be read")?;
    in_bytes(&bytes)
}

/// The same of the bytes of a file, whatever they are.
fn in_bytes(bytes: &[u8]) -> Result<(String, Header)> {
    let file = match File::parse(bytes) {
        Ok(file) => file,
        Err(error) => bail!(
            "it is no library ({error})\nhelp: name the compiled plugin, as `cithara plugins build` prints it at its end"
        ),
    };
    let mut found = Vec::new();
    for symbol in file.dynamic_symbols().filter(ObjectSymbol::is_definition) {
        // Mach-O puts an underscore before every name.
        let name = symbol.name().unwrap_or_default().trim_start_matches('_');
        if name.starts_with(SYMBOL_PREFIX) {
            let header = header_at(&file, symbol.address()).and_then(Header::parse);
            found.push((name.to_owned(), header.with_context(|| format!("its symbol `{name}` is damaged"))?));
        }
    }
    ensure!(
        found.len() < 2,
        "it exports more than one plugin: {}; compile each by itself",
        found.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    );
    found.pop().context(
        "it is a library, but no plugin: it exports no symbol `cithara_plugin_…`\nhelp: the crate's lib.rs must say \
         `framework::export_plugin!();`",
    )
}

/// The bytes at an address. Sections without bytes in the file, such as thread-local variables that start as zeros, have addresses
/// that may be those of others, so only a section that has the bytes counts.
fn header_at<'data>(file: &File<'data>, address: u64) -> Result<&'data [u8]> {
    let bytes_of =
        |section: object::Section<'data, '_>| section.data_range(address, HEADER_BYTES as u64).ok().flatten();
    file.sections().find_map(bytes_of).context("it points outside the file")
}

#[cfg(test)]
mod tests;
