//! A folder of results: tables, pictures and numbers, each whole or not there.

use anyhow::{Context, Result};
use framework::run::{write_atomically, write_json};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A folder that results are written into.
#[derive(Debug)]
pub(crate) struct Results {
    folder: PathBuf,
    written: Vec<PathBuf>,
}

impl Results {
    /// Results in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn in_folder(folder: &Path) -> Result<Results> {
        std::fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
        Ok(Results { folder: folder.to_owned(), written: Vec::new() })
    }

    /// Writes a text or a picture.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn keep(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let path = self.folder.join(name);
        write_atomically(&path, bytes.as_ref())?;
        self.written.push(path);
        Ok(())
    }

    /// Writes all numbers as JSON, and tells what was written.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn end_with<T: Serialize>(mut self, name: &str, numbers: &T) -> Result<Vec<PathBuf>> {
        let path = self.folder.join(name);
        write_json(&path, numbers)?;
        self.written.push(path);
        Ok(self.written)
    }
}
