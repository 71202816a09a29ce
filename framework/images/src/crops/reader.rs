//! Reading crops by their rows, from many threads at once.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::{Contents, END, END_BYTES, START, START_BYTES, Stored, VERSION};
use crate::nearest;

/// An open cache. Reading moves no place in the file, so threads may share it.
#[derive(Debug)]
pub struct Crops {
    path: PathBuf,
    file: File,
    contents: Contents,
    /// For each cell the number of its first record.
    starts: Vec<u64>,
    checksums: Vec<u32>,
}

/// Crops of some cells, in the numbers that they are stored as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gathered {
    /// See [`Stored::U8`].
    U8(Vec<u8>),
    /// See [`Stored::U16`].
    U16(Vec<u16>),
}

impl Gathered {
    /// The same as numbers from 0 to 1.
    pub fn to_f32(&self) -> Vec<f32> {
        match self {
            Self::U8(pixels) => pixels.iter().map(|&pixel| f32::from(pixel) * Stored::U8.scale()).collect(),
            Self::U16(pixels) => pixels.iter().map(|&pixel| f32::from(pixel) * Stored::U16.scale()).collect(),
        }
    }
}

impl Crops {
    /// Opens a cache and reads what it says of itself.
    ///
    /// # Errors
    /// If there is no such file, it is no cache or one of another version, or it is damaged or cut short.
    pub fn open(path: &Path) -> Result<Self> {
        ensure!(path.is_file(), "no file `{}`", path.display());
        let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
        let advice =
            || format!("the crops in `{}` cannot be used; delete the file to have it made again", path.display());
        let (contents, checksums) = read_end(&file).with_context(advice)?;
        let mut starts = Vec::with_capacity(contents.cells.n_cells());
        let mut n_records = 0;
        let n_channels: Vec<u64> =
            contents.cells.fields.iter().map(|field| field.has.iter().filter(|&&has| has).count() as u64).collect();
        for cell in &contents.cells.cells {
            starts.push(n_records);
            n_records += n_channels[cell.field as usize];
        }
        let agree = n_records == checksums.len() as u64;
        ensure!(agree, "{}: it holds {} crops, but tells of {n_records}", advice(), checksums.len());
        Ok(Self { path: path.to_owned(), file, contents, starts, checksums })
    }

    /// What the cache says of itself.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.starts.len()
    }

    /// The place of a channel by its name.
    ///
    /// # Errors
    /// If there is none: lists the channels and the nearest name.
    pub fn channel(&self, name: &str) -> Result<usize> {
        let place = self.contents.channels.iter().position(|channel| channel == name);
        place.ok_or_else(|| anyhow!(nearest::unknown("channel", name, &self.contents.channels)))
    }

    /// One channel of some cells, in the order asked for.
    ///
    /// # Shapes
    /// `rows.len() × side × side`, row by row.
    ///
    /// # Errors
    /// If a cell does not exist or lacks the channel, or its crop is damaged.
    pub fn gather(&self, rows: &[usize], channel: usize) -> Result<Gathered> {
        self.gather_each(rows.iter().map(|&row| (row, channel)))
    }

    /// Crops of some cells, each of a channel of its own, given as (row, channel) and in the order asked for.
    ///
    /// # Shapes
    /// As many as are asked for × side × side, row by row.
    ///
    /// # Errors
    /// If a cell does not exist or lacks the channel, or its crop is damaged.
    pub fn gather_each(&self, crops: impl ExactSizeIterator<Item = (usize, usize)>) -> Result<Gathered> {
        let record_bytes = self.record_bytes();
        let mut bytes = vec![0; crops.len() * record_bytes];
        for ((row, channel), record) in crops.zip(bytes.chunks_exact_mut(record_bytes)) {
            self.read(row, channel, record)?;
        }
        Ok(match self.contents.stored {
            Stored::U8 => Gathered::U8(bytes),
            Stored::U16 => {
                let (pairs, _) = bytes.as_chunks::<2>();
                Gathered::U16(pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
            }
        })
    }

    fn record_bytes(&self) -> usize {
        self.contents.side * self.contents.side * self.contents.stored.n_bytes()
    }

    fn read(&self, row: usize, channel: usize, record: &mut [u8]) -> Result<()> {
        let cells = &self.contents.cells;
        ensure!(row < cells.n_cells(), "there is no cell {row}; the cache has {} (counted from 0)", cells.n_cells());
        let Some(name) = self.contents.channels.get(channel) else { bail!("there is no channel {channel}") };
        if !cells.has(row, channel) {
            bail!("cell `{}` has no channel `{name}`; ask `Cells::has` first", cells.name(row));
        }
        let has = &cells.fields[cells.cells[row].field as usize].has;
        let number = self.starts[row] + has[..channel].iter().filter(|&&has| has).count() as u64;
        let place = START_BYTES + number * record.len() as u64;
        let damaged = || {
            let path = self.path.display();
            format!(
                "the crop of cell `{}`, channel `{name}`, in `{path}` is damaged; delete the file to have it made again",
                cells.name(row)
            )
        };
        read_at(&self.file, record, place).with_context(damaged)?;
        ensure!(crc32fast::hash(record) == self.checksums[number as usize], damaged());
        Ok(())
    }
}

