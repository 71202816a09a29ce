//! Image files, by what they hold: PNG, TIFF and OME-TIFF, `.npy` and `.npz`.
//!
//! What a file is shows in its first bytes, not in its name. A file holds one or more planes, counted from 0: the pages
//! of a TIFF in order, the samples of a pixel within a page (planar or interleaved), the first axis of an array C×H×W.
//! Only planes that are asked for are decoded.

mod npy;
mod ome;
mod png;
mod stack;
mod tiff;
mod whole;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

pub use self::stack::Stack;

use crate::plane::Plane;

/// The largest image that is decoded, in bytes.
const LARGEST: usize = 4 << 30;
/// No compressor makes more out of one byte.
const MOST_PER_BYTE: usize = 1 << 16;

/// What a file is by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Tiff,
    Npy,
    Npz,
}

/// Which planes of a file are decoded.
#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    /// Every one, in order.
    All,
    /// Those counted from 0, in the order asked for.
    These(&'a [usize]),
}

impl Wanted<'_> {
    /// Whether any of a range of planes is wanted.
    fn any(self, planes: std::ops::Range<usize>) -> bool {
        match self {
            Self::All => true,
            Self::These(places) => places.iter().any(|place| planes.contains(place)),
        }
    }

    /// The wanted ones of planes that know their places, in the order asked for; `n_planes` is how many the file has.
    fn choose(self, mut found: Vec<(usize, Plane)>, n_planes: usize) -> Result<Vec<Plane>> {
        let Self::These(places) = self else { return Ok(found.into_iter().map(|(_, plane)| plane).collect()) };
        let mut take = |(order, place): (usize, &usize)| {
            let at = found.iter().position(|(known, _)| known == place).ok_or_else(|| missing(*place, n_planes))?;
            let again = places[order + 1..].contains(place);
            Ok(if again { found[at].1.clone() } else { found.swap_remove(at).1 })
        };
        places.iter().enumerate().map(&mut take).collect()
    }
}

fn missing(place: usize, n_planes: usize) -> anyhow::Error {
    let last = n_planes.saturating_sub(1);
    anyhow!("plane {place} is asked for, but the file has {n_planes} (0 to {last}); planes are counted from 0")
}

/// Every plane of an image file.
///
/// # Errors
/// If there is no such file, it is none of the formats, it is damaged or cut short, or it holds what no image of cells
/// is made of (complex numbers, JPEG 2000).
pub fn read_planes(path: &Path) -> Result<Vec<Plane>> {
    read(path, Wanted::All)
}

/// Planes of an image file by their places, counted from 0, in the order asked for.
///
/// # Errors
/// As [`read_planes`], and if the file has fewer planes.
pub fn read_chosen_planes(path: &Path, places: &[usize]) -> Result<Vec<Plane>> {
    read(path, Wanted::These(places))
}

/// Names of the planes of an OME-TIFF, if it states them and is neither a stack nor a film; otherwise none.
///
/// # Errors
/// If the file cannot be read, or says in its description that it is an OME-TIFF and is not.
pub fn plane_names(path: &Path) -> Result<Vec<String>> {
    let describe = || format!("cannot read `{}`", path.display());
    match format_of(path)? {
        Format::Tiff => tiff::plane_names(path).with_context(describe),
        Format::Png | Format::Npy | Format::Npz => Ok(Vec::new()),
    }
}

fn read(path: &Path, wanted: Wanted<'_>) -> Result<Vec<Plane>> {
    let format = format_of(path)?;
    let planes = match format {
        Format::Png => png::read(path, wanted),
        Format::Tiff => tiff::read(path, wanted),
        Format::Npy | Format::Npz => npy::read_planes(path, format, wanted),
    };
    planes.with_context(|| format!("cannot read `{}`", path.display()))
}

fn format_of(path: &Path) -> Result<Format> {
    ensure!(path.is_file(), "no file `{}`", path.display());
    let mut start = [0; 8];
    let failed = || format!("cannot open `{}`", path.display());
    let mut file = open(path).with_context(failed)?;
    let n_read = file.by_ref().take(8).read(&mut start).with_context(failed)?;
    ensure!(n_read > 0, "`{}` is empty; expected an image", path.display());
    match start {
        [0x89, b'P', b'N', b'G', ..] => Ok(Format::Png),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Ok(Format::Tiff),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Ok(Format::Npy),
        [b'P', b'K', 3, 4, ..] => Ok(Format::Npz),
        _ => Err(anyhow!("`{}` is no image that can be read: expected PNG, TIFF, .npy or .npz", path.display())),
    }
}

fn open(path: &Path) -> std::io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(1 << 16, File::open(path)?))
}

/// The most bytes that a file is decoded to: a damaged one may state any size, and memory for it is asked for at once.
fn most_bytes(file: &BufReader<File>) -> std::io::Result<usize> {
    let n_bytes = usize::try_from(file.get_ref().metadata()?.len()).unwrap_or(usize::MAX);
    Ok(n_bytes.saturating_mul(MOST_PER_BYTE).min(LARGEST))
}

/// The samples of interleaved pixels, one list a sample.
fn separate<T: Copy>(values: &[T], n_samples: usize) -> Vec<Vec<T>> {
    (0..n_samples).map(|sample| values.iter().skip(sample).step_by(n_samples).copied().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_image_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.tif");
        let error = |path: &Path| format!("{:#}", read_planes(path).unwrap_err());
        assert!(error(&path).starts_with("no file `"), "{}", error(&path));
        std::fs::write(&path, "").unwrap();
        assert!(error(&path).ends_with("is empty; expected an image"));
        std::fs::write(&path, "these are notes").unwrap();
        assert!(error(&path).ends_with("expected PNG, TIFF, .npy or .npz"));
    }

    #[test]
    fn interleaved_samples_are_separated() {
        assert_eq!(separate(&[1, 2, 3, 4, 5, 6], 3), [[1, 4], [2, 5], [3, 6]]);
    }
}
