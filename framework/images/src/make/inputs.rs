//! What crops were made from, as hashes.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::spec::CellImagesSpec;

/// Changes when crops of the same spec and files come out differently.
const REVISION: u32 = 1;

/// SHA-256 of a spec, the content of its table, and the name, length and time of change of each file.
///
/// A file that is not there counts, too: as missing.
pub(super) fn files_sha256<'a>(
    spec: &CellImagesSpec,
    table: &Path,
    files: impl Iterator<Item = &'a Path>,
) -> Result<String> {
    let mut hash = start(spec, table)?;
    for path in files {
        hash.update(path.as_os_str().as_encoded_bytes());
        let Ok(facts) = path.metadata() else {
            hash.update(b"missing");
            continue;
        };
        hash.update(facts.len().to_le_bytes());
        let changed = facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        hash.update(changed.map_or(0, |since| since.as_nanos()).to_le_bytes());
    }
    Ok(hexadecimal(&hash.finalize()))
}

/// SHA-256 of a spec, the content of its table, and the content of every image that was used.
pub(super) struct Contents(Sha256);

impl Contents {
    pub(super) fn new(spec: &CellImagesSpec, table: &Path) -> Result<Self> {
        Ok(Self(start(spec, table)?))
    }

    /// Adds one field by the hash of its files.
    pub(super) fn add(&mut self, name: &str, sha256: &[u8]) {
        self.0.update(name.as_bytes());
        self.0.update(sha256);
    }

    pub(super) fn finish(self) -> String {
        hexadecimal(&self.0.finalize())
    }
}

fn start(spec: &CellImagesSpec, table: &Path) -> Result<Sha256> {
    let mut hash = Sha256::new();
    hash.update(REVISION.to_le_bytes());
    hash.update(serde_json::to_vec(spec)?);
    hash.update(sha256_of(&[table])?);
    Ok(hash)
}

/// SHA-256 of the contents of some files, each read in pieces.
pub(super) fn sha256_of(paths: &[&Path]) -> Result<Vec<u8>> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    for path in paths {
        let failed = || format!("cannot read `{}`", path.display());
        let mut file = File::open(path).with_context(failed)?;
        hash.update(file.metadata().with_context(failed)?.len().to_le_bytes());
        loop {
            let n_bytes = file.read(&mut piece).with_context(failed)?;
            if n_bytes == 0 {
                break;
            }
            hash.update(&piece[..n_bytes]);
        }
    }
    Ok(hash.finalize().to_vec())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
