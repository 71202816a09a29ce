//! `[plugins]` of a spec: its libraries are loaded before anything else of it is read.

use crate::document::Node;
use crate::sections::{Reader, Site};
use framework::spec::PluginsSpec;
use std::path::{Path, PathBuf};
use toml::Table;

/// Loads the spec's libraries into the reader's catalogue; all that it then has are those of the resolved spec.
///
/// A library that was loaded already stands for one of the same file name in the spec: so a run whose plugin has moved is
/// opened with `--plugin`. `None`, with the errors, where one cannot be loaded: every later error might follow from it.
pub(crate) fn read(reader: &mut Reader, root: &Node, folder: &Path) -> Option<PluginsSpec> {
    let nothing = Node::empty_table();
    let site = Site { node: root.get("plugins").unwrap_or(&nothing), path: "plugins" };
    let spec: PluginsSpec = reader.section(site, Table::new())?;
    let mut failed = false;
    for (place, path) in spec.libraries.iter().enumerate() {
        let known = reader.catalogue.libraries().iter().any(|library| library.path.file_name() == path.file_name());
        if known {
            continue;
        }
        if let Err(error) = reader.catalogue.load(&folder.join(path)) {
            failed = true;
            let text = format!("{error:#}");
            let (message, help) = text.split_once("\nhelp: ").map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
            reader.push(site, &format!("libraries[{place}]"), message, help.map(str::to_owned));
        }
    }
    let libraries: Vec<PathBuf> = reader.catalogue.libraries().iter().map(|library| library.path.clone()).collect();
    (!failed).then_some(PluginsSpec { libraries })
}
