//! Files named by patterns with `*`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The files of the folders that were asked for, each listed once.
#[derive(Debug, Default)]
pub(super) struct Listing {
    folders: HashMap<PathBuf, Vec<String>>,
}

impl Listing {
    /// The path itself, or the only file that it matches where its last part has a `*`; the path itself where none does.
    ///
    /// # Errors
    /// If it matches several files.
    pub(super) fn only(&mut self, path: PathBuf) -> Result<PathBuf> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !name.contains('*') {
            return Ok(path);
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let names = self.folders.entry(folder.clone()).or_insert_with(|| names_in(&folder));
        let mut found = names.iter().filter(|candidate| matches(&name, candidate));
        let Some(first) = found.next() else { return Ok(path) };
        if let Some(second) = found.next() {
            let n_found = 2 + found.count();
            bail!("{n_found} files match `{name}`, as `{first}` and `{second}`; expected one: name it more closely");
        }
        Ok(folder.join(first))
    }
}

/// Names of the files of a folder, sorted; none where it cannot be listed.
fn names_in(folder: &Path) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

/// Whether a name is that of a pattern in which each `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("a-*-A.png", "a-13-A.png", true),
            ("a-*-A.png", "a--A.png", true),
            ("a-*-A.png", "a-A.png", false),
            ("a-*-A.png", "b-1-A.png", false),
            ("*", "x", true),
            ("*a*b*", "xxaxbx", true),
            ("*a*b*", "xxbxax", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn one_file_is_found_and_two_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["c1-01-A.png", "c1-02-B.png", "c1-03-B.png"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let mut listing = Listing::default();
        assert_eq!(listing.only(folder.path().join("c1-*-A.png")).unwrap(), folder.path().join("c1-01-A.png"));
        assert_eq!(listing.only(folder.path().join("c1-*-C.png")).unwrap(), folder.path().join("c1-*-C.png"));
        let error = listing.only(folder.path().join("c1-*-B.png")).unwrap_err().to_string();
        assert!(error.starts_with("2 files match `c1-*-B.png`, as `c1-02-B.png` and `c1-03-B.png`"), "{error}");
    }
}
