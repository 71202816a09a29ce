//! Gets wheels, or only the part of one that is needed.
//!
//! Where wheels lie is pip's business: it is asked, and answers with an address, a mirror's or a folder's as the user
//! has set it up. A part is a byte range with a checksum. Whatever goes wrong with a part, the whole wheel is fetched
//! by pip instead, which checks it against what its index states.

use std::env;
use std::fs::{self, File};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Names a folder of wheels that is used instead of the network.
const WHEELS_VARIABLE: &str = "CITHARA_WHEELS";

/// A wheel: a requirement as pip reads it, and the systems it is for (none: this one, for this `python3`).
pub struct Wheel {
    pub requirement: &'static str,
    pub platforms: &'static [&'static str],
}

/// The bytes of a wheel that hold all we need of it.
pub struct Part {
    pub first: u64,
    pub last: u64,
    pub sha256: &'static str,
}

impl Wheel {
    /// Fetches the part into `folder`, or the whole wheel where that fails; either can be unpacked.
    pub fn fetch_part(&self, part: &Part, folder: &Path) -> Result<PathBuf> {
        self.try_part(part, folder).or_else(|error| {
            eprintln!("fetching all of `{}`, since its part could not be had: {error:#}", self.requirement);
            self.fetch(folder)
        })
    }

    /// Fetches the whole wheel into `folder`.
    pub fn fetch(&self, folder: &Path) -> Result<PathBuf> {
        let mine = folder.join(self.name());
        let mut pip = self.pip("download");
        pip.arg("--dest").arg(&mine).arg(self.requirement).stdout(Stdio::null());
        if io::stderr().is_terminal() {
            // pip draws its progress on its standard output.
            pip.stdout(io::stderr());
        }
        let status = pip.status().context("python3 does not start")?;
        ensure!(status.success(), self.not_found());
        let wheel = fs::read_dir(&mine)?.next().context("pip has left no file")??;
        Ok(wheel.path())
    }

    fn try_part(&self, part: &Part, folder: &Path) -> Result<PathBuf> {
        let address = self.address()?;
        let target = folder.join(format!("{}.part", self.name()));
        let n_bytes = part.last - part.first + 1;
        let mut curl = Command::new("curl");
        curl.args(["--fail", "--location", "--show-error", "--retry", "2", "--connect-timeout", "30"]);
        curl.arg(if io::stderr().is_terminal() && n_bytes > 10_000_000 { "--progress-bar" } else { "--silent" });
        // A server that does not know ranges would send everything.
        curl.args(["--max-filesize", &n_bytes.to_string()]);
        curl.args(["--range", &format!("{}-{}", part.first, part.last)]);
        let status = curl.arg("--output").arg(&target).arg(address).status().context("curl does not start")?;
        ensure!(status.success(), "curl stopped with {status}");
        let found = sha256(&target)?;
        ensure!(found == part.sha256, "its bytes are not the ones expected (sha256 {found})");
        Ok(target)
    }

    /// Asks pip where the wheel lies.
    fn address(&self) -> Result<String> {
        let mut pip = self.pip("install");
        pip.args(["--dry-run", "--ignore-installed", "--report", "-", "--target", "."]).arg(self.requirement);
        let answer = pip.output().context("python3 does not start")?;
        let complaint = String::from_utf8_lossy(&answer.stderr);
        let complaint = complaint.lines().last().unwrap_or("without a word");
        ensure!(answer.status.success(), "pip does not say where it lies: {complaint}");
        let report: Value = serde_json::from_slice(&answer.stdout).context("pip's report is not JSON")?;
        let address = report["install"][0]["download_info"]["url"].as_str();
        address.map(str::to_string).context("pip's report names no address")
    }

    fn pip(&self, command: &str) -> Command {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", command, "--disable-pip-version-check", "--no-input", "--no-deps"]);
        pip.arg("--only-binary=:all:");
        if !io::stderr().is_terminal() || command == "install" {
            pip.arg("--quiet");
        }
        if !self.platforms.is_empty() {
            pip.args(["--python-version", "311", "--implementation", "cp"]);
            pip.args(self.platforms.iter().flat_map(|platform| ["--platform", platform]));
        }
        if let Some(folder) = env::var_os(WHEELS_VARIABLE) {
            pip.arg("--no-index").arg("--find-links").arg(folder);
        }
        pip
    }

    fn name(&self) -> &str {
        self.requirement.split(['=', '>', '<']).next().unwrap_or(self.requirement)
    }

    fn not_found(&self) -> String {
        let requirement = self.requirement;
        match env::var_os(WHEELS_VARIABLE) {
            Some(folder) => format!(
                "`{requirement}` could not be taken from `{WHEELS_VARIABLE}={}`\n\
                 help: put its wheel there, or unset the variable to download it",
                Path::new(&folder).display()
            ),
            None => format!(
                "`{requirement}` could not be downloaded: see pip's message above\n\
                 help: without a network, set {WHEELS_VARIABLE} to a folder that holds its wheel"
            ),
        }
    }
}

fn sha256(path: &Path) -> Result<String> {
    let mut digest = Sha256::new();
    let mut file = File::open(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    if io::copy(&mut file, &mut digest)? == 0 {
        bail!("nothing arrived");
    }
    Ok(format!("{:x}", digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let (full, empty) = (folder.path().join("full"), folder.path().join("empty"));
        fs::write(&full, "abc").unwrap();
        fs::write(&empty, "").unwrap();
        // The example of FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&full).unwrap(), expected);
        assert!(sha256(&empty).is_err());
    }

    #[test]
    fn names_are_without_versions() {
        for (requirement, name) in [("torch==2.11.0", "torch"), ("cmake>=3.26,<5", "cmake"), ("cmake", "cmake")] {
            assert_eq!(Wheel { requirement, platforms: &[] }.name(), name);
        }
    }
}
