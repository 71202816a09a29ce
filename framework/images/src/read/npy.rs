//! Arrays of NumPy: the header of a `.npy`, its values, and the entries of a `.npz`.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use half::f16;
use zip::ZipArchive;

use super::{Format, Wanted, open, whole};
use crate::nearest;
use crate::plane::{Pixels, Plane};

/// The longest header that is read, in bytes.
const LONGEST_HEADER: usize = 1 << 20;

/// What one value of an array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ValueKind {
    letter: char,
    n_bytes: usize,
    big_endian: bool,
}

/// What the header of a `.npy` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) shape: Vec<usize>,
    pub(super) kind: ValueKind,
}

/// The planes of an array H×W or C×H×W; of a `.npz` that holds one array.
pub(super) fn read_planes(path: &Path, format: Format, wanted: Wanted<'_>) -> Result<Vec<Plane>> {
    with_array(path, format, None, |reader| {
        let header = read_header(reader)?;
        let (n_planes, height, width) = match header.shape[..] {
            [height, width] => (1, height, width),
            [n_planes, height, width] => (n_planes, height, width),
            _ => bail!("it holds an array of shape {:?}; expected H×W or C×H×W", header.shape),
        };
        let mut found = Vec::new();
        for place in 0..n_planes {
            let plane = read_plane(reader, (height, width), header.kind)?;
            found.extend(wanted.any(place..place + 1).then_some((place, plane)));
        }
        wanted.choose(found, n_planes)
    })
}

/// Hands the bytes of an array, its header first, to `read`: the file itself, or the named (else the only) entry.
pub(super) fn with_array<T>(
    path: &Path,
    format: Format,
    entry: Option<&str>,
    read: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    if format == Format::Npy {
        ensure!(entry.is_none(), "it is one array; leave out the name of an entry, that is for .npz");
        return read(&mut open(path)?);
    }
    ensure!(format == Format::Npz, "expected .npy or .npz");
    let mut archive = ZipArchive::new(open(path)?).context("the .npz is damaged or cut short")?;
    let stem = |name: std::borrow::Cow<'_, str>| name.trim_end_matches(".npy").to_owned();
    let names: Result<Vec<String>, _> = archive.file_names().map(|name| name.map(stem)).collect();
    let names = names.context("the .npz is damaged")?;
    let place = match (entry, names.len()) {
        (None, 1) => 0,
        (None, _) => bail!("it holds {} arrays ({}); say which one is meant", names.len(), names.join(", ")),
        (Some(entry), _) => names
            .iter()
            .position(|name| name == entry)
            .ok_or_else(|| anyhow!(nearest::unknown("array", entry, &names)))?,
    };
    read(&mut archive.by_index(place).context("the .npz is damaged")?)
}

/// One plane of values, the next in the file.
pub(super) fn read_plane(reader: &mut dyn Read, size: (usize, usize), kind: ValueKind) -> Result<Plane> {
    let n_bytes = size.0.checked_mul(size.1).and_then(|n| n.checked_mul(kind.n_bytes));
    let n_bytes = n_bytes.ok_or_else(|| anyhow!("an image of {} × {} is too large", size.0, size.1))?;
    let mut bytes = Vec::new();
    reader.take(n_bytes as u64).read_to_end(&mut bytes).context("the array is damaged")?;
    ensure!(bytes.len() == n_bytes, "the array is cut short: {} of the {n_bytes} bytes of an image", bytes.len());
    Plane::new(size.0, size.1, kind.pixels(&bytes)?)
}

impl ValueKind {
    fn parse(text: &str) -> Result<Self> {
        let refused =
            || anyhow!("its values are `{text}`; expected whole or real numbers, as uint8, uint16 or float32");
        let (order, rest) = text.split_at_checked(1).ok_or_else(refused)?;
        let (letter, n_bytes) = rest.split_at_checked(1).ok_or_else(refused)?;
        let letter = letter.chars().next().ok_or_else(refused)?;
        let n_bytes: usize = n_bytes.parse().map_err(|_| refused())?;
        let known = matches!((letter, n_bytes), ('b', 1) | ('u' | 'i', 1 | 2 | 4 | 8) | ('f', 2 | 4 | 8));
        ensure!(known && matches!(order, "<" | ">" | "|" | "="), refused());
        Ok(Self { letter, n_bytes, big_endian: order == ">" })
    }

    fn pixels(self, bytes: &[u8]) -> Result<Pixels> {
        Ok(match (self.letter, self.n_bytes) {
            ('b' | 'u', 1) => Pixels::U8(bytes.to_vec()),
            ('u', 2) => Pixels::U16(self.values(bytes, u16::from_le_bytes)),
            ('u', 4) => Pixels::U32(self.values(bytes, u32::from_le_bytes)),
            ('u', _) => whole::into_u32(&self.values(bytes, u64::from_le_bytes))?,
            ('i', 1) => whole::into_u8(&self.values(bytes, i8::from_le_bytes))?,
            ('i', 2) => whole::into_u16(&self.values(bytes, i16::from_le_bytes))?,
            ('i', 4) => whole::into_u32(&self.values(bytes, i32::from_le_bytes))?,
            ('i', _) => whole::into_u32(&self.values(bytes, i64::from_le_bytes))?,
            (_, 2) => Pixels::F32(self.values(bytes, |two| f32::from(f16::from_le_bytes(two)))),
            (_, 4) => Pixels::F32(self.values(bytes, f32::from_le_bytes)),
            _ => Pixels::F32(self.values(bytes, |eight| f64::from_le_bytes(eight) as f32)),
        })
    }

