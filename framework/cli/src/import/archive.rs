//! The zip archive of a PyTorch checkpoint: one pickled description and a file of bytes per storage.

use anyhow::{Context, Result, bail, ensure};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// The most bytes of a description of tensors; those of large models have some hundred thousand.
const MAX_DESCRIPTION_BYTES: u64 = 64 << 20;

/// An opened checkpoint.
#[derive(Debug)]
pub struct Archive {
    zip: ZipArchive<BufReader<File>>,
    /// The folder inside that holds everything, with its `/`.
    folder: String,
}

impl Archive {
    /// Opens a checkpoint as `torch.save` writes it since PyTorch 1.6.
    ///
    /// # Errors
    /// When the file is no such checkpoint, or its numbers are big-endian.
    pub fn open(path: &Path) -> Result<Archive> {
        let file = File::open(path).context("it cannot be opened")?;
        let zip = ZipArchive::new(BufReader::new(file)).context(
            "it is not a zip archive, as `torch.save` writes since PyTorch 1.6; load an older checkpoint there, and save it \
             again",
        )?;
        let names: Vec<String> = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        let folder_of = |name: &String| Some(name.strip_suffix("data.pkl")?.to_owned());
        let folders: Vec<String> = names.iter().filter_map(folder_of).filter(|folder| folder.ends_with('/')).collect();
        let [folder] = folders.as_slice() else {
            bail!("it is a zip archive with {} files `data.pkl`, but a checkpoint has one", folders.len());
        };
        let folder = folder.clone();
        let mut archive = Archive { zip, folder };
        if let Some(order) = archive.find("byteorder", 16)? {
            ensure!(order == b"little", "its numbers are not little-endian; save it again on another machine");
        }
        Ok(archive)
    }

    /// The pickled description of the tensors.
    ///
    /// # Errors
    /// When it cannot be read or is absurdly large.
    pub fn description(&mut self) -> Result<Vec<u8>> {
        self.find("data.pkl", MAX_DESCRIPTION_BYTES)?.context("it lacks `data.pkl`")
    }

    /// The bytes of a storage, exactly so many.
    ///
    /// # Errors
    /// When there is no such storage or it has another size.
    pub fn storage(&mut self, key: &str, n_bytes: u64) -> Result<Vec<u8>> {
        let name = format!("data/{key}");
        let bytes = self.find(&name, n_bytes)?.with_context(|| format!("it lacks the numbers `{name}`"))?;
        ensure!(
            bytes.len() as u64 == n_bytes,
            "`{name}` holds {} bytes, but {n_bytes} were expected; the file is damaged",
            bytes.len()
        );
        Ok(bytes)
    }

    /// The bytes of a file of the archive, refused where they are more than `most`; `None` where there is none.
    fn find(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let whole = format!("{}{name}", self.folder);
        let file = match self.zip.by_name(&whole) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("`{name}` cannot be read")),
        };
        let mut bytes = Vec::new();
        file.take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .with_context(|| format!("`{name}` cannot be read"))?;
        ensure!(bytes.len() as u64 <= most, "`{name}` holds more than {most} bytes; the file is damaged");
        Ok(Some(bytes))
    }
}
