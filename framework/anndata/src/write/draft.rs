//! A file that takes its final name only when it is whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use tempfile::{NamedTempFile, TempPath};

/// A temporary file beside its destination; removed when dropped before [`Draft::keep`].
pub(crate) struct Draft {
    temporary: TempPath,
    destination: PathBuf,
}

impl Draft {
    /// An empty temporary file in the folder of the destination.
    pub(crate) fn beside(destination: &Path) -> Result<Self> {
        let folder = folder_of(destination);
        let name =
            destination.file_name().ok_or_else(|| anyhow!("`{}` is not the name of a file", destination.display()))?;
        let mut prefix = name.to_os_string();
        prefix.push(".");
        let created =
            with_usual_permissions(tempfile::Builder::new().prefix(&prefix).suffix(".part")).tempfile_in(folder);
        let file: NamedTempFile =
            created.with_context(|| format!("cannot write into the folder `{}`", folder.display()))?;
        Ok(Self { temporary: file.into_temp_path(), destination: destination.to_owned() })
    }

    /// A temporary file with the content of `source`.
    pub(crate) fn copy_of(source: &Path, destination: &Path) -> Result<Self> {
        let mut from = File::open(source).with_context(|| format!("cannot open `{}`", source.display()))?;
        let draft = Self::beside(destination)?;
        let mut to = File::options().write(true).open(&draft.temporary)?;
        std::io::copy(&mut from, &mut to).with_context(|| {
            format!("cannot copy `{}` beside `{}`; is the disk full?", source.display(), destination.display())
        })?;
        Ok(draft)
    }

    /// Where to write for now.
    pub(crate) fn path(&self) -> &Path {
        &self.temporary
    }

    /// Makes sure that the content is on disk, then gives the file its final name, replacing a file of that name.
    /// A replaced file hands on its permissions.
    pub(crate) fn keep(self) -> Result<()> {
        let failed = || format!("cannot write `{}`", self.destination.display());
        if let Ok(replaced) = fs::metadata(&self.destination) {
            fs::set_permissions(&self.temporary, replaced.permissions()).with_context(failed)?;
        }
        File::open(&self.temporary).and_then(|file| file.sync_all()).with_context(failed)?;
        let folder = folder_of(&self.destination).to_owned();
        let message = failed();
        self.temporary.persist(&self.destination).context(message)?;
        // not every file system lets a folder be synchronised; the file itself is safe
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn with_usual_permissions<'a, 'b, 'c>(builder: &'c mut tempfile::Builder<'a, 'b>) -> &'c mut tempfile::Builder<'a, 'b> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn with_usual_permissions<'a, 'b, 'c>(builder: &'c mut tempfile::Builder<'a, 'b>) -> &'c mut tempfile::Builder<'a, 'b> {
    builder
}