    fn values<const N: usize, T>(self, bytes: &[u8], of: impl Fn([u8; N]) -> T) -> Vec<T> {
        let (numbers, _) = bytes.as_chunks::<N>();
        let turned = |mut number: [u8; N]| {
            if self.big_endian {
                number.reverse();
            }
            number
        };
        numbers.iter().map(|number| of(turned(*number))).collect()
    }
}

/// Reads the header of a `.npy`, versions 1 to 3.
pub(super) fn read_header(reader: &mut dyn Read) -> Result<Header> {
    let cut = "the header of the array is cut short";
    let mut start = [0; 8];
    reader.read_exact(&mut start).context(cut)?;
    ensure!(start.starts_with(b"\x93NUMPY"), "this is no array of NumPy");
    let length = match start[6] {
        1 => {
            let mut two = [0; 2];
            reader.read_exact(&mut two).context(cut)?;
            usize::from(u16::from_le_bytes(two))
        }
        _ => {
            let mut four = [0; 4];
            reader.read_exact(&mut four).context(cut)?;
            u32::from_le_bytes(four) as usize
        }
    };
    ensure!(length <= LONGEST_HEADER, "the header of the array is said to have {length} bytes; is the file damaged?");
    let mut text = vec![0; length];
    reader.read_exact(&mut text).context(cut)?;
    parse_header(&String::from_utf8_lossy(&text))
}

/// `{'descr': '<u2', 'fortran_order': False, 'shape': (3, 4), }`
fn parse_header(text: &str) -> Result<Header> {
    let after = |key: &str| text.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
    let damaged = || anyhow!("the header of the array is damaged: `{}`", text.trim());
    let kind = after("descr").ok_or_else(damaged)?;
    let Some(kind) = kind.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) else {
        bail!("the array has named columns; expected plain numbers")
    };
    ensure!(
        after("fortran_order").ok_or_else(damaged)?.starts_with("False"),
        "the array lies column by column; save it with `numpy.ascontiguousarray`"
    );
    let shape = after("shape").and_then(|rest| rest.strip_prefix('(')?.split_once(')')).ok_or_else(damaged)?.0;
    let parts = shape.split(',').map(str::trim).filter(|part| !part.is_empty());
    let shape: Vec<usize> = parts.map(|part| part.parse().map_err(|_| damaged())).collect::<Result<_>>()?;
    Ok(Header { shape, kind: ValueKind::parse(kind.0)? })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::read::{read_chosen_planes, read_planes};

    /// The bytes of a `.npy` as NumPy writes them.
    pub(in crate::read) fn npy(kind: &str, shape: &str, values: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
        while !(header.len() + 11).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(values);
        bytes
    }

    #[test]
    fn every_kind_of_number_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let read = |kind: &str, values: &[u8]| {
            std::fs::write(&path, npy(kind, "1, 2", values)).unwrap();
            read_planes(&path).map(|planes| planes[0].pixels().clone()).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(read("|u1", &[3, 4]).unwrap(), Pixels::U8(vec![3, 4]));
        assert_eq!(read("|b1", &[0, 1]).unwrap(), Pixels::U8(vec![0, 1]));
        assert_eq!(read("<u2", &[1, 2, 3, 0]).unwrap(), Pixels::U16(vec![513, 3]));
        assert_eq!(read(">u2", &[1, 2, 0, 3]).unwrap(), Pixels::U16(vec![258, 3]));
        assert_eq!(read("<i4", &[1, 0, 0, 0, 0, 0, 1, 0]).unwrap(), Pixels::U32(vec![1, 65536]));
        assert_eq!(read("<f2", &[0, 0x3c, 0, 0xc0]).unwrap(), Pixels::F32(vec![1.0, -2.0]));
        assert_eq!(read(">f4", &[0x3f, 0x80, 0, 0, 0, 0, 0, 0]).unwrap(), Pixels::F32(vec![1.0, 0.0]));
        assert!(read("<i2", &[255, 255, 0, 0]).unwrap_err().contains("a pixel is -1"));
        assert!(read("<c8", &[0; 16]).unwrap_err().contains("its values are `<c8`; expected whole or real numbers"));
        assert!(read("|u1", &[3]).unwrap_err().contains("cut short: 1 of the 2 bytes"));
        assert!(read("<f4", &[0, 0, 0xc0, 0x7f, 0, 0, 0, 0]).unwrap_err().contains("is NaN"));
    }

    #[test]
    fn shapes_and_orders_that_are_no_image_are_refused() {
        let refused = |text: &str| format!("{:#}", parse_header(text).unwrap_err());
        let text = "{'descr': '<u2', 'fortran_order': True, 'shape': (3, 4), }";
        assert!(refused(text).contains("ascontiguousarray"));
        assert!(refused("{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (3,)}").contains("named columns"));
        assert!(refused("{'descr': '<u2', 'fortran_order': False, 'shape': (3, x)}").contains("damaged"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, npy("|u1", "2,", &[1, 2])).unwrap();
        let error = format!("{:#}", read_planes(&path).unwrap_err());
        assert!(error.contains("an array of shape [2]; expected H×W or C×H×W"), "{error}");
        std::fs::write(&path, npy("|u1", "3, 1, 1", &[1, 2, 9])).unwrap();
        assert_eq!(read_chosen_planes(&path, &[2]).unwrap()[0].pixels(), &Pixels::U8(vec![9]));
    }
}
