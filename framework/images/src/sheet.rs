//! Contact sheets: random crops of each condition side by side, so that a person sees what was cut.

mod letters;
mod picture;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

pub use self::picture::Picture;

use self::picture::{height_of, width_of};
use crate::crops::Crops;
use crate::spec::MASK_CHANNEL;

/// Pixels between crops, and around what is written.
const GAP: usize = 4;
/// How many pixels one pixel of a letter takes.
const LETTER_SIZE: usize = 2;
/// What is behind the crops.
const GROUND: [u8; 3] = [24, 24, 28];
/// What stands for a channel that a cell has not.
const MISSING: [u8; 3] = [70, 40, 40];
/// What is written.
const INK: [u8; 3] = [235, 235, 235];
/// Colours of channels on top of each other, the first one first.
const COLOURS: [[f32; 3]; 6] =
    [[0.25, 0.45, 1.0], [0.1, 1.0, 0.2], [1.0, 0.15, 0.1], [1.0, 0.2, 1.0], [1.0, 0.9, 0.1], [0.1, 0.95, 0.95]];

/// What a contact sheet shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactSheet {
    /// How many cells of each condition, drawn at random; fewer where there are fewer.
    pub n_cells: usize,
    /// The same seed draws the same cells.
    pub seed: u64,
    /// Whether channels lie on top of each other in colours; otherwise each has a row of its own.
    pub merged: bool,
}

impl Default for ContactSheet {
    fn default() -> Self {
        Self { n_cells: 8, seed: 0, merged: false }
    }
}

/// A row of a sheet: what is written before it, the cells, and the channels of each.
struct Line {
    text: String,
    rows: Vec<usize>,
    channels: Vec<usize>,
}

impl ContactSheet {
    /// The cells of each condition that are shown: condition and rows, conditions in the order of their names (numbers
    /// by size).
    pub fn draw_cells(&self, conditions: &[&str]) -> Vec<(String, Vec<usize>)> {
        let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        conditions.iter().enumerate().for_each(|(row, condition)| rows.entry(condition).or_default().push(row));
        let mut drawn: Vec<(String, Vec<usize>)> = rows
            .into_iter()
            .map(|(condition, mut rows)| {
                let (chosen, _) = rows.partial_shuffle(&mut self.generator(condition), self.n_cells);
                (condition.to_owned(), chosen.to_vec())
            })
            .collect();
        let number = |text: &str| text.parse::<f64>().unwrap_or(f64::INFINITY);
        drawn.sort_by(|a, b| number(&a.0).total_cmp(&number(&b.0)));
        drawn
    }

    /// The sheet: for each condition a row for each channel (or one of all), a column for each cell.
    ///
    /// The mask of the nucleus is left out. A channel that a cell has not is a dull square.
    ///
    /// # Errors
    /// If there is not one condition a cell, none is shown, or a crop is damaged.
    pub fn draw(&self, crops: &Crops, conditions: &[&str]) -> Result<Picture> {
        let n_cells = crops.n_cells();
        ensure!(conditions.len() == n_cells, "{} conditions are given for {n_cells} cells", conditions.len());
        let lines = self.lines(crops, conditions);
        ensure!(lines.iter().any(|line| !line.rows.is_empty()), "a contact sheet of no cell shows nothing");
        let side = crops.contents().side;
        let left = lines.iter().map(|line| width_of(&line.text, LETTER_SIZE)).max().unwrap_or(0) + 2 * GAP;
        let row_height = side.max(height_of(LETTER_SIZE)) + GAP;
        let n_columns = lines.iter().map(|line| line.rows.len()).max().unwrap_or(0);
        let size = (lines.len() * row_height + GAP, left + n_columns * (side + GAP));
        let mut picture = Picture::new(size.0, size.1, GROUND);
        for (place, line) in lines.iter().enumerate() {
            let top = GAP + place * row_height;
            picture.write((top + (row_height - GAP - height_of(LETTER_SIZE)) / 2, GAP), &line.text, LETTER_SIZE, INK);
            for (column, &row) in line.rows.iter().enumerate() {
                let pixels = self.crop(crops, row, &line.channels)?;
                for (at, colour) in pixels.into_iter().enumerate() {
                    picture.set(top + at / side, left + column * (side + GAP) + at % side, colour);
                }
            }
        }
        Ok(picture)
    }

    fn lines(&self, crops: &Crops, conditions: &[&str]) -> Vec<Line> {
        let names = &crops.contents().channels;
        let shown: Vec<usize> = (0..names.len()).filter(|&channel| names[channel] != MASK_CHANNEL).collect();
        let mut lines = Vec::new();
        for (text, rows) in self.draw_cells(conditions) {
            if self.merged {
                lines.push(Line { text, rows, channels: shown.clone() });
            } else {
                let line = |&channel: &usize| {
                    let text = format!("{text} {}", names[channel]);
                    Line { text, rows: rows.clone(), channels: vec![channel] }
                };
                lines.extend(shown.iter().map(line));
            }
        }
        lines
    }