/// What stands behind the records: contents, and a checksum for each record.
fn read_end(file: &File) -> Result<(Contents, Vec<u32>)> {
    let length = file.metadata()?.len();
    let mut start = [0; START_BYTES as usize];
    ensure!(length >= START_BYTES, "it is shorter than the start of a cache");
    read_at(file, &mut start, 0)?;
    ensure!(start.starts_with(&START), "it is no cache of crops");
    let version = u32::from_le_bytes([start[8], start[9], start[10], start[11]]);
    ensure!(version == VERSION, "it is of version {version}; this program reads version {VERSION}");
    let cut = "it is cut short: its end is missing";
    ensure!(length >= START_BYTES + END_BYTES, cut);
    let mut end = [0; END_BYTES as usize];
    read_at(file, &mut end, length - END_BYTES)?;
    ensure!(end.ends_with(&END), cut);
    let (numbers, rest) = end.as_chunks::<8>();
    let (n_json, n_records) = (u64::from_le_bytes(numbers[0]), u64::from_le_bytes(numbers[1]));
    let expected = u32::from_le_bytes([numbers[2][0], numbers[2][1], numbers[2][2], numbers[2][3]]);
    debug_assert!(rest.is_empty());
    let n_bytes = n_records.checked_mul(4).and_then(|n| n.checked_add(n_json));
    let n_bytes = n_bytes.filter(|&n| n <= length - START_BYTES - END_BYTES);
    let n_bytes = n_bytes.ok_or_else(|| anyhow!("its end says that it is longer than it is"))?;
    let mut bytes = vec![0; n_bytes as usize];
    read_at(file, &mut bytes, length - END_BYTES - n_bytes)?;
    ensure!(crc32fast::hash(&bytes) == expected, "its table of contents is damaged");
    let (checksums, json) = bytes.split_at(4 * n_records as usize);
    let contents: Contents = serde_json::from_slice(json).context("its table of contents is damaged")?;
    contents.cells.ensure_sound(contents.channels.len())?;
    let record_bytes =
        (contents.side as u64).checked_pow(2).and_then(|n| n.checked_mul(contents.stored.n_bytes() as u64));
    let told = record_bytes.filter(|&n| n > 0).and_then(|n| n.checked_mul(n_records));
    let payload = length - START_BYTES - END_BYTES - n_bytes;
    ensure!(told == Some(payload), "its length does not fit what it tells of");
    let (checksums, _) = checksums.as_chunks::<4>();
    Ok((contents, checksums.iter().map(|four| u32::from_le_bytes(*four)).collect()))
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], place: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

#[cfg(not(unix))]
fn read_at(file: &File, bytes: &mut [u8], place: u64) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    // an own handle, for the place in a file is shared by its threads
    let mut own = file.try_clone()?;
    own.seek(SeekFrom::Start(place))?;
    own.read_exact(bytes)
}
