//! Label masks: which pixel belongs to which nucleus.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plane::{Pixels, Plane};

/// What the numbers of a mask mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaskKind {
    /// Each number above 0 is one nucleus.
    #[default]
    Labels,
    /// Every number above 0 is nucleus; nuclei are what hangs together, by edges or corners of pixels.
    Binary,
}

/// A number for each pixel of a field: 0 outside nuclei, otherwise the nucleus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// The numbers, row by row.
    pub labels: Vec<u32>,
}

/// One nucleus of a mask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Its number in the mask.
    pub label: u32,
    /// Number of pixels.
    pub n_pixels: u32,
    /// Mean row and mean column of its pixels.
    pub centroid: [f64; 2],
    /// Whether one of its pixels lies at the border of the field.
    pub touches_border: bool,
}

impl Labels {
    /// A mask from a plane of whole numbers.
    ///
    /// # Errors
    /// If the plane holds real numbers that are not whole, or below 0.
    pub fn from_plane(plane: &Plane, kind: MaskKind) -> Result<Self> {
        let labels = match plane.pixels() {
            Pixels::U8(values) => values.iter().map(|&value| u32::from(value)).collect(),
            Pixels::U16(values) => values.iter().map(|&value| u32::from(value)).collect(),
            Pixels::U32(values) => values.clone(),
            Pixels::F32(values) => values.iter().map(|&value| whole(value)).collect::<Result<_>>()?,
        };
        let labels = Self { height: plane.height(), width: plane.width(), labels };
        Ok(match kind {
            MaskKind::Labels => labels,
            MaskKind::Binary => labels.connected(),
        })
    }

    /// The same foreground with a number for each part that hangs together by edges or corners, in the order of their
    /// first pixels.
    pub fn connected(&self) -> Self {
        let mut labels = vec![0; self.labels.len()];
        let mut n_parts = 0;
        let mut waiting = Vec::new();
        for first in 0..self.labels.len() {
            if self.labels[first] == 0 || labels[first] != 0 {
                continue;
            }
            n_parts += 1;
            labels[first] = n_parts;
            waiting.push(first);
            while let Some(place) = waiting.pop() {
                for near in self.around(place) {
                    if self.labels[near] != 0 && labels[near] == 0 {
                        labels[near] = n_parts;
                        waiting.push(near);
                    }
                }
            }
        }
        Self { labels, ..*self }
    }

    /// Places of the pixels that share an edge or a corner with one.
    fn around(&self, place: usize) -> impl Iterator<Item = usize> + use<> {
        let (row, column, width) = (place / self.width, place % self.width, self.width);
        let rows = row.saturating_sub(1)..(row + 2).min(self.height);
        let columns = column.saturating_sub(1)..(column + 2).min(width);
        rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
    }

    /// The nuclei, by ascending number.
    pub fn regions(&self) -> Vec<Region> {
        #[derive(Default)]
        struct Sums {
            n_pixels: u32,
            rows: u64,
            columns: u64,
            at_border: bool,
        }
        let mut sums: BTreeMap<u32, Sums> = BTreeMap::new();
        for (row, labels) in self.labels.chunks_exact(self.width).enumerate() {
            let mut column = 0;
            for run in labels.chunk_by(|a, b| a == b) {
                let (start, n) = (column, run.len());
                column += n;
                if run[0] == 0 {
                    continue;
                }
                let sum = sums.entry(run[0]).or_default();
                sum.n_pixels += n as u32;
                sum.rows += (row * n) as u64;
                sum.columns += (start..start + n).sum::<usize>() as u64;
                sum.at_border |= row == 0 || row + 1 == self.height || start == 0 || start + n == self.width;
            }
        }
        let region = |(label, sum): (u32, Sums)| {
            let mean = |total: u64| total as f64 / f64::from(sum.n_pixels);
            let centroid = [mean(sum.rows), mean(sum.columns)];
            Region { label, n_pixels: sum.n_pixels, centroid, touches_border: sum.at_border }
        };
        sums.into_iter().map(region).collect()
    }