    /// The colours of one crop: grey, or channels added up.
    fn crop(&self, crops: &Crops, row: usize, channels: &[usize]) -> Result<Vec<[u8; 3]>> {
        let mut sums = vec![[0.0_f32; 3]; crops.contents().side.pow(2)];
        let mut n_shown = 0;
        for (place, &channel) in channels.iter().enumerate() {
            if !crops.contents().cells.has(row, channel) {
                continue;
            }
            n_shown += 1;
            let colour = if self.merged { COLOURS[place % COLOURS.len()] } else { [1.0; 3] };
            for (sum, value) in sums.iter_mut().zip(crops.gather(&[row], channel)?.to_f32()) {
                sum.iter_mut().zip(colour).for_each(|(sum, part)| *sum += part * value);
            }
        }
        if n_shown == 0 {
            return Ok(vec![MISSING; sums.len()]);
        }
        Ok(sums.into_iter().map(|sum| sum.map(|value| (value.min(1.0) * 255.0 + 0.5) as u8)).collect())
    }

    /// Draws of one condition, which other conditions do not change.
    fn generator(&self, condition: &str) -> ChaCha8Rng {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(b"contact sheet");
        hash.update(condition.as_bytes());
        ChaCha8Rng::from_seed(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::{Cell, Cells, FieldOfCells};
    use crate::crops::{Contents, Stored, Writer};

    /// Cells of side 8 whose `dna` is as bright as their number; the last has no `er`.
    fn crops(folder: &std::path::Path, n_cells: u32) -> Crops {
        let path = folder.join("crops");
        let mut writer = Writer::create(&path, 64).unwrap();
        let field =
            |name: &str, er: bool| FieldOfCells { name: name.into(), values: vec![], has: vec![true, er, true] };
        let mut cells = Cells { fields: vec![field("A", true), field("B", false)], ..Cells::default() };
        for cell in 0..n_cells {
            let last = cell + 1 == n_cells;
            cells.cells.push(Cell { field: u32::from(last), label: cell + 1, centroid: [0.0; 2], n_pixels: 1 });
            for value in [Some(cell as f32 / 10.0), (!last).then_some(1.0), Some(1.0)].into_iter().flatten() {
                writer.push(&Stored::U8.bytes(&[value; 64])).unwrap();
            }
        }
        let contents = Contents {
            channels: vec!["dna".into(), "er".into(), MASK_CHANNEL.into()],
            side: 8,
            stored: Stored::U8,
            scale: Stored::U8.scale(),
            inputs_sha256: String::new(),
            files_sha256: String::new(),
            skipped: vec![],
            n_flat_crops: 0,
            cells,
        };
        writer.finish(&contents).unwrap();
        Crops::open(&path).unwrap()
    }

    #[test]
    fn draws_are_of_each_condition_and_repeat() {
        let conditions: Vec<&str> = (0..60).map(|row| ["10", "2", "none"][row % 3]).collect();
        let sheet = ContactSheet { n_cells: 5, ..ContactSheet::default() };
        let drawn = sheet.draw_cells(&conditions);
        assert_eq!(drawn.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["2", "10", "none"]);
        for (condition, rows) in &drawn {
            let distinct: std::collections::BTreeSet<_> = rows.iter().collect();
            assert_eq!((rows.len(), distinct.len()), (5, 5));
            assert!(rows.iter().all(|&row| conditions[row] == condition));
        }
        assert_eq!(sheet.draw_cells(&conditions), drawn);
        assert_ne!(ContactSheet { seed: 1, ..sheet.clone() }.draw_cells(&conditions), drawn);
        assert_eq!(sheet.draw_cells(&["a", "a"])[0].1.len(), 2);
    }

    #[test]
    fn channels_have_rows_or_colours() {
        let folder = tempfile::tempdir().unwrap();
        let crops = crops(folder.path(), 3);
        let sheet = ContactSheet { n_cells: 9, ..ContactSheet::default() };
        let apart = sheet.draw(&crops, &["x", "x", "y"]).unwrap();
        // two conditions, two channels, letters higher than crops
        assert_eq!(apart.height, 4 * (14 + GAP) + GAP);
        let at = |picture: &Picture, row: usize, column: usize| {
            let place = 3 * (row * picture.width + column);
            [0, 1, 2].map(|part| picture.rgb[place + part])
        };
        let left = width_of("X DNA", LETTER_SIZE) + 2 * GAP;
        assert_eq!(at(&apart, GAP + 2 * 18, left), [51; 3], "`dna` of the third cell is 0.2");
        assert_eq!(at(&apart, GAP + 3 * 18, left), MISSING, "it has no `er`");
        let merged = ContactSheet { merged: true, ..sheet.clone() }.draw(&crops, &["x", "x", "y"]).unwrap();
        assert_eq!(merged.height, 2 * (14 + GAP) + GAP);
        let left = width_of("X", LETTER_SIZE) + 2 * GAP;
        assert_eq!(at(&merged, GAP + 18, left), [13, 23, 51]);
        assert!(sheet.draw(&crops, &["x"]).unwrap_err().to_string().starts_with("1 conditions are given for 3 cells"));
        let path = folder.path().join("sheet.png");
        merged.save(&path).unwrap();
        assert_eq!(crate::read::read_planes(&path).unwrap().len(), 3);
    }
}
