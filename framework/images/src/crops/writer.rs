//! Writing a cache record by record.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::{NamedTempFile, TempPath};

use super::{Contents, END, START, START_BYTES, VERSION};

/// A cache that is being written beside the place where it will be; gone when dropped before [`Writer::finish`].
pub(crate) struct Writer {
    file: BufWriter<File>,
    temporary: TempPath,
    destination: PathBuf,
    record_bytes: usize,
    checksums: Vec<u8>,
}

impl Writer {
    /// Starts a cache whose records have that many bytes.
    pub(crate) fn create(destination: &Path, record_bytes: usize) -> Result<Self> {
        let folder = destination.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let failed = || format!("cannot write into the folder `{}`", folder.display());
        std::fs::create_dir_all(folder).with_context(failed)?;
        let (file, temporary) = draft(folder).with_context(failed)?.into_parts();
        let mut file = BufWriter::with_capacity(1 << 20, file);
        let mut start = START.to_vec();
        start.extend(VERSION.to_le_bytes());
        start.resize(START_BYTES as usize, 0);
        file.write_all(&start).with_context(failed)?;
        Ok(Self { file, temporary, destination: destination.to_owned(), record_bytes, checksums: Vec::new() })
    }

    /// Adds one record.
    pub(crate) fn push(&mut self, record: &[u8]) -> Result<()> {
        ensure!(record.len() == self.record_bytes, "a record has {} bytes, not {}", record.len(), self.record_bytes);
        self.checksums.extend(crc32fast::hash(record).to_le_bytes());
        let failed = || format!("cannot write `{}`; is the disk full?", self.destination.display());
        self.file.write_all(record).with_context(failed)
    }

    /// Writes the end, waits until everything is on disk, and gives the file its name.
    pub(crate) fn finish(mut self, contents: &Contents) -> Result<()> {
        let failed = || format!("cannot write `{}`; is the disk full?", self.destination.display());
        let json = serde_json::to_vec(contents)?;
        let mut hash = crc32fast::Hasher::new();
        hash.update(&self.checksums);
        hash.update(&json);
        let mut end = (json.len() as u64).to_le_bytes().to_vec();
        end.extend((self.checksums.len() as u64 / 4).to_le_bytes());
        end.extend(hash.finalize().to_le_bytes());
        end.extend(END);
        for part in [&self.checksums, &json, &end] {
            self.file.write_all(part).with_context(failed)?;
        }
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).with_context(failed)?;
        self.temporary
            .persist(&self.destination)
            .with_context(|| format!("cannot write `{}`", self.destination.display()))
    }
}

#[cfg(unix)]
fn draft(folder: &Path) -> std::io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let usual = std::fs::Permissions::from_mode(0o666);
    tempfile::Builder::new().prefix("crops.").suffix(".part").permissions(usual).tempfile_in(folder)
}

#[cfg(not(unix))]
fn draft(folder: &Path) -> std::io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix("crops.").suffix(".part").tempfile_in(folder)
}