    /// The mask with some nuclei only, numbered from 1 in the order of their first pixels.
    pub fn keep(&self, wanted: impl Fn(&Region) -> bool) -> Self {
        let kept: Vec<u32> =
            self.regions().iter().filter(|&region| wanted(region)).map(|region| region.label).collect();
        let mut numbers: BTreeMap<u32, u32> = kept.into_iter().map(|label| (label, 0)).collect();
        let mut n_met = 0;
        let mut renumber = |&label: &u32| match numbers.get_mut(&label) {
            Some(number) => {
                if *number == 0 {
                    n_met += 1;
                    *number = n_met;
                }
                *number
            }
            None => 0,
        };
        Self { labels: self.labels.iter().map(&mut renumber).collect(), ..*self }
    }

    /// Refuses a mask that does not lie on a field.
    ///
    /// # Errors
    /// If sizes differ.
    pub fn ensure_size(&self, height: usize, width: usize) -> Result<()> {
        ensure!(
            (self.height, self.width) == (height, width),
            "the mask has {} × {} pixels, but the field has {height} × {width}; a mask is of the size of its field",
            self.height,
            self.width
        );
        Ok(())
    }
}

fn whole(value: f32) -> Result<u32> {
    if value < 0.0 || value.fract() != 0.0 || value >= 4_294_967_296.0 {
        bail!("a pixel of the mask is {value}; expected whole numbers: 0 outside nuclei, otherwise the nucleus");
    }
    Ok(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(width: usize, labels: &[u32]) -> Labels {
        Labels { height: labels.len() / width, width, labels: labels.to_vec() }
    }

    #[test]
    fn regions_have_area_centroid_and_border() {
        let mask = labels(5, &[0, 0, 0, 0, 0, 0, 7, 7, 0, 3, 0, 7, 0, 0, 3, 0, 0, 0, 0, 0]);
        let regions = mask.regions();
        assert_eq!(regions.len(), 2);
        assert_eq!((regions[0].label, regions[0].n_pixels, regions[0].touches_border), (3, 2, true));
        assert_eq!(regions[0].centroid, [1.5, 4.0]);
        assert_eq!((regions[1].label, regions[1].n_pixels, regions[1].touches_border), (7, 3, false));
        assert_eq!(regions[1].centroid, [4.0 / 3.0, 4.0 / 3.0]);
    }

    #[test]
    fn kept_ones_are_numbered_in_the_order_of_their_pixels() {
        let mask = labels(4, &[9, 9, 0, 2, 0, 0, 5, 2]);
        assert_eq!(mask.keep(|region| region.n_pixels == 2).labels, [1, 1, 0, 2, 0, 0, 0, 2]);
        assert_eq!(mask.keep(|region| region.label != 9).labels, [0, 0, 0, 1, 0, 0, 2, 1]);
    }

    #[test]
    fn binary_masks_fall_into_what_hangs_together() {
        let plane = Plane::new(3, 4, Pixels::U8(vec![255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 0, 0])).unwrap();
        let parts = Labels::from_plane(&plane, MaskKind::Binary).unwrap();
        assert_eq!(parts.labels, [1, 0, 0, 2, 0, 1, 0, 2, 0, 0, 0, 0]);
        assert_eq!(Labels::from_plane(&plane, MaskKind::Labels).unwrap().regions().len(), 1);
    }

    #[test]
    fn what_is_no_mask_is_refused() {
        let plane = Plane::new(1, 2, Pixels::F32(vec![1.0, 0.5])).unwrap();
        let error = Labels::from_plane(&plane, MaskKind::Labels).unwrap_err().to_string();
        assert!(error.starts_with("a pixel of the mask is 0.5; expected whole numbers"), "{error}");
        let error = labels(2, &[1, 2]).ensure_size(2, 2).unwrap_err().to_string();
        assert!(error.contains("1 × 2 pixels, but the field has 2 × 2"), "{error}");
    }
}
