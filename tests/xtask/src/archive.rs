//! Unpacks a wheel, or the part of one that was fetched.
//!
//! A wheel is a zip file. Its table of contents lies at its end, which a part does not hold, so the files are walked
//! one by one instead: each has a header of its own. That works as long as the headers state the sizes, and in the
//! wheels we take they do.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::Crc;
use flate2::read::DeflateDecoder;

const FILE_HEADER: [u8; 4] = *b"PK\x03\x04";
const TABLE_OF_CONTENTS: [u8; 4] = *b"PK\x01\x02";
const SIZES_FOLLOW: u16 = 1 << 3;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const SIZE_IS_ELSEWHERE: u64 = u32::MAX as u64;
const LONG_SIZES: u16 = 1;

/// What the header of one packed file states.
struct Header {
    name: String,
    method: u16,
    checksum: u32,
    n_packed_bytes: u64,
}

/// Unpacks the files for which `place` names a place below `folder`, and counts them.
///
/// # Errors
/// When the archive ends within a file, is packed in a way we do not read, or a file's checksum differs.
pub fn unpack(archive: &Path, folder: &Path, place: impl Fn(&str) -> Option<PathBuf>) -> Result<usize> {
    let file = File::open(archive).with_context(|| format!("`{}` cannot be read", archive.display()))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut n_unpacked = 0;
    while let Some(header) = next_header(&mut reader)? {
        let wanted = if header.name.ends_with('/') { None } else { place(&header.name) };
        match wanted {
            Some(path) => {
                unpack_one(&mut reader, &header, &inside(folder, &path)?)
                    .with_context(|| format!("`{}` cannot be unpacked from `{}`", header.name, archive.display()))?;
                n_unpacked += 1;
            }
            None => reader.seek_relative(i64::try_from(header.n_packed_bytes)?)?,
        }
    }
    Ok(n_unpacked)
}

/// Joins the two, unless that would leave the folder.
fn inside(folder: &Path, path: &Path) -> Result<PathBuf> {
    let stays = path.components().all(|part| matches!(part, Component::Normal(_)));
    ensure!(stays, "the archive names a file outside its folder: `{}`", path.display());
    Ok(folder.join(path))
}

/// Reads up to the next file's bytes; `None` after the last file.
fn next_header(reader: &mut impl Read) -> Result<Option<Header>> {
    let mut signature = Vec::with_capacity(4);
    reader.take(4).read_to_end(&mut signature)?;
    if signature.is_empty() || signature == TABLE_OF_CONTENTS {
        return Ok(None);
    }
    ensure!(signature == FILE_HEADER, "the archive is no zip file, or is damaged");
    let mut fixed = [0; 26];
    reader.read_exact(&mut fixed).context("the archive ends within a header")?;
    let mut name = vec![0; usize::from(two_bytes(&fixed, 22))];
    let mut extra = vec![0; usize::from(two_bytes(&fixed, 24))];
    reader.read_exact(&mut name).context("the archive ends within a header")?;
    reader.read_exact(&mut extra).context("the archive ends within a header")?;

    let name = String::from_utf8(name).context("the archive holds a name that is not text")?;
    ensure!(two_bytes(&fixed, 2) & SIZES_FOLLOW == 0, "the archive states the size of `{name}` after its bytes");
    let n_packed_bytes = match u64::from(four_bytes(&fixed, 14)) {
        SIZE_IS_ELSEWHERE => {
            long_packed_size(&extra).with_context(|| format!("the archive states no size of `{name}`"))?
        }
        size => size,
    };
    Ok(Some(Header { name, method: two_bytes(&fixed, 4), checksum: four_bytes(&fixed, 10), n_packed_bytes }))
}

/// The packed size in the extra field of a large file: a list of (kind, length, bytes).
fn long_packed_size(mut extra: &[u8]) -> Option<u64> {
    while extra.len() >= 4 {
        let (kind, length) = (two_bytes(extra, 0), usize::from(two_bytes(extra, 2)));
        let value = extra.get(4..4 + length)?;
        if kind == LONG_SIZES {
            return Some(u64::from_le_bytes(value.get(8..16)?.try_into().ok()?));
        }
        extra = &extra[4 + length..];
    }
    None
}

fn unpack_one(reader: &mut impl Read, header: &Header, path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut target = Checked { file: File::create(path)?, crc: Crc::new() };
    let mut packed = reader.take(header.n_packed_bytes);
    match header.method {
        STORED => io::copy(&mut packed, &mut target)?,
        DEFLATED => io::copy(&mut DeflateDecoder::new(&mut packed), &mut target)?,
        other => bail!("it is packed by method {other}; only stored and deflated files are read"),
    };
    // The decoder stops at the end of its stream; whatever it left belongs to this file still.
    io::copy(&mut packed, &mut io::sink())?;
    ensure!(packed.limit() == 0, "the archive ends within it");
    ensure!(target.crc.sum() == header.checksum, "its checksum differs");
    Ok(())
}

/// A file that remembers the checksum of what was written.
struct Checked {
    file: File,
    crc: Crc,
}

impl Write for Checked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_written = self.file.write(bytes)?;
        self.crc.update(&bytes[..n_written]);
        Ok(n_written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn two_bytes(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn four_bytes(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// A file as a zip file holds it, with a checksum that may be wrong.
    fn packed(name: &str, content: &[u8], checksum_error: u32) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        let body = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(content);
        let mut bytes = FILE_HEADER.to_vec();
        for field in [20, 0, DEFLATED, 0, 0] {
            bytes.extend(u16::to_le_bytes(field));
        }
        for field in [crc.sum() + checksum_error, body.len() as u32, content.len() as u32] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend(0u16.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(body);
        bytes
    }

    fn unpacked(bytes: &[u8], folder: &Path) -> Result<usize> {
        let archive = folder.join("archive");
        fs::write(&archive, bytes)?;
        unpack(&archive, folder, |name| name.strip_prefix("torch/").map(PathBuf::from))
    }

    #[test]
    fn wanted_files_are_unpacked_and_others_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let long = vec![7; 3_000_000];
        let mut bytes = packed("other/a", b"not wanted", 0);
        bytes.extend(packed("torch/lib/b", &long, 0));
        bytes.extend(packed("torch/c", b"short", 0));
        bytes.extend(b"PK\x01\x02 the table of contents");
        assert_eq!(unpacked(&bytes, folder.path()).unwrap(), 2);
        assert_eq!(fs::read(folder.path().join("lib/b")).unwrap(), long);
        assert_eq!(fs::read(folder.path().join("c")).unwrap(), b"short");
        assert!(!folder.path().join("a").exists());
    }

    #[test]
    fn damaged_archives_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let whole = packed("torch/lib/b", &[3; 1000], 0);
        for length in [2, 10, 35, whole.len() - 1] {
            assert!(unpacked(&whole[..length], folder.path()).is_err(), "{length} bytes of {}", whole.len());
        }
        let error = unpacked(&packed("torch/b", b"text", 1), folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains("checksum"), "{error:#}");
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["torch/../../b", "torch//b"] {
            let error = unpacked(&packed(name, b"text", 0), folder.path()).unwrap_err();
            assert!(error.to_string().contains("outside"), "{error:#}");
        }
    }
}
