//! `provenance.json`: which program made the run, from what, where and when.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Where it was.
    pub path: String,
    /// Its size.
    pub n_bytes: u64,
    /// Hexadecimal SHA-256 of its bytes.
    pub sha256: String,
}

/// What a run came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// The command line.
    pub command: Vec<String>,
    /// Overrides of the spec, as given.
    pub overrides: Vec<String>,
    /// Hexadecimal SHA-256 of the resolved spec.
    pub spec_sha256: String,
    /// The data.
    pub data: Vec<FileDigest>,
    /// Seed of everything random.
    pub seed: u64,
    /// Device of the fit.
    pub device: String,
    /// Threads of the fit.
    pub n_threads: i32,
    /// Seconds since 1970 at the start.
    pub started_secs: u64,
    /// Seconds since 1970 at which the run was gone on with, after ends from outside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed_secs: Vec<u64>,
    /// Seconds that the fit took; `None` while it runs.
    pub fit_secs: Option<f64>,
    /// Seconds that all of `cithara run` took, evaluation included; `None` until it has ended.
    #[serde(default)]
    pub total_secs: Option<f64>,
    /// Most memory that the program held at a time until the model was learned; `None` until then, and where the system does not
    /// tell.
    #[serde(default)]
    pub peak_memory_bytes: Option<u64>,
    /// Components by role, name and the crate they come from.
    pub components: Vec<String>,
    /// Libraries that were loaded for some of them.
    #[serde(default)]
    pub plugins: Vec<FileDigest>,
}

/// Size and SHA-256 of a file.
///
/// # Errors
/// When it cannot be read.
pub fn digest_file(path: &Path) -> Result<FileDigest> {
    let read = || -> std::io::Result<(u64, String)> {
        let mut file = std::fs::File::open(path)?;
        let (mut hash, mut n_bytes) = (Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 20];
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                return Ok((n_bytes, format!("{:x}", hash.finalize())));
            }
            hash.update(&buffer[..n]);
            n_bytes += n as u64;
        }
    };
    let (n_bytes, sha256) = read().with_context(|| format!("`{}` cannot be read", path.display()))?;
    Ok(FileDigest { path: path.display().to_string(), n_bytes, sha256 })
}

/// Hexadecimal SHA-256 of a text.
pub fn digest_text(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}
