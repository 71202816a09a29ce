//! The header of a plugin: lines of text, readable from the file of a library without opening it.
//!
//! ```text
//! cithara plugin 1
//! name methylation
//! version 0.1.0
//! framework 0.1.0 3c5f0d6b8a7e1f42
//! rustc 1.95.0 (59807616e 2026-04-14)
//! target x86_64-unknown-linux-gnu
//! profile unwind assertions
//! layout 32 72 …
//! end
//! ```
//!
//! All lines from `framework` to `layout` are the *fingerprint*: the release of the framework with a hash of its sources, the
//! compiler, the platform, what is done about panics, and the sizes of types of other crates that cross.

use crate::component::{ComponentInfo, Problem};
use crate::minibatch::{Features, Target};
use crate::modality::{Defaults, Gathered};
use anyhow::{Context, Result, bail, ensure};
use std::fmt;

/// Bytes that a header takes, the rest of them 0.
pub const HEADER_BYTES: usize = 1024;

/// The first line of every header of this form.
const FIRST_LINE: &str = "cithara plugin 1";

/// The keys of a fingerprint, in order.
const FINGERPRINT: [&str; 5] = ["framework", "rustc", "target", "profile", "layout"];

const FRAMEWORK: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("CITHARA_SOURCES"));
const PROFILE: &str = match (cfg!(panic = "unwind"), cfg!(debug_assertions)) {
    (true, true) => "unwind assertions",
    (true, false) => "unwind",
    (false, true) => "abort assertions",
    (false, false) => "abort",
};

/// Types whose form other crates decide: their release, or features that somebody switched on.
const SIZES: [usize; 8] = [
    size_of::<toml::Value>(),
    size_of::<toml::Table>(),
    size_of::<serde_json::Value>(),
    size_of::<anyhow::Error>(),
    size_of::<Result<Features>>(),
    size_of::<Target>(),
    size_of::<Result<Gathered>>(),
    size_of::<(Problem, Defaults, ComponentInfo)>(),
];

/// The header of the program itself, without a plugin's name.
pub const OWN: [u8; HEADER_BYTES] = of("cithara", env!("CARGO_PKG_VERSION"));

/// The header of a crate that is compiled with this framework.
pub const fn of(name: &str, version: &str) -> [u8; HEADER_BYTES] {
    let mut writer = Writer { bytes: [0; HEADER_BYTES], at: 0 };
    writer = writer.text(FIRST_LINE).line("name", name).line("version", version).line("framework", FRAMEWORK);
    writer = writer.line("rustc", env!("CITHARA_RUSTC")).line("target", env!("CITHARA_TARGET"));
    writer = writer.line("profile", PROFILE).text("\nlayout");
    let mut place = 0;
    while place < SIZES.len() {
        writer = writer.text(" ").number(SIZES[place]);
        place += 1;
    }
    writer.text("\nend").bytes
}

/// Writes text while the crate is being compiled.
struct Writer {
    bytes: [u8; HEADER_BYTES],
    at: usize,
}

impl Writer {
    const fn text(mut self, text: &str) -> Writer {
        let text = text.as_bytes();
        let mut place = 0;
        while place < text.len() {
            assert!(self.at < HEADER_BYTES, "the header of the plugin is too long; give the crate a shorter name");
            self.bytes[self.at] = text[place];
            self.at += 1;
            place += 1;
        }
        self
    }

    const fn line(self, key: &str, value: &str) -> Writer {
        self.text("\n").text(key).text(" ").text(value)
    }

    const fn number(self, number: usize) -> Writer {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let writer = if number >= 10 { self.number(number / 10) } else { self };
        writer.text(DIGITS[number % 10])
    }
}

/// A header that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The crate's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What must be the same in program and plugin, as (key, value).
    pub fingerprint: Vec<(String, String)>,
}

impl Header {
    /// Reads the bytes of a header; any bytes may be given.
    ///
    /// # Errors
    /// When they are no header, or one of another form.
    pub fn parse(bytes: &[u8]) -> Result<Header> {
        let bytes = &bytes[..bytes.len().min(HEADER_BYTES)];
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let text = std::str::from_utf8(&bytes[..end]).context("the header of the plugin is not text")?;
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        if first != FIRST_LINE {
            let shown: String = first.chars().take(40).filter(|letter| !letter.is_control()).collect();
            bail!("the header of the plugin begins with `{shown}`, but this program reads `{FIRST_LINE}`");
        }
        let mut pairs = lines.map(|line| line.split_once(' ').unwrap_or((line, "")));
        let mut next = |wanted: &str| -> Result<String> {
            let (key, value) = pairs.next().unwrap_or_default();
            ensure!(key == wanted, "the header of the plugin lacks its line `{wanted}`");
            Ok(value.to_owned())
        };
        let (name, version) = (next("name")?, next("version")?);
        let mut fingerprint = Vec::new();
        for key in FINGERPRINT {
            fingerprint.push((key.to_owned(), next(key)?));
        }
        next("end")?;
        Ok(Header { name, version, fingerprint })
    }

    /// The header of this program.
    ///
    /// # Panics
    /// Never: it was written by this module.
    pub fn own() -> Header {
        Header::parse(&OWN).expect("the program's own header")
    }

    /// The keys of the fingerprint that differ from another's.
    pub fn differences(&self, other: &Header) -> Vec<&str> {
        let differ = self.fingerprint.iter().zip(&other.fingerprint).filter(|(own, other)| own != other);
        differ.map(|((key, _), _)| key.as_str()).collect()
    }
}

impl fmt::Display for Header {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.fingerprint.iter().map(|(key, value)| format!("{key:<9} {value}")).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_who_and_what_it_is_compiled_from() {
        let header = Header::parse(&of("methylation", "0.2.0")).unwrap();
        assert_eq!((header.name.as_str(), header.version.as_str()), ("methylation", "0.2.0"));
        assert_eq!(header.differences(&Header::own()), Vec::<&str>::new());
        assert!(header.to_string().contains("\nrustc     1."), "{header}");
        let sizes: Vec<usize> = header.fingerprint[4].1.split(' ').map(|size| size.parse().unwrap()).collect();
        assert_eq!(sizes, SIZES);
    }

    #[test]
    fn other_fingerprints_differ_by_name() {
        let text = String::from_utf8(OWN.to_vec()).unwrap();
        let other =
            Header::parse(text.replace("rustc ", "rustc 0.").replace("profile unwind", "profile abort").as_bytes());
        assert_eq!(other.unwrap().differences(&Header::own()), ["rustc", "profile"]);
    }

    #[test]
    fn no_bytes_are_too_odd() {
        let own = OWN.as_slice();
        let end = own.iter().position(|byte| *byte == 0).unwrap();
        for n in 0..end {
            assert!(Header::parse(&own[..n]).is_err(), "{n} bytes are a header");
        }
        for place in 0..end {
            for byte in [0, b'\n', b' ', 0xff] {
                let mut bytes = own.to_vec();
                bytes[place] = byte;
                // an error or a header of something else, never a panic
                if let Ok(header) = Header::parse(&bytes) {
                    assert!(header != Header::own() || own[place] == byte);
                }
            }
        }
        for bytes in [b"".as_slice(), b"cithara plugin 2\n", b"\x7fELF", &[0xff; 2000]] {
            assert!(Header::parse(bytes).is_err());
        }
    }
}
