//! `cithara plugins reference`: the reference of all components, as files.

use crate::console::Console;
use anyhow::{Context, Result, ensure};
use framework::component::Role;
use framework::run::write_atomically;
use registry::Catalogue;
use registry::reference::{MARK, Page, pages};
use std::path::{Component, Path, PathBuf};

/// Writes the pages of all components into a folder, and takes those of components that are no more out of it.
pub(super) fn write(catalogue: &Catalogue, folder: &Path, console: &mut Console<'_>) -> Result<()> {
    let pages = pages(catalogue);
    for page in &pages {
        write_page(folder, page)?;
    }
    let stale = stale(folder, &pages)?;
    for path in &stale {
        std::fs::remove_file(path).with_context(|| format!("`{}` cannot be removed", path.display()))?;
    }
    let removed = if stale.is_empty() { String::new() } else { format!("; removed {}", stale.len()) };
    console.note(&format!("wrote {} files to {}{removed}", pages.len(), folder.display()))
}

fn write_page(folder: &Path, page: &Page) -> Result<()> {
    let is_inside = Path::new(&page.path).components().all(|part| matches!(part, Component::Normal(_)));
    ensure!(is_inside, "no file can be called `{}`; rename that component", page.path);
    let path = folder.join(&page.path);
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above).with_context(|| format!("the folder `{}` cannot be made", above.display()))?;
    }
    write_atomically(&path, page.text.as_bytes())
}

/// Generated pages of components that the catalogue does not have; what nobody generated stays.
fn stale(folder: &Path, pages: &[Page]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for role in Role::ALL {
        let Ok(files) = std::fs::read_dir(folder.join(role.name())) else { continue };
        for file in files {
            let path = file.with_context(|| format!("`{}` cannot be listed", folder.display()))?.path();
            let is_current = pages.iter().any(|page| folder.join(&page.path) == path);
            if !is_current && std::fs::read_to_string(&path).is_ok_and(|text| text.starts_with(MARK)) {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}
